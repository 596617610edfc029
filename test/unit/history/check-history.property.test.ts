/** Correct histories of a model pass; whatever is falsified in one of them is found. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkHistory } from '@balsa/chaos/history/check-history.ts';
import { checkVacuity } from '@balsa/chaos/history/vacuity.ts';
import { corruptions, factsOf } from './corruptions.ts';
import type { Command } from './model.ts';
import { commandKinds, nodes, runModel } from './model.ts';

const number = fc.nat({ max: 59 });
const commands = fc.array(fc.tuple(fc.nat({ max: commandKinds - 1 }), number, number), { minLength: 0, maxLength: 250, size: 'max' });

describe('model', () => {
  test('correct histories pass', () => {
    fc.assert(
      fc.property(commands, (list) => {
        const verdict = checkHistory(runModel(list));
        expect(verdict.findings).toEqual([]);
        expect(verdict.outcome).toBe('pass');
        const limits = { okMin: {}, infoShareMax: 1, unplacedShareMax: 1, replicasReadMin: nodes.length };
        expect(checkVacuity(verdict, limits)).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  test('the model does what it is for', () => {
    const sums = { ok: 0, info: 0, fail: 0, recordsRead: 0, unplaced: 0 };
    for (const list of fc.sample(commands, { numRuns: 100, seed: 1 })) {
      const { figures } = checkHistory(runModel(list as Command[]));
      for (const outcome of ['ok', 'info', 'fail'] as const) sums[outcome] += figures.operations.send[outcome];
      sums.recordsRead += figures.recordsRead;
      sums.unplaced += figures.unplaced;
    }
    for (const sum of Object.values(sums)) expect(sum).toBeGreaterThan(100);
  });
});

describe('a falsified history is found', () => {
  test.each(Object.entries(corruptions))('%s', (_, corrupt) => {
    let applied = 0;
    fc.assert(
      fc.property(commands, fc.nat({ max: 1000 }), (list, n) => {
        const facts = factsOf(runModel(list));
        if (!corrupt(facts, n)) return;
        applied += 1;
        expect(checkHistory(facts.events).outcome).toBe('fail');
      }),
      { numRuns: 80 },
    );
    expect(applied).toBeGreaterThan(10);
  });
});
