/** A read that fails while its entry is being copied to another segment: the copy fills the hole, and whoever repairs it finds nothing left to do. */
import { asRaftIndex } from '@balsa/node/core/ids.ts';
import { expect, it } from 'vitest';
import { command, key, open, start } from '../journal/journal-fixture.ts';
import { createDiskWorld } from './disk-fixture.ts';

it('an entry that is lost while its copy is under way is whole when somebody wants to repair it', async () => {
  const { disk, clock, settle } = createDiskWorld();
  const { journal } = await settle(open(disk, { cacheBytesMax: 0, now: clock.monotonicMs, after: clock.after }));
  await settle(journal.append([command(2, 1, 1, 'idle')]));
  for (let index = 1; index <= 14; index++) await settle(journal.append([command(1, index, 1, 'x'.repeat(1500))]));
  await settle(journal.append([start(1, 13, 1)]));
  const [entry] = await settle(journal.read(key(2), asRaftIndex(1), asRaftIndex(1), 1000));
  Object.assign(disk.profile, { writeMsMin: 10, writeMsMax: 10 });
  const reclaimed = journal.reclaim(() => Promise.resolve());
  await clock.advance(5);
  disk.profile.readErrorPerMillion = 1_000_000;
  await expect(settle(journal.read(key(2), asRaftIndex(1), asRaftIndex(1), 1000))).rejects.toThrow('cannot be read');
  disk.profile.readErrorPerMillion = 0;
  expect(journal.group(key(2))).toMatchObject({ faulty: { first: 1, last: 1 } });
  expect(await settle(reclaimed)).toBeGreaterThan(0);
  await settle(journal.repair(key(2), entry === undefined ? [] : [entry]));
  expect(journal.group(key(2))?.faulty).toBeUndefined();
  expect(await settle(journal.read(key(2), asRaftIndex(1), asRaftIndex(1), 1000))).toEqual([entry]);
});
