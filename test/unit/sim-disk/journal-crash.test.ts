/**
 * The journal over the simulated disk: killed and powered off at random moments of virtual time,
 * again and again, with and without errors of the disk. After each start it holds a prefix of
 * what was appended, everything acknowledged included, and what it once held stays.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createDiskWorld } from './disk-fixture.ts';
import { beginLives, live, type Seen } from './journal-lives.ts';

const timing = { writeMsMax: 0.5, syncMsMin: 0.5, syncMsMax: 8, readMsMax: 0.2, stallPerMille: 3, stallMs: 60 };
const livesPerRun = 6;
const numRuns = 30;

async function runLives(seed: number, errors: object): Promise<Seen> {
  const lives = beginLives(createDiskWorld({ ...timing, ...errors }, seed), seed);
  for (let i = 0; i < livesPerRun; i++) await live(lives);
  return lives.seen;
}

const sum = (all: readonly Seen[], name: keyof Seen): number => all.reduce((total, seen) => total + seen[name], 0);

it('loses nothing acknowledged and invents nothing, whenever the power fails', async () => {
  const all: Seen[] = [];
  await fc.assert(
    fc.asyncProperty(fc.integer(), async (seed) => {
      const seen = await runLives(seed, {});
      expect(seen.fatal).toBe(0);
      all.push(seen);
    }),
    { numRuns },
  );
  for (const name of ['opened', 'cutShort', 'lost', 'surplus', 'rolled', 'removed'] as const) {
    expect({ [name]: sum(all, name) }).not.toEqual({ [name]: 0 });
  }
});

it('keeps the same promise when writes and syncs fail', async () => {
  const all: Seen[] = [];
  const errors = { syncErrorPerMillion: 20_000, writeErrorPerMillion: 4000, shortWrites: true };
  await fc.assert(
    fc.asyncProperty(fc.integer(), async (seed) => {
      all.push(await runLives(seed, errors));
    }),
    { numRuns },
  );
  for (const name of ['opened', 'fatal', 'failedOpens', 'lost', 'surplus'] as const) {
    expect({ [name]: sum(all, name) }).not.toEqual({ [name]: 0 });
  }
});
