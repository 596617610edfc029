/** One seed, many streams: each part of a run draws from its own, so that one more draw in one changes nothing in another. */
import { createHash } from 'node:crypto';

/** A whole number of 32 bits that `seed` and `name` determine. */
export function seedOf(seed: number, name: string): number {
  return createHash('sha256').update(`${seed} ${name}`).digest().readUInt32LE(0);
}
