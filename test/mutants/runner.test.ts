/** The runner itself: what counts as killed, what as survived, and what as neither. */
import { describe, expect, test, vi } from 'vitest';
import { judgeBySimulation } from './by-simulation.ts';
import { mutantOf, mutants } from './catalogue/index.ts';
import { type CheckResult, runCheck } from './checks.ts';
import { judgeMutant, runControl } from './pack.ts';
import { type Check, type Mutant, tests } from './patch.ts';
import { simulationTroubles } from './report.ts';
import { sampleOf } from './sample.ts';
import { moduleCache } from './vite-plugin.ts';

const limits = { limitMs: 60_000 };
const twoHalves: Check = { kind: 'program', args: ['test/mutants/fixture/two-halves.ts'] };

test('a program finds the bug that is planted in it, and none without', async () => {
  expect(await runCheck(twoHalves, undefined, limits)).toEqual({ kind: 'passed' });
  const found = await runCheck(twoHalves, mutantOf('B2'), limits);
  expect(found).toEqual({ kind: 'failed', by: twoHalves.args.join(' '), why: 'seed 7: one half alone decided' });
});

test('a bug in a file that the check never loads is an error, not a survivor', async () => {
  expect(await runCheck(twoHalves, mutantOf('C1'), limits)).toMatchObject({ kind: 'error', message: /not planted/ });
  const otherTests = tests('unit/machines/topic-settings', 'names are sorted');
  expect(await runCheck(otherTests, mutantOf('C1'), limits)).toMatchObject({ kind: 'error', message: /not planted/ });
});

test('a test that fails with the bug in place names itself', async () => {
  const judge = tests('unit/client/judge', 'a gap before the oldest batch');
  expect(await runCheck(judge, mutantOf('C1'), limits)).toMatchObject({ kind: 'failed', by: 'a gap before the oldest batch' });
});

test('neither a patch that does not fit nor a test that is not there kills anything', async () => {
  const gone: Mutant = { ...mutantOf('C1'), checks: [tests('unit/client/judge', 'no such test')] };
  expect((await judgeMutant(gone, limits)).verdict).toMatchObject({ kind: 'error', message: /no test of .* has "no such test"/ });
  const slow = await runCheck(twoHalves, undefined, { limitMs: 1 });
  expect(slow).toMatchObject({ kind: 'error', message: /no result within/ });
});

test('checks run in order until one fails; a mutant that passes all of them has survived', async () => {
  const mutant: Mutant = { ...mutantOf('C1'), checks: [tests('a'), tests('b'), tests('c')] };
  const run = vi.fn<(check: Check) => Promise<CheckResult>>((check) =>
    Promise.resolve(check.kind === 'vitest' && check.file.includes('b.test') ? { kind: 'failed', by: 'b', why: '' } : { kind: 'passed' }),
  );
  expect((await judgeMutant(mutant, { ...limits, run })).verdict).toMatchObject({ kind: 'killed', by: 'b' });
  expect(run).toHaveBeenCalledTimes(2);
  const allPass = (): Promise<CheckResult> => Promise.resolve({ kind: 'passed' });
  expect((await judgeMutant(mutant, { ...limits, run: allPass })).verdict).toEqual({ kind: 'survived' });
});

test('the control runs every test file and program once and says which are red', async () => {
  const seen: string[] = [];
  const run = (check: Check): Promise<CheckResult> =>
    Promise.resolve(check === twoHalves ? { kind: 'failed', by: 'x', why: 'y' } : { kind: 'passed' });
  const [one, two] = [tests('unit/client/judge', 'a gap'), tests('unit/client/judge', 'other refusals')] as const;
  const used: Mutant[] = [
    { ...mutantOf('C1'), checks: [one, twoHalves] },
    { ...mutantOf('C6'), checks: [two] },
  ];
  const failures = await runControl(used, 2, { ...limits, run }, (check) => seen.push(check));
  expect(seen).toEqual(['test/unit/client/judge.test.ts', twoHalves.args.join(' ')]);
  expect(failures).toEqual([{ check: twoHalves.args.join(' '), why: 'x: y' }]);
});

describe('by simulation', () => {
  const asked = mutantOf('B22b');
  const notAsked = mutantOf('C1');

  /** Seeds that fail with the bug, and those that fail anyway. */
  const simulated = async (withBug: readonly number[], without: readonly number[], mutant = asked) => {
    const run = vi.fn<(check: Check, planted?: Mutant) => Promise<CheckResult>>((check, planted) => {
      const args = check.kind === 'program' ? check.args : [];
      const valueOf = (option: string): number => Number(args[args.indexOf(option) + 1]);
      const from = valueOf(args.includes('--seed') ? '--seed' : '--from');
      const end = args.includes('--seed') ? from + 1 : from + valueOf('--seeds');
      const red = (planted === undefined ? without : [...without, ...withBug]).filter((seed) => seed >= from && seed < end);
      const why = `FAILED seed ${Math.min(...red)} after 9.3 virtual s: I-R4 one sequence: of commands`;
      return Promise.resolve(red.length === 0 ? { kind: 'passed' } : { kind: 'failed', by: '', why });
    });
    return { run, result: await judgeBySimulation(mutant, { ...limits, run, seedsMax: 100 }) };
  };

  test('the first seed that fails with the bug only is the one that noticed it', async () => {
    const { run, result } = await simulated([50, 60], [3, 7]);
    expect(result.verdict).toEqual({ kind: 'noticed', seed: 50, rule: 'I-R4 one sequence: of commands' });
    for (const [check] of run.mock.calls) expect(check).toMatchObject({ args: expect.arrayContaining(['--faults', 'disk-damage,power']) });
  });

  test('what fails anyway proves nothing', async () => {
    const { result } = await simulated([101], [3, 100]);
    expect(result.verdict).toEqual({ kind: 'unnoticed' });
    expect(simulationTroubles([result])).toMatch(/B22b must be noticed/);
    expect(simulationTroubles([(await simulated([], [], notAsked)).result])).toBe('');
  });

  test('where nearly everything fails nothing is believed', async () => {
    const reds = Array.from({ length: 30 }, (_, place) => place + 1);
    const { result } = await simulated([50], reds, notAsked);
    expect(result.verdict).toMatchObject({ kind: 'error', message: /20 seeds fail without a mutant/ });
    expect(simulationTroubles([result])).toMatch(/^C1: 20 seeds/);
  });

  test('a real cluster notices that its retries are written twice', async () => {
    const { verdict } = await judgeBySimulation(mutantOf('B24d'), { ...limits, seedsMax: 20 });
    expect(verdict).toMatchObject({ kind: 'noticed', rule: /^history: / });
  });
});

test('a sample depends on its seed alone, and a new mutant moves at most one out', () => {
  const ids = (count: number, seed: string, of = mutants): readonly string[] => sampleOf(of, count, seed).map(({ id }) => id);
  expect(ids(6, 'a')).toEqual(ids(6, 'a', mutants.toReversed()));
  expect(ids(6, 'a')).not.toEqual(ids(6, 'b'));
  const more = [...mutants, { ...mutantOf('B4'), id: 'new' }];
  expect(ids(6, 'a').filter((id) => !ids(6, 'a', more).includes(id)).length).toBeLessThanOrEqual(1);
});

test('with a mutant vitest keeps no transformed modules', () => {
  expect(moduleCache({ BALSA_MUTANT: 'B4' })).toEqual({ fsModuleCache: false });
  expect(moduleCache({})).toEqual({});
});
