/**
 * Sizes of the entries of a log: four bytes per entry, cut at both ends.
 *
 * The list grows at its end; `head` moves when the log is compacted, `count`
 * shrinks when it is truncated. Capacity follows the number of live sizes in both
 * directions, so a log that was long once does not keep its memory.
 * Positions count from 0 at the oldest live size.
 */
import { assert } from '../assert.ts';

const capacityMin = 16;
/** Largest entry that fits the representation. */
const entryBytesMax = 0xffff_ffff;

export interface SizeList {
  cells: Uint32Array;
  /** Cell of the oldest live size. */
  head: number;
  /** Number of live sizes. */
  count: number;
}

export const createSizeList = (): SizeList => ({ cells: new Uint32Array(capacityMin), head: 0, count: 0 });

export function pushSize(list: SizeList, bytes: number): void {
  assert(Number.isInteger(bytes) && bytes >= 0 && bytes <= entryBytesMax, 'entry size fits 32 bits', { bytes });
  if (list.head + list.count === list.cells.length) relocate(list);
  list.cells[list.head + list.count] = bytes;
  list.count += 1;
}

export function sizeAt(list: SizeList, position: number): number {
  assert(position >= 0 && position < list.count, 'size position is live', { position, count: list.count });
  return list.cells[list.head + position] ?? 0;
}

/** Forgets the oldest `n` sizes. */
export function dropOldest(list: SizeList, n: number): void {
  assert(n >= 0 && n <= list.count, 'no more sizes dropped than there are', { n, count: list.count });
  list.head += n;
  list.count -= n;
  shrink(list);
}

/** Forgets the newest `n` sizes. */
export function dropNewest(list: SizeList, n: number): void {
  assert(n >= 0 && n <= list.count, 'no more sizes dropped than there are', { n, count: list.count });
  list.count -= n;
  shrink(list);
}

function shrink(list: SizeList): void {
  if (list.cells.length > capacityMin && list.count < list.cells.length / 4) relocate(list);
}

/** Moves the live sizes to the start of an array with room for twice as many. */
function relocate(list: SizeList): void {
  const cells = new Uint32Array(Math.max(capacityMin, list.count * 2));
  cells.set(list.cells.subarray(list.head, list.head + list.count));
  list.cells = cells;
  list.head = 0;
}
