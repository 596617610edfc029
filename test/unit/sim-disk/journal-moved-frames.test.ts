/** An entry that is replaced while reclaim moves its predecessor forward. */
import { asRaftIndex } from '@balsa/node/core/ids.ts';
import { expect, it } from 'vitest';
import { command, key, open, start } from '../journal/journal-fixture.ts';
import { createDiskWorld } from './disk-fixture.ts';

const syncMs = 10;

it('keeps the entry that was appended while the one it replaces was moved', async () => {
  const world = createDiskWorld();
  const { disk, clock, settle } = world;
  const { journal } = await open(disk, { now: clock.monotonicMs, after: clock.after });
  await journal.append([command(2, 1, 1, 'old')]);
  for (let index = 1; index <= 14; index++) await journal.append([command(1, index, 1, 'x'.repeat(1500))]);
  await journal.append([start(1, 13, 1)]);
  world.disk.profile.syncMsMin = world.disk.profile.syncMsMax = syncMs;
  const reclaimed = journal.reclaim(() => Promise.resolve());
  // The moved frame is on its way to the disk when its entry is cut.
  await clock.advance(syncMs / 2);
  const replaced = journal.append([command(2, 1, 2, 'new')]);
  await settle(Promise.all([reclaimed, replaced]));
  const first = asRaftIndex(1);
  expect(journal.facts(key(2), first, first)).toMatchObject([{ term: 2 }]);
  for (let index = 15; index <= 30; index++) await settle(journal.append([command(1, index, 1, 'x'.repeat(1500))]));
  await settle(journal.append([start(1, 29, 1)]));
  await settle(journal.reclaim(() => Promise.resolve()));
  await settle(journal.close());
  const again = await settle(open(disk.powerOff(), { now: clock.monotonicMs }));
  const [entry] = await settle(again.journal.read(key(2), first, first, 1000));
  expect(entry).toMatchObject({ term: 2, payload: new Uint8Array(Buffer.from('new')) });
});
