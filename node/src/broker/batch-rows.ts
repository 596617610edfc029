/**
 * Index rows of a partition in the state store: where a batch is in the Raft log, and
 * what is needed to find it by time or size.
 *
 *   family offsets     key (replica, base offset)           one row per batch
 *   family timestamps  key (replica, largest time so far)   one row per batch that raised it
 *
 * "Largest time so far" rises with the offset, so the first row at or above a time is the
 * first batch that can hold a record of that time, whatever clocks the producers have.
 */
import { asOffset, asRaftIndex } from '../core/ids.ts';
import type { Offset, RaftIndex } from '../core/ids.ts';
import type { StateWrite } from '../ports/state-store.ts';
import type { GroupKey } from '../storage/journal/vocabulary.ts';
import { decodePosition, encodePositionKey } from '../storage/state/keys.ts';

export interface BatchRow {
  /** Entry that holds the batch. */
  readonly index: RaftIndex;
  readonly baseOffset: Offset;
  readonly recordCount: number;
  /** Unix milliseconds; -1 if the records have no time. */
  readonly maxTimestampMs: number;
  readonly sizeBytes: number;
  /** Bytes of all batches ever accepted, this one included. */
  readonly endBytes: number;
}

/** First offset after the batch (exclusive end). */
export const endOffset = ({ baseOffset, recordCount }: BatchRow): Offset => asOffset(baseOffset + recordCount);

const rowBytes = 40;

export function offsetRow(key: GroupKey, row: BatchRow): StateWrite {
  const value = new Uint8Array(rowBytes);
  const view = new DataView(value.buffer);
  view.setFloat64(0, row.index);
  view.setFloat64(8, row.maxTimestampMs);
  view.setFloat64(16, row.endBytes);
  view.setFloat64(24, row.recordCount);
  view.setFloat64(32, row.sizeBytes);
  return { op: 'put', family: 'offsets', key: encodePositionKey(key, row.baseOffset), value };
}

export function readOffsetRow(key: Uint8Array, value: Uint8Array): BatchRow {
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
  return {
    baseOffset: asOffset(decodePosition(key)),
    index: asRaftIndex(view.getFloat64(0)),
    maxTimestampMs: view.getFloat64(8),
    endBytes: view.getFloat64(16),
    recordCount: view.getFloat64(24),
    sizeBytes: view.getFloat64(32),
  };
}

export function timestampRow(key: GroupKey, largestMs: number, baseOffset: Offset): StateWrite {
  const value = new Uint8Array(8);
  new DataView(value.buffer).setFloat64(0, baseOffset);
  return { op: 'put', family: 'timestamps', key: encodePositionKey(key, largestMs), value };
}

export interface TimestampRow {
  /** Largest record time up to and including the batch at `baseOffset`. */
  readonly largestMs: number;
  readonly baseOffset: Offset;
}

export function readTimestampRow(key: Uint8Array, value: Uint8Array): TimestampRow {
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
  return { largestMs: decodePosition(key), baseOffset: asOffset(view.getFloat64(0)) };
}

/** Largest position that a key can hold and a number can count. */
export const positionMax = Number.MAX_SAFE_INTEGER;

/** All positions of a replica in [from, to). */
export const positions = (key: GroupKey, from: number, to: number) => ({
  from: encodePositionKey(key, from),
  to: encodePositionKey(key, to),
});

/** Deletes every index row of a replica. */
export const dropAllRows = (key: GroupKey): readonly StateWrite[] =>
  (['offsets', 'timestamps'] as const).map((family) => ({ op: 'delete-range', family, ...positions(key, 0, positionMax) }));
