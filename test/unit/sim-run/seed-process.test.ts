/** Runs in processes of their own: what a lost process means for its seed, and that the next seed finds a new one. */
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import type { SeedOutcome } from '../../sim/run/seed-outcome.ts';
import { createSeedProcess, hangsRule, lostRule, type SeedProcess } from '../../sim/run/seed-process.ts';

const program = fileURLToPath(new URL('fixture/odd-process.ts', import.meta.url));
const opened: SeedProcess[] = [];
const open = (limitMs: number): SeedProcess => {
  const seedProcess = createSeedProcess({ limitMs, program });
  opened.push(seedProcess);
  return seedProcess;
};
const ample = 60_000;
const pidOf = (outcome: SeedOutcome): number => (outcome as unknown as { pid: number }).pid;

afterEach(() => {
  for (const { close } of opened.splice(0)) close();
});

describe('a process for seeds', () => {
  it('runs one seed after the other in the same process, and keeps undefined overrides', async () => {
    const { run } = open(ample);
    const first = await run({ seed: 1, overrides: { retentionBytes: undefined } });
    const second = await run({ seed: 1, overrides: {} });
    expect(first.overrides).toEqual({ retentionBytes: undefined });
    expect('retentionBytes' in first.overrides).toBe(true);
    expect(pidOf(second)).toBe(pidOf(first));
  });

  it.each([2, 3])('a run without an end hangs, and its process is gone (seed %i)', async (seed) => {
    const { run } = open(5000);
    const before = pidOf(await run({ seed: 1, overrides: {} }));
    const outcome = await run({ seed, overrides: {} });
    expect(outcome).toMatchObject({ seed, options: undefined, failure: { rule: hangsRule } });
    expect(() => process.kill(before, 0)).toThrow('ESRCH');
    expect(pidOf(await run({ seed: 1, overrides: {} }))).not.toBe(before);
  });

  it('a process that breaks is a failure of its seed, with its last words', async () => {
    const { run } = open(ample);
    const killed = await run({ seed: 4, overrides: {} });
    expect(killed.failure).toEqual({ rule: lostRule, reason: 'signal SIGKILL' });
    const thrown = await run({ seed: 5, overrides: {} });
    expect(thrown.failure?.rule).toBe(lostRule);
    expect(thrown.failure?.reason).toContain('out of luck');
    expect((await run({ seed: 1, overrides: {} })).failure).toBeUndefined();
  });

  it('a run is over when the process is closed', async () => {
    const { run, close } = open(ample);
    await run({ seed: 1, overrides: {} });
    const lost = run({ seed: 2, overrides: {} });
    close();
    expect((await lost).failure?.rule).toBe(lostRule);
  });
});
