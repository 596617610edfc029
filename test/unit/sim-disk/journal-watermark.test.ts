/**
 * The watermark and the power. A process that was killed before the watermark was on disk: the next one
 * reads it from the cache, and must not trust it more than the disk does. Damage that was noticed: the
 * next process must not take it for what a crash tore.
 */
import { asRaftIndex } from '@balsa/node/core/ids.ts';
import { JournalRefused } from '@balsa/node/storage/journal/vocabulary.ts';
import { watermarkName } from '@balsa/node/storage/journal/watermark-file.ts';
import { expect, it } from 'vitest';
import { command, folder, key, open, start } from '../journal/journal-fixture.ts';
import { createDiskWorld, type DiskWorld } from './disk-fixture.ts';

const seeds = Array.from({ length: 30 }, (_, seed) => seed);
/** Slots from here on are written with a sync, by reclaim. */
const syncedSlotsAt = 2 * 4096;

/** The watermark that reclaim writes is in the cache, and not yet on the disk. */
function isSaving({ disk }: DiskWorld): boolean {
  return disk.pending().some((fragment) => {
    if (fragment.kind !== 'data' || fragment.path !== `${folder}/${watermarkName}`) return false;
    return fragment.operation.op === 'write' && fragment.operation.position >= syncedSlotsAt;
  });
}

it('removes no segment before the watermark that calls it garbage is on disk', async () => {
  let removals = 0;
  for (const seed of seeds) {
    const world = createDiskWorld({}, seed);
    const { clock, settle } = world;
    const timing = { now: clock.monotonicMs, after: clock.after };
    const { journal } = await open(world.disk, timing);
    for (let index = 1; index <= 14; index++) await journal.append([command(1, index, 1, 'x'.repeat(1500))]);
    await journal.append([start(1, 13, 1)]);
    Object.assign(world.disk.profile, { syncMsMin: 10, syncMsMax: 10, writeMsMin: 1, writeMsMax: 1 });
    void journal.reclaim(() => Promise.resolve());
    await clock.until('the watermark is written', () => isSaving(world), 1000);
    const second = world.disk.kill();
    const before = (await settle(second.list(folder))).length;
    void open(second, timing);
    // The power fails somewhere in the second recovery.
    await clock.advance(seed * 2);
    if ((await settle(second.list(folder))).length < before) removals++;
    const third = await settle(open(second.powerOff({ mode: 'reordered' }), timing));
    expect(third.journal.groups()).toMatchObject([{ snapshot: { index: 13 }, last: 14 }]);
    await settle(third.journal.close());
  }
  expect(removals).toBeGreaterThan(0);
});

const codeOf = (error: unknown): string => (error instanceof JournalRefused ? error.code : String(error));

/** A journal of one segment whose newest entry was rolled back on the disk, so that its end looks as if a crash had torn it. */
async function rolledBack(seed: number) {
  const world = createDiskWorld({}, seed);
  const { clock, settle, disk } = world;
  const timing = { now: clock.monotonicMs, after: clock.after, cacheBytesMax: 0 };
  const { journal } = await settle(open(disk, timing));
  for (let index = 1; index <= 3; index++) await settle(journal.append([command(1, index, 1, 'x'.repeat(700))]));
  const damage = disk.damage('stale-page', (path) => path.endsWith('.segment'));
  return { ...world, timing, journal, damage };
}

it('damage that was noticed is no torn tail after a power failure', async () => {
  let noticed = 0;
  for (const seed of seeds) {
    const { disk, settle, clock, timing, journal, damage } = await rolledBack(seed);
    expect(damage).toBeDefined();
    const failed = await settle(
      journal
        .verify(key(1), asRaftIndex(1), asRaftIndex(3), 1_000_000)
        .then(() => false)
        .catch(() => true),
    );
    if (!failed) continue;
    noticed++;
    await clock.advance(100);
    // What was lost can be named (and is a hole), or it cannot; it is never just gone.
    const second = await settle(open(disk.powerOff({ mode: 'lose-all' }), timing).catch(codeOf));
    if (typeof second === 'string') expect(second).toBe('DATA_CORRUPT');
    else expect(second.journal.groups()).toMatchObject([{ last: 3, faulty: { last: 3 } }]);
  }
  expect(noticed).toBeGreaterThan(seeds.length / 3);
});
