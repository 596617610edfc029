/**
 * Chance as data: a small generator (mulberry32) whose whole state is one 32-bit
 * number in the Raft state, so that a run can be repeated from its seed. Good enough
 * to keep election time-outs apart, and for nothing else.
 */
export interface RandomState {
  word: number;
}

/** Nodes of a group may share a seed: the node id takes part. */
export const createRandom = (seed: number, node: number): RandomState => ({
  word: (Math.imul(seed, 0x9e37_79b1) ^ Math.imul(node, 0x85eb_ca6b)) >>> 0,
});

/** A whole number from `min` to `max`, both inclusive. */
export function drawBetween(random: RandomState, min: number, max: number): number {
  random.word = (random.word + 0x6d2b_79f5) >>> 0;
  let mixed = random.word;
  mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
  return min + (((mixed ^ (mixed >>> 14)) >>> 0) % (max - min + 1));
}
