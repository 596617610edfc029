/** A process that was killed before the watermark was on disk: the next one reads it from the cache, and must not trust it more than the disk does. */
import { watermarkName } from '@balsa/node/storage/journal/watermark-file.ts';
import { expect, it } from 'vitest';
import { command, folder, open, start } from '../journal/journal-fixture.ts';
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
