/**
 * Where the checksum of a record batch is and what it covers. The core computes no
 * checksums: callers do it natively and compare.
 */
import { assert } from '../assert.ts';
import { batchHeaderBytes } from './batch-header.ts';
import { viewOf } from './bytes.ts';

export interface CrcRegion {
  /** CRC-32C as stored in the header, unsigned. */
  readonly stored: number;
  /** Bytes that it covers; a view into the batch. */
  readonly covered: Uint8Array;
}

/** `batch` must be at least a header long, which `parseBatch` checks. */
export function crcRegion(batch: Uint8Array): CrcRegion {
  assert(batch.length >= batchHeaderBytes, 'a batch has a header', { length: batch.length });
  return { stored: viewOf(batch).getUint32(17), covered: batch.subarray(21) };
}
