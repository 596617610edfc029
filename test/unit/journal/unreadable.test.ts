/** What the device does not give back is lost like what is damaged: one entry, by name, until it comes from a peer. */
import { asRaftIndex } from '@balsa/node/core/ids.ts';
import { DiskError } from '@balsa/node/ports/disk.ts';
import { createMemoryDisk } from '@balsa/node/storage/disk/memory-disk.ts';
import { type Frame, JournalCorrupt } from '@balsa/node/storage/journal/vocabulary.ts';
import { expect, it } from 'vitest';
import { createBadSectors } from './bad-sectors.ts';
import { command, folder, key, open, start, stateOf } from './journal-fixture.ts';

const entryCount = 12;
const all = [key(1), asRaftIndex(1), asRaftIndex(entryCount), Number.POSITIVE_INFINITY] as const;
const textOf = (index: number): string => `<entry ${index}>`;

const framesOf = (index: number): readonly Frame[] => [command(1, index, 1, textOf(index)), command(2, index, 1, `other ${index}`)];

/** A journal that has just been opened, so that no entry is in memory, on a disk with sectors that can go bad. */
async function written() {
  const sectors = createBadSectors();
  const disk = createMemoryDisk({ onOperation: sectors.onOperation });
  const { journal: writer } = await open(disk);
  for (let index = 1; index <= entryCount; index++) await writer.append(framesOf(index));
  await writer.close();
  const { journal, events } = await open(disk);
  return { journal, events, disk, sectors };
}

it('an entry that gives EIO is lost, with the cause, and its neighbours are not', async () => {
  const { journal, events, disk, sectors } = await written();
  await sectors.strike(disk, folder, textOf(5));
  await sectors.strike(disk, folder, textOf(9));
  const error = await journal.read(...all).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(JournalCorrupt);
  expect(error).toMatchObject({ message: expect.stringContaining('entry 5 of group 1'), cause: expect.any(DiskError) });
  expect(events).toContainEqual(expect.objectContaining({ type: 'corrupt', detail: 'entry 5 of group 1' }));
  expect(events).toContainEqual(expect.objectContaining({ type: 'corrupt', detail: 'entry 9 of group 1' }));
  expect(journal.stats().corruptFrames).toBe(2);
  expect(journal.group(key(1))).toMatchObject({ faulty: { first: 5, last: 9 } });
  const between = await journal.read(key(1), asRaftIndex(6), asRaftIndex(8), Number.POSITIVE_INFINITY);
  expect(between.map(({ index }) => index)).toEqual([6, 7, 8]);
  await journal.close();
});

it('a check of entries finds it too', async () => {
  const { journal, disk, sectors } = await written();
  await sectors.strike(disk, folder, textOf(5));
  await expect(journal.verify(...all)).rejects.toBeInstanceOf(JournalCorrupt);
  expect(journal.group(key(1))).toMatchObject({ faulty: { first: 5, last: 5 } });
  await journal.close();
});

it('a segment that somebody has removed is lost like what cannot be read, and is not missed when it is garbage', async () => {
  const { journal, disk } = await written();
  const [first = ''] = (await disk.list(folder)).filter((name) => name.endsWith('.segment'));
  await disk.remove(`${folder}/${first}`);
  await expect(journal.read(...all)).rejects.toBeInstanceOf(JournalCorrupt);
  expect(journal.group(key(1))).toMatchObject({ faulty: { first: 1 } });
  for (const group of [1, 2]) await journal.append([start(group, entryCount, 1)]);
  expect(await journal.reclaim(() => Promise.resolve())).toBeGreaterThan(0);
  await journal.close();
  const again = await open(disk);
  expect(again.journal.groups()).toMatchObject([1, 2].map((group) => ({ group, last: entryCount })));
  await again.journal.close();
});

it('what lies between the entries of a group may be unreadable', async () => {
  const { journal, disk, sectors } = await written();
  await sectors.strike(disk, folder, 'other 2');
  expect(await journal.read(...all)).toHaveLength(entryCount);
  expect(sectors.failed).toBeGreaterThan(0);
  expect(journal.group(key(1))?.faulty).toBeUndefined();
  await journal.close();
});

it('what a peer gives back counts, now and at the next start, also when the old place is readable again', async () => {
  const { journal, disk, sectors } = await written();
  const before = await stateOf(journal);
  await sectors.strike(disk, folder, textOf(5));
  await expect(journal.read(...all)).rejects.toBeInstanceOf(JournalCorrupt);
  const lost = command(1, 5, 1, textOf(5));
  await journal.repair(key(1), lost.kind === 'entry' ? [lost.entry] : []);
  expect(journal.group(key(1))?.faulty).toBeUndefined();
  expect(await journal.read(...all)).toHaveLength(entryCount);
  await journal.close();
  sectors.heal();
  const next = await open(disk);
  expect(await stateOf(next.journal)).toEqual(before);
  expect(next.journal.stats().corruptFrames).toBe(0);
  await next.journal.close();
});

it('nothing is lost if the next start can read it', async () => {
  const { journal, disk, sectors } = await written();
  await sectors.strike(disk, folder, textOf(5));
  await expect(journal.read(...all)).rejects.toBeInstanceOf(JournalCorrupt);
  await journal.close();
  sectors.heal();
  const next = await open(disk);
  expect(next.journal.group(key(1))?.faulty).toBeUndefined();
  expect(await next.journal.read(...all)).toHaveLength(entryCount);
  await next.journal.close();
});

it('another error of the disk says nothing about the data', async () => {
  const { journal, disk, sectors } = await written();
  await sectors.strike(disk, folder, textOf(5));
  sectors.code = 'EMFILE';
  await expect(journal.read(...all)).rejects.toMatchObject({ name: 'DiskError', code: 'EMFILE' });
  expect(journal.group(key(1))?.faulty).toBeUndefined();
  sectors.heal();
  expect(await journal.read(...all)).toHaveLength(entryCount);
  await journal.close();
});
