/**
 * A replica of a partition as the host drives it: the pure machine, and the index that
 * finds its batches again.
 *
 * The index is derived: rows go to the state store with the host's checkpoints and are
 * made again by replay, so it is never ahead of the machine. Until a row is in the
 * store it is in the tail: `takeRows` hands rows out, and only the call after it (which
 * the host makes when that write has resolved) drops them from memory.
 *
 * Invariant: tail rows are contiguous in offsets and end at nextOffset.
 */
import { assert } from '../core/assert.ts';
import type { Offset } from '../core/ids.ts';
import type { AppliedCommand } from '../core/machines/machine.ts';
import type { PartitionOutcome } from '../core/machines/partition/outcome.ts';
import { partitionMachine } from '../core/machines/partition/partition-machine.ts';
import type { PartitionState } from '../core/machines/partition/state.ts';
import type { Checkpoint, HostedMachine } from '../host/vocabulary.ts';
import type { StateWrite } from '../ports/state-store.ts';
import type { GroupKey } from '../storage/journal/vocabulary.ts';
import { endOffset, offsetRow, positions, timestampRow } from './batch-rows.ts';
import type { BatchTail } from './batch-tail.ts';
import { createBatchTail, dropOldest, pushRow, rowAt } from './batch-tail.ts';

export interface PartitionReplica {
  readonly key: GroupKey;
  state: PartitionState;
  tail: BatchTail;
  /** Rows at the front of the tail that the last takeRows handed out. */
  handedOut: number;
  /** Timestamp rows made since the last takeRows. */
  timestampRows: StateWrite[];
  /** Largest record time of all accepted batches; -1 if none had one. */
  largestMs: number;
  /** Bytes of all batches ever accepted. */
  endBytes: number;
  /** Log start when rows were deleted last. */
  rowsStart: Offset;
  /** Called once after the next apply that moves the end, or when leadership moves; see `data-wait.ts`. */
  waiters: Set<() => void>;
}

export function createPartitionReplica(key: GroupKey): PartitionReplica {
  const state = partitionMachine.initial();
  return {
    key,
    state,
    tail: createBatchTail(),
    handedOut: 0,
    timestampRows: [],
    largestMs: -1,
    endBytes: 0,
    rowsStart: state.logStart,
    waiters: new Set(),
  };
}

export function hostedPartition(replica: PartitionReplica): HostedMachine {
  return {
    apply: (commands) => applyAll(replica, commands),
    encode: () => encodeReplica(replica),
    restore: (bytes) => restoreReplica(replica, bytes),
    mark: () => replica.state.nextOffset,
    takeRows: () => takeRows(replica),
    mayStartAt: (checkpoints) => checkpoints.findLast((checkpoint: Checkpoint) => checkpoint.mark <= replica.state.logStart),
  };
}

function applyAll(replica: PartitionReplica, commands: readonly AppliedCommand[]): readonly PartitionOutcome[] {
  const before = replica.state.nextOffset;
  const outcomes = commands.map((command) => {
    const outcome = partitionMachine.apply(replica.state, command);
    if (outcome.kind === 'appended' && !outcome.duplicate) indexBatch(replica, outcome.row);
    return outcome;
  });
  if (replica.state.nextOffset > before) wakeWaiters(replica);
  return outcomes;
}

function indexBatch(replica: PartitionReplica, placed: Extract<PartitionOutcome, { duplicate: false }>['row']): void {
  replica.endBytes += placed.sizeBytes;
  const row = { ...placed, endBytes: replica.endBytes };
  pushRow(replica.tail, row);
  assert(endOffset(row) === replica.state.nextOffset, 'the tail ends at the next offset', { group: replica.key.group, row });
  if (row.maxTimestampMs <= replica.largestMs) return;
  replica.largestMs = row.maxTimestampMs;
  replica.timestampRows.push(timestampRow(replica.key, row.maxTimestampMs, row.baseOffset));
}

/** Lets everybody who waits for this partition look again. */
export function wakeWaiters(replica: PartitionReplica): void {
  const woken = replica.waiters;
  replica.waiters = new Set();
  for (const wake of woken) wake();
}

function takeRows(replica: PartitionReplica): readonly StateWrite[] {
  dropOldest(replica.tail, replica.handedOut);
  replica.handedOut = replica.tail.length;
  const rows = [...replica.timestampRows, ...trimmedRows(replica)];
  for (let place = 0; place < replica.tail.length; place += 1) rows.push(offsetRow(replica.key, rowAt(replica.tail, place)));
  replica.timestampRows = [];
  return rows;
}

/** Rows below the log start go; retention trims at batch boundaries, so no kept batch loses its row. */
function trimmedRows(replica: PartitionReplica): readonly StateWrite[] {
  const { key, rowsStart, state } = replica;
  if (state.logStart === rowsStart) return [];
  replica.rowsStart = state.logStart;
  return [{ op: 'delete-range', family: 'offsets', ...positions(key, 0, state.logStart) }];
}

const headBytes = 16;

/** float64 largestMs, float64 endBytes, machine state. Both numbers follow from the log, so replicas agree on the bytes. */
function encodeReplica(replica: PartitionReplica): Uint8Array {
  const state = partitionMachine.encode(replica.state);
  const bytes = new Uint8Array(headBytes + state.length);
  const view = new DataView(bytes.buffer);
  view.setFloat64(0, replica.largestMs);
  view.setFloat64(8, replica.endBytes);
  bytes.set(state, headBytes);
  return bytes;
}

function restoreReplica(replica: PartitionReplica, bytes: Uint8Array | undefined): void {
  assert(bytes === undefined || bytes.length >= headBytes, 'a partition state has a head', { bytes: bytes?.length });
  const view = bytes === undefined ? undefined : new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  replica.state = bytes === undefined ? partitionMachine.initial() : partitionMachine.decode(bytes.subarray(headBytes));
  replica.largestMs = view?.getFloat64(0) ?? -1;
  replica.endBytes = view?.getFloat64(8) ?? 0;
  replica.tail = createBatchTail();
  replica.handedOut = 0;
  replica.timestampRows = [];
  replica.rowsStart = replica.state.logStart;
  wakeWaiters(replica);
}
