/** Hands out what the readers have fetched: batch after batch, partitions in turn, records in order. */
import { decodeRecords, type StoredRecord } from '../records/batch-reader.ts';
import { type ConsumerState, type CurrentRun, type PartitionReader, signalReady } from './consumer-state.ts';

/**
 * The run to take records from, decoding the next batch if needed; undefined when all
 * partitions are at their end or the consumer was closed. Rejects when it ended otherwise.
 */
export async function currentRun(state: ConsumerState): Promise<CurrentRun | undefined> {
  for (;;) {
    if (state.ended?.code === 'CLOSED') return undefined;
    if (state.ended !== undefined) throw state.ended;
    const run = runAtHand(state);
    if (run !== undefined) return run;
    if (state.isStarted && state.readers.every((reader) => reader.isDone)) return undefined;
    await new Promise<void>((resolve) => {
      const earlier = state.onReady;
      state.onReady = () => {
        earlier?.();
        resolve();
      };
    });
  }
}

function runAtHand(state: ConsumerState): CurrentRun | undefined {
  if (state.current !== undefined && state.current.next < state.current.records.length) return state.current;
  state.current = undefined;
  for (let step = 0; step < state.readers.length; step++) {
    const reader = state.readers[(state.turn + step) % state.readers.length];
    const records = reader === undefined ? undefined : takeBatch(reader);
    if (reader === undefined || records === undefined) continue;
    state.turn = (state.turn + step + 1) % state.readers.length;
    state.current = { reader, records, next: 0 };
    return state.current;
  }
  return undefined;
}

/** Records of the reader's oldest batch that are wanted; undefined if none are. */
function takeBatch(reader: PartitionReader): readonly StoredRecord[] | undefined {
  for (let batch = reader.buffer.shift(); batch !== undefined; batch = reader.buffer.shift()) {
    reader.bufferedBytes -= batch.bytes.length;
    const wake = reader.onRoom;
    reader.onRoom = undefined;
    wake?.();
    const end = reader.endOffset ?? Number.POSITIVE_INFINITY;
    const { from } = batch;
    const records = decodeRecords(batch.bytes, batch.header);
    const isWhole = from === batch.header.baseOffset && batch.header.baseOffset + batch.header.recordCount <= end;
    const wanted = isWhole ? records : records.filter(({ offset }) => offset >= from && offset < end);
    if (wanted.length > 0) return wanted;
  }
  return undefined;
}

/** The next record, if one is at hand without waiting. */
export function takeRecord(run: CurrentRun): StoredRecord | undefined {
  return run.next < run.records.length ? run.records[run.next++] : undefined;
}

/** Up to `max` records of the run. */
export function takeRecords(run: CurrentRun, max: number): readonly StoredRecord[] {
  const taken = run.records.slice(run.next, run.next + max);
  run.next += taken.length;
  return taken;
}

/** Ends the wait of everybody: of readers for room, of the iterator for records. */
export function releaseWaits(state: ConsumerState): void {
  for (const reader of state.readers) {
    const wake = reader.onRoom;
    reader.onRoom = undefined;
    wake?.();
  }
  signalReady(state);
}
