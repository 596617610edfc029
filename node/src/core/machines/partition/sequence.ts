/**
 * Arithmetic of record sequences: 0..2^31-1, then 0 again.
 */
import { sequenceMax } from '../../records/batch-header.ts';

const modulus = sequenceMax + 1;

/** The sequence `count` records after `sequence`. */
export function sequenceAfter(sequence: number, count: number): number {
  return (sequence + count) % modulus;
}

/** Records from `from` forward to `to`, 0..2^31-1. */
export function sequenceDistance(from: number, to: number): number {
  return (to - from + modulus) % modulus;
}
