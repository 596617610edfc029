/**
 * A few mutants in every run of the tests; `make mutants` runs all of them.
 *
 * Nobody picks them: they are the lowest ranks by hash of the seed below, among those whose
 * first check is no property test (these take longer). Change the seed now and then,
 * never because a mutant survives.
 */
import { expect, test } from 'vitest';
import { mutants } from './catalogue/index.ts';
import { eachOf, judgeMutant } from './pack.ts';
import { sampleOf } from './sample.ts';

const seed = 'balsa-1';
const count = 6;

const isCheap = (check: (typeof mutants)[number]['checks'][0]): boolean => check.kind === 'vitest' && !check.file.includes('/property/');
const sample = sampleOf(
  mutants.filter(({ checks: [first] }) => isCheap(first)),
  count,
  seed,
);

test(`the tests notice ${sample.map(({ id }) => id).join(', ')}`, async () => {
  const notKilled: unknown[] = [];
  await eachOf(sample, 2, async (mutant) => {
    const { verdict } = await judgeMutant(mutant, { limitMs: 60_000 });
    if (verdict.kind !== 'killed') notKilled.push({ id: mutant.id, title: mutant.title, ...verdict });
  });
  expect(notKilled).toEqual([]);
});
