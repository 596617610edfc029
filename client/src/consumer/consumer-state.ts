/** State of one consumer: a reader per partition that fills its own bounded buffer, and one place that empties them in turn. */
import type { ClientContext } from '../cluster/context.ts';
import type { CallScope } from '../cluster/call-scope.ts';
import type { BalsaError } from '../errors.ts';
import type { BatchHeader } from '../records/batch-header.ts';
import type { StoredRecord } from '../records/batch-reader.ts';
import type { ConsumerSettings } from './settings.ts';

/** A received batch that nobody has taken yet. */
export interface FetchedBatch {
  readonly bytes: Uint8Array;
  readonly header: BatchHeader;
  /** Records before this offset (inclusive start) were not asked for. */
  readonly from: number;
}

export interface PartitionReader {
  readonly partition: number;
  /** Next offset to fetch (inclusive): one behind the last record in `buffer`. */
  nextOffset: number;
  /** Offset to stop at (exclusive); undefined to go on for ever. */
  endOffset: number | undefined;
  /** First offset that was not readable at the last answer (exclusive end). */
  highWatermark: number;
  readonly buffer: FetchedBatch[];
  bufferedBytes: number;
  /** Whether nothing more will be fetched. */
  isDone: boolean;
  /** Ends the wait for room in the buffer. */
  onRoom: (() => void) | undefined;
}

/** Decoded records of one batch, partly handed out. */
export interface CurrentRun {
  readonly reader: PartitionReader;
  readonly records: readonly StoredRecord[];
  /** Index of the next record to hand out. */
  next: number;
}

export interface ConsumerState {
  readonly context: ClientContext;
  readonly topic: string;
  readonly settings: ConsumerSettings;
  /** Bounds everything that the consumer does; its signal ends it. */
  readonly scope: CallScope;
  readonly stop: (reason: BalsaError) => void;
  readers: PartitionReader[];
  /** Reader to look at first for the next batch, so that all get their turn. */
  turn: number;
  current: CurrentRun | undefined;
  isStarted: boolean;
  /** Why it ended; undefined while it runs. */
  ended: BalsaError | undefined;
  /** Wakes whoever waits for records. */
  onReady: (() => void) | undefined;
}

export function createReader(partition: number): PartitionReader {
  return {
    partition,
    nextOffset: 0,
    endOffset: undefined,
    highWatermark: 0,
    buffer: [],
    bufferedBytes: 0,
    isDone: false,
    onRoom: undefined,
  };
}

/** Wakes whoever waits for records, for the end of a partition or for a failure. */
export function signalReady(state: ConsumerState): void {
  const wake = state.onReady;
  state.onReady = undefined;
  wake?.();
}
