/** The journal over the simulated disk: calm, with failing syncs, without space, and with damage to what was synced. */
import { JournalFull, JournalRefused } from '@balsa/node/storage/journal/vocabulary.ts';
import { describe, expect, it } from 'vitest';
import { damageKinds } from '../../sim/world/disk/disk-fault.ts';
import type { SimDisk } from '../../sim/world/disk/sim-disk.ts';
import { command, createModel, hard, key, type ModelState, open, stateOf } from '../journal/journal-fixture.ts';
import { createDiskWorld, type DiskWorld } from './disk-fixture.ts';

const entryCount = 12;
const frames = Array.from({ length: entryCount }, (_, i) => [
  command(1, i + 1, 1, `<1/${i + 1}>`.padEnd(700, '.')),
  hard(1, 1, 2, i),
  command(2, i + 1, 1, `<2/${i + 1}>`.padEnd(700, ',')),
]);
const model = createModel();
for (const frame of frames.flat()) model.apply(frame);
const undamaged = model.state();

const isSegment = (path: string): boolean => path.endsWith('.segment');
const start = ({ clock }: DiskWorld, disk: SimDisk) => open(disk, { now: clock.monotonicMs, after: clock.after, fullRetryMs: 100 });

describe('journal on a calm disk', () => {
  it('reads back what it appended, before and after a power failure', async () => {
    const world = createDiskWorld();
    const { journal, fatal } = await start(world, world.disk);
    for (const batch of frames) await journal.append(batch);
    await journal.close();
    const again = await start(world, world.disk.powerOff());
    expect(await stateOf(again.journal)).toEqual(undamaged);
    expect(fatal).toEqual([]);
    expect(world.clock.events()).toBe(0);
  });

  it('waits for space, and goes on when there is some', async () => {
    const world = createDiskWorld({ capacityBytes: 5 * 8192, shortWrites: true });
    const { journal, fatal } = await start(world, world.disk);
    let accepted = 0;
    const fill = async (): Promise<void> => {
      for (; accepted < 40; accepted++) await world.settle(journal.append([command(1, accepted + 1, 1, 'x'.repeat(1500))]));
    };
    await expect(fill()).rejects.toBeInstanceOf(JournalFull);
    expect(world.faults.map(({ kind }) => kind)).not.toContain('write-error');
    expect(accepted).toBeGreaterThan(5);
    world.disk.profile.capacityBytes = Number.POSITIVE_INFINITY;
    await world.clock.advance(200);
    await fill();
    expect(fatal).toEqual([]);
    await journal.close();
    const again = await start(world, world.disk.powerOff());
    expect(again.journal.groups()).toMatchObject([{ first: 1, last: 40 }]);
  });
});

it.each(['sync-error', 'write-error'] as const)('%s: the journal reports it, and acknowledges nothing afterwards', async (kind) => {
  const world = createDiskWorld({ syncMsMin: 1, syncMsMax: 1 });
  const opening = start(world, world.disk);
  const { journal, fatal } = await world.settle(opening);
  await world.settle(journal.append(frames[0]!));
  await world.clock.advance(100);
  Object.assign(world.disk.profile, kind === 'sync-error' ? { syncErrorPerMillion: 1_000_000 } : { writeErrorPerMillion: 1_000_000 });
  const acknowledged: number[] = [];
  const append = (i: number): void => void journal.append(frames[i]!).then(() => acknowledged.push(i));
  append(1);
  append(2);
  await world.clock.advance(100);
  Object.assign(world.disk.profile, { syncErrorPerMillion: 0, writeErrorPerMillion: 0 });
  append(3);
  await world.clock.advance(1000);
  expect(acknowledged).toEqual([]);
  expect(fatal).toHaveLength(1);
  expect(fatal[0]).toMatchObject({ name: 'DiskError', code: 'EIO' });
  // The cache shows what never reached the disk: what the next process makes of it has to survive the power.
  const disk = world.disk.kill();
  const second = await world.settle(start(world, disk));
  const seen = await world.settle(stateOf(second.journal));
  const third = await world.settle(start(world, disk.powerOff({ mode: 'lose-all' })));
  expect(await world.settle(stateOf(third.journal))).toEqual(seen);
});

type Outcome = 'refused' | 'faulty' | 'whole';

/** What the journal makes of a damaged disk; throws if it holds anything else than what was acknowledged. */
async function outcomeOf(world: DiskWorld, disk: SimDisk): Promise<Outcome> {
  const opened = await start(world, disk).catch((error: unknown) => {
    if (error instanceof JournalRefused) return undefined;
    throw error;
  });
  if (opened === undefined) return 'refused';
  const { journal } = opened;
  expect(journal.stats().tornTails).toBe(0);
  const faulty = journal.groups().filter((group) => group.faulty !== undefined);
  for (const group of [1, 2]) {
    // Whatever is lost, the journal knows how far each log went.
    expect(journal.groups().find((found) => found.group === key(group).group)).toMatchObject({ last: entryCount });
  }
  if (faulty.length > 0) return 'faulty';
  const state: ModelState = await stateOf(journal);
  expect(state).toEqual(undamaged);
  return 'whole';
}

describe.each(damageKinds)('%s in what was synced', (kind) => {
  it('is found, and never taken for a torn tail', async () => {
    const outcomes = new Map<Outcome, number>();
    for (let seed = 0; seed < 60; seed++) {
      const world = createDiskWorld({}, seed);
      const { journal } = await start(world, world.disk);
      for (const batch of frames) await journal.append(batch);
      await journal.close();
      const disk = seed % 2 === 0 ? world.disk.powerOff() : world.disk.kill();
      expect(disk.damage(kind, isSegment)).toBeDefined();
      const outcome = await outcomeOf(world, disk);
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
    // Most places hold frames; headers and what is behind the last batch can be done without.
    expect((outcomes.get('refused') ?? 0) + (outcomes.get('faulty') ?? 0)).toBeGreaterThan(10);
    if (kind === 'bit-rot') expect(outcomes.get('faulty')).toBeGreaterThan(10);
  });
});
