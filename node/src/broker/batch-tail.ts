/**
 * The newest index rows of a partition, in memory: rows that the state store does not
 * have yet, and most of what consumers near the end ask for.
 *
 * Rows are numbers in one typed array, ascending by offset and Raft index. The size is
 * bounded by what the host applies between two checkpoints, twice.
 */
import { assert } from '../core/assert.ts';
import { asOffset, asRaftIndex } from '../core/ids.ts';
import type { Offset } from '../core/ids.ts';
import type { BatchRow } from './batch-rows.ts';

const columns = 6;
const rowsInitial = 64;

export interface BatchTail {
  cells: Float64Array;
  /** Number of rows in use. */
  length: number;
}

export const createBatchTail = (): BatchTail => ({ cells: new Float64Array(rowsInitial * columns), length: 0 });

export function pushRow(tail: BatchTail, row: BatchRow): void {
  if ((tail.length + 1) * columns > tail.cells.length) {
    const grown = new Float64Array(tail.cells.length * 2);
    grown.set(tail.cells);
    tail.cells = grown;
  }
  tail.cells.set([row.baseOffset, row.index, row.recordCount, row.maxTimestampMs, row.sizeBytes, row.endBytes], tail.length * columns);
  tail.length += 1;
}

/** Row at `place`, from 0. */
export function rowAt(tail: BatchTail, place: number): BatchRow {
  assert(place >= 0 && place < tail.length, 'a row of the tail exists', { place, length: tail.length });
  const cell = (column: number): number => tail.cells[place * columns + column] ?? 0;
  return {
    baseOffset: asOffset(cell(0)),
    index: asRaftIndex(cell(1)),
    recordCount: cell(2),
    maxTimestampMs: cell(3),
    sizeBytes: cell(4),
    endBytes: cell(5),
  };
}

/** Place of the last row whose base offset is at or below `offset`; -1 if there is none. */
export function placeOf(tail: BatchTail, offset: Offset): number {
  let low = 0;
  let high = tail.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((tail.cells[middle * columns] ?? 0) <= offset) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Drops the oldest `count` rows and gives back memory that is no longer needed. */
export function dropOldest(tail: BatchTail, count: number): void {
  const kept = tail.cells.slice(count * columns, tail.length * columns);
  tail.length -= count;
  tail.cells = new Float64Array(Math.max(rowsInitial * columns, kept.length * 2));
  tail.cells.set(kept);
}
