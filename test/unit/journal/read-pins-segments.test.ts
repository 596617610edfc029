/** A read over several segments keeps all of them, also those that it has not come to yet. */
import { asRaftIndex } from '@balsa/node/core/ids.ts';
import type { Disk } from '@balsa/node/ports/disk.ts';
import { createMemoryDisk } from '@balsa/node/storage/disk/memory-disk.ts';
import { expect, it } from 'vitest';
import { command, key, open, start } from './journal-fixture.ts';
import { settle } from './scripted-disk.ts';

it('no segment of a read under way is removed', async () => {
  const disk = createMemoryDisk();
  let held = Promise.resolve();
  const slowReads: Disk = {
    ...disk,
    openFile: async (path, mode) => {
      const file = await disk.openFile(path, mode);
      return { ...file, read: (position, length) => held.then(() => file.read(position, length)) };
    },
  };
  const { journal } = await open(slowReads, { cacheBytesMax: 0 });
  for (let i = 1; i <= 12; i++) await journal.append([command(1, i, 1, Buffer.alloc(1800, i))]);
  let release: () => void = () => undefined;
  held = new Promise((resolve) => {
    release = resolve;
  });
  const reading = journal.read(key(1), asRaftIndex(1), asRaftIndex(12), 1e9);
  await settle();
  await journal.append([start(1, 12, 1)]);
  expect(await journal.reclaim(() => Promise.resolve())).toBe(0);
  release();
  expect((await reading).map(({ index }) => index)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  expect(await journal.reclaim(() => Promise.resolve())).toBeGreaterThan(0);
  await journal.close();
});
