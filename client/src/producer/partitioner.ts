/**
 * Which partition a record goes to: by the hash of its key, else sticky.
 *
 * The hash is murmur2 with the constants of Kafka's default partitioner, so that producers
 * of both protocols put the same key into the same partition. Sticky fills one batch after
 * the other instead of spreading records thinly over all partitions.
 */
import type { Random } from '../ports/random.ts';

const seed = 0x9747b28c | 0;
const multiplier = 0x5bd1e995;
const shift = 24;

export function murmur2(bytes: Uint8Array): number {
  const { length } = bytes;
  let hash = seed ^ length;
  const whole = length - (length % 4);
  const view = new DataView(bytes.buffer, bytes.byteOffset, length);
  for (let position = 0; position < whole; position += 4) {
    let block = Math.imul(view.getInt32(position, true), multiplier);
    block ^= block >>> shift;
    hash = Math.imul(hash, multiplier) ^ Math.imul(block, multiplier);
  }
  if (whole < length) hash = Math.imul(hash ^ tail(view, whole), multiplier);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, multiplier);
  return hash ^ (hash >>> 15);
}

function tail(view: DataView, start: number): number {
  let block = 0;
  for (let position = view.byteLength - 1; position >= start; position--) block = (block << 8) | view.getUint8(position);
  return block;
}

export function partitionOfKey(key: Uint8Array, partitionCount: number): number {
  return (murmur2(key) & 0x7fffffff) % partitionCount;
}

/** A partition for the next batch of records without key: one with a leader if there is any, preferably another than before. */
export function nextSticky(withLeader: readonly number[], partitionCount: number, previous: number | undefined, random: Random): number {
  const candidates = withLeader.length > 0 ? withLeader : [...Array(partitionCount).keys()];
  const others = candidates.filter((partition) => partition !== previous);
  const pool = others.length > 0 ? others : candidates;
  return pool[random.below(pool.length)] ?? 0;
}
