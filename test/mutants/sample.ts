/**
 * A sample of mutants that nobody picked: every id gets a rank by a hash of the seed and
 * the id, and the lowest ranks win. The same seed gives the same sample on every machine and day;
 * adding a mutant moves at most one other out.
 */
import { createHash } from 'node:crypto';
import type { Mutant } from './patch.ts';

export function sampleOf(mutants: readonly Mutant[], count: number, seed: string): readonly Mutant[] {
  const rank = ({ id }: Mutant): string => createHash('sha256').update(`${seed}/${id}`).digest('hex');
  const ranked = mutants.map((mutant) => ({ mutant, rank: rank(mutant) })).sort((a, b) => (a.rank < b.rank ? -1 : 1));
  return ranked.slice(0, count).map(({ mutant }) => mutant);
}
