/** Scenarios that are made, not written: the fault matrix and random mixes. */
import { catalogue } from '@balsa/chaos/nemesis/catalogue.ts';
import { checkScenario } from '@balsa/chaos/scenario/check-scenario.ts';
import { readScenario, scenarioText } from '@balsa/chaos/scenario/load-scenario.ts';
import { matrix } from '@balsa/chaos/scenario/matrix.ts';
import { randomScenario } from '@balsa/chaos/scenario/random-scenario.ts';
import type { Step } from '@balsa/chaos/scenario/step.ts';
import { describe, expect, test } from 'vitest';

const strikesOf = (steps: readonly Step[]): readonly string[] =>
  steps.flatMap((step) => ('together' in step ? strikesOf(step.together) : 'strike' in step ? [step.strike] : []));

describe('the matrix', () => {
  const cells = matrix();

  test('every fault of the catalogue is in it', () => {
    const used = new Set(cells.flatMap(({ scenario, row }) => (scenario === undefined ? [row] : strikesOf(scenario.steps))));
    expect([...catalogue.keys()].filter((name) => !used.has(name))).toEqual([]);
  });

  test('every cell is a sound scenario, or says why there is none', () => {
    for (const { row, target, scenario, skipped } of cells) {
      const cell = `${row} at ${target}`;
      expect((scenario === undefined) !== (skipped === undefined), cell).toBe(true);
      if (scenario !== undefined) expect(checkScenario(scenario), cell).toEqual({ scenario });
      else expect(skipped!.length, cell).toBeGreaterThan(10);
    }
  });

  test('rows differ, and have all targets', () => {
    const names = cells.map(({ row, target }) => `${row} ${target}`);
    expect(new Set(names).size).toBe(names.length);
    expect(names.length % 5).toBe(0);
    expect(cells.filter(({ scenario }) => scenario !== undefined).length).toBeGreaterThan(150);
  });

  test('minorities and majorities are more than one node', () => {
    for (const { target, scenario } of cells)
      if (scenario !== undefined && (target === 'minority' || target === 'majority')) expect(scenario.cluster.nodes).toBe(5);
  });
});

describe('random mixes', () => {
  const seeds = Array.from({ length: 300 }, (_, i) => i + 1);

  test('are sound scenarios that can be written down', () => {
    for (const seed of seeds) {
      const scenario = randomScenario({ minutes: 3, seed });
      expect(checkScenario(scenario), `seed ${seed}`).toEqual({ scenario });
      expect(strikesOf(scenario.steps).length, `seed ${seed}`).toBeGreaterThan(0);
    }
    const scenario = randomScenario({ minutes: 3, seed: 77 });
    expect(readScenario(scenarioText(scenario), 'text')).toEqual(scenario);
  });

  test('the same seed is the same scenario, another one another', () => {
    expect(randomScenario({ minutes: 10, seed: 5 })).toEqual(randomScenario({ minutes: 10, seed: 5 }));
    expect(randomScenario({ minutes: 10, seed: 5 }).steps).not.toEqual(randomScenario({ minutes: 10, seed: 6 }).steps);
  });

  test('last about as long as asked for, also for a day', () => {
    for (const minutes of [1, 5, 60, 24 * 60]) {
      const { steps, repeats } = randomScenario({ minutes, seed: 3 });
      const plannedMs = steps.reduce((sum, step) => sum + durationMs(step), 0) * repeats;
      expect(plannedMs / 60_000).toBeGreaterThan(minutes * 0.7);
      expect(plannedMs / 60_000).toBeLessThan(minutes * 1.3 + 1);
    }
  });

  test('many families and quiet times occur, and swarms are small and large', () => {
    const all = seeds.map((seed) => randomScenario({ minutes: 4, seed }));
    const used = new Set(all.flatMap(({ steps }) => strikesOf(steps)));
    expect(used.size).toBeGreaterThan(25);
    const kinds = all.map(({ steps }) => new Set(strikesOf(steps)).size);
    expect(Math.min(...kinds)).toBeLessThan(5);
    expect(Math.max(...kinds)).toBeGreaterThan(12);
    const quiet = all.flatMap(({ steps }) => steps).filter((step) => 'wait' in step).length;
    const periods = all.flatMap(({ steps }) => steps).filter((step) => !('awaitCalm' in step)).length;
    expect(quiet / periods).toBeGreaterThan(0.2);
    expect(quiet / periods).toBeLessThan(0.3);
  });
});

function durationMs(step: Step): number {
  if ('wait' in step) return step.wait;
  if ('strike' in step) return step.forMs;
  return 'together' in step ? Math.max(...step.together.map(durationMs)) : 0;
}
