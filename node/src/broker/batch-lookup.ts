/** Finds batches of a replica: by offset, by time, by size. Memory first, then the state store. */
import { asOffset } from '../core/ids.ts';
import type { Offset } from '../core/ids.ts';
import type { StateStore } from '../ports/state-store.ts';
import type { BatchRow } from './batch-rows.ts';
import { endOffset, positionMax, positions, readOffsetRow, readTimestampRow } from './batch-rows.ts';
import { placeOf, rowAt } from './batch-tail.ts';
import type { PartitionReplica } from './partition-replica.ts';

/** Rows that one look-up returns at most. */
const rowsMax = 512;

/**
 * Consecutive rows, the first being the batch that holds `offset` or, if that is gone, the
 * next one; together at most `bytesMax` bytes, but at least one row. Empty at the end of
 * the log.
 */
export async function rowsFrom(
  store: StateStore,
  replica: PartitionReplica,
  offset: Offset,
  bytesMax: number,
): Promise<readonly BatchRow[]> {
  if (offset >= replica.state.nextOffset) return [];
  const { tail } = replica;
  const place = placeOf(tail, offset);
  if (place < 0) return capBytes(await storedRowsFrom(store, replica, offset), bytesMax);
  const rows: BatchRow[] = [];
  let bytes = 0;
  for (let next = place; next < tail.length && rows.length < rowsMax; next += 1) {
    const row = rowAt(tail, next);
    bytes += row.sizeBytes;
    if (rows.length > 0 && bytes > bytesMax) break;
    rows.push(row);
  }
  return rows;
}

function capBytes(rows: readonly BatchRow[], bytesMax: number): readonly BatchRow[] {
  let bytes = 0;
  const end = rows.findIndex((row, place) => {
    bytes += row.sizeBytes;
    return place > 0 && bytes > bytesMax;
  });
  return end < 0 ? rows : rows.slice(0, end);
}

/** Rows of a store that is ahead of the machine do not count. */
async function storedRowsFrom(store: StateStore, { key, tail, state }: PartitionReplica, offset: Offset): Promise<readonly BatchRow[]> {
  const before = await store.range('offsets', { ...positions(key, 0, offset + 1), reverse: true, limit: 1 });
  const first = before.map(([rowKey, value]) => readOffsetRow(rowKey, value)).find((row) => endOffset(row) > offset);
  const from = first?.baseOffset ?? offset;
  const stored = await store.range('offsets', { ...positions(key, from, state.nextOffset), limit: rowsMax });
  if (stored.length > 0) return stored.map(([rowKey, value]) => readOffsetRow(rowKey, value));
  return tail.length > 0 ? [rowAt(tail, 0)] : [];
}

/** The batch that holds `offset`, or the next one; undefined at the end of the log. */
export async function rowOf(store: StateStore, replica: PartitionReplica, offset: Offset): Promise<BatchRow | undefined> {
  return (await rowsFrom(store, replica, offset, 1))[0];
}

/**
 * Base offset of the first kept batch with a record at or after `timeMs`; the end of the
 * log if there is none.
 */
export async function offsetOfTime(store: StateStore, replica: PartitionReplica, timeMs: number): Promise<Offset> {
  const { state } = replica;
  if (timeMs > replica.largestMs) return state.nextOffset;
  let offset = asOffset(Math.max(state.logStart, (await firstReaching(store, replica, timeMs)) ?? state.logStart));
  // One step, unless the batch that first reached this time was trimmed: then the kept ones are looked at in order.
  while (offset < state.nextOffset) {
    const rows = await rowsFrom(store, replica, offset, positionMax);
    const found = rows.find((row) => row.maxTimestampMs >= timeMs);
    const last = rows.at(-1);
    if (found !== undefined) return asOffset(Math.max(found.baseOffset, state.logStart));
    if (last === undefined) break;
    offset = endOffset(last);
  }
  return state.nextOffset;
}

/**
 * Base offset of the first batch up to which the largest record time is at least `timeMs`.
 * Everything before it is older than `timeMs`.
 */
export async function firstReaching(store: StateStore, replica: PartitionReplica, timeMs: number): Promise<Offset | undefined> {
  const stored = await store.range('timestamps', { ...positions(replica.key, Math.max(0, timeMs), positionMax), limit: 1 });
  const [row] = stored.map(([key, value]) => readTimestampRow(key, value));
  return row?.baseOffset ?? firstReachingInTail(replica, timeMs);
}

function firstReachingInTail({ tail }: PartitionReplica, timeMs: number): Offset | undefined {
  for (let place = 0; place < tail.length; place += 1) {
    const row = rowAt(tail, place);
    if (row.maxTimestampMs >= timeMs) return row.baseOffset;
  }
  return undefined;
}

/**
 * Base offset of the first batch such that what follows it (itself included) is at most
 * `bytesMax` bytes: found by bisection, because sizes are summed up in the rows.
 */
export async function firstWithin(store: StateStore, replica: PartitionReplica, bytesMax: number): Promise<Offset> {
  const { state, endBytes } = replica;
  let low: number = state.logStart;
  let high: number = state.nextOffset;
  while (low < high) {
    const row = await rowOf(store, replica, asOffset(Math.floor((low + high) / 2)));
    if (row === undefined) break;
    if (endBytes - row.endBytes + row.sizeBytes <= bytesMax) high = Math.min(row.baseOffset, high - 1);
    else low = endOffset(row);
  }
  return asOffset(Math.max(low, state.logStart));
}
