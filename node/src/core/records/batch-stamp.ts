/**
 * Fills in what only the broker knows: base offset and leader epoch. Both are outside
 * the checksum, so the records stay as the producer signed them.
 *
 * Batches in the log are shared (journal cache, other readers), so the original is
 * never written to.
 */
import { assert } from '../assert.ts';
import type { Offset } from '../ids.ts';
import { batchHeaderBytes } from './batch-header.ts';
import { viewOf, writeInt64 } from './bytes.ts';

const leaderEpochMax = 0x7fff_ffff;

export interface StampedParts {
  /** The stamped header; a copy. */
  readonly header: Uint8Array;
  /** The records; a view into the batch. */
  readonly records: Uint8Array;
}

/** Copies only the header: for writers that take several parts. */
export function stampBatchParts(batch: Uint8Array, baseOffset: Offset, leaderEpoch: number): StampedParts {
  assert(batch.length >= batchHeaderBytes, 'a batch has a header', { length: batch.length });
  // Not `slice`: of a Buffer it would return a view.
  const header = new Uint8Array(batch.subarray(0, batchHeaderBytes));
  stamp(header, baseOffset, leaderEpoch);
  return { header, records: batch.subarray(batchHeaderBytes) };
}

/** Copies the whole batch: for writers that need one buffer. */
export function stampBatch(batch: Uint8Array, baseOffset: Offset, leaderEpoch: number): Uint8Array {
  assert(batch.length >= batchHeaderBytes, 'a batch has a header', { length: batch.length });
  const copy = new Uint8Array(batch);
  stamp(copy, baseOffset, leaderEpoch);
  return copy;
}

function stamp(header: Uint8Array, baseOffset: Offset, leaderEpoch: number): void {
  assert(baseOffset >= 0, 'an offset is not negative', { baseOffset });
  assert(Number.isInteger(leaderEpoch) && leaderEpoch >= 0 && leaderEpoch <= leaderEpochMax, 'a leader epoch fits 31 bits', {
    leaderEpoch,
  });
  const view = viewOf(header);
  writeInt64(view, 0, baseOffset);
  view.setInt32(12, leaderEpoch);
}
