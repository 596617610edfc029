/** What a power failure takes of the names in a folder: everything since its last sync. */
import { linkSync, readdirSync, writeFileSync } from 'node:fs';
import { nodeDisk } from '@balsa/node/storage/disk/node-disk.ts';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createFaultyDisk, type FaultyDisk } from './faulty-disk.ts';

let it: FaultyDisk;
beforeEach(() => {
  it = createFaultyDisk();
});
afterEach(() => it.clean());

const names = (): readonly string[] => readdirSync(it.folder).toSorted();

async function syncedFiles(...wanted: readonly string[]): Promise<void> {
  for (const name of wanted) {
    const file = await it.create(name, `content of ${name}`);
    await file.datasync();
    await file.close();
  }
  await it.disk.syncFolder(it.folder);
}

test('files created, renamed and removed since the last sync of their folder are as before', async () => {
  await syncedFiles('a', 'b', 'c');
  await it.create('d', 'new');
  await it.disk.rename(it.path('a'), it.path('e'));
  await it.disk.rename(it.path('d'), it.path('b'));
  await it.disk.remove(it.path('c'));
  await it.create('c', 'another one');
  expect(await it.disk.list(it.folder)).toEqual(['b', 'c', 'e']);
  expect(await it.failPower()).toMatchObject({ names: 5 });
  expect(names()).toEqual(['a', 'b', 'c']);
  for (const name of names()) expect(it.onDisk(name)).toBe(`content of ${name}`);
});

test('after a sync of the folder the new names stay, and nothing spare is left', async () => {
  await syncedFiles('a', 'b');
  await it.disk.rename(it.path('a'), it.path('b'));
  await it.create('c', 'unsynced content');
  await it.disk.syncFolder(it.folder);
  expect(names()).toEqual(['b', 'c']);
  expect(await it.failPower()).toMatchObject({ names: 0 });
  expect(it.onDisk('b')).toBe('content of a');
  expect(it.onDisk('c')).toBe('');
});

test('what a rename replaces is there until the rename is done', async () => {
  const held = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const rename = async (from: string, to: string): Promise<void> => {
    begun.resolve();
    await held.promise;
    await nodeDisk.rename(from, to);
  };
  const own = createFaultyDisk(1, { ...nodeDisk, rename });
  for (const name of ['a', 'b']) await own.create(name, `content of ${name}`);
  const renamed = own.disk.rename(own.path('a'), own.path('b'));
  await begun.promise;
  expect(own.onDisk('b')).toBe('content of b');
  held.resolve();
  await renamed;
  expect(own.onDisk('b')).toBe('content of a');
  await own.clean();
});

test('a removed file that is still open comes back with its synced content', async () => {
  await syncedFiles('a');
  const file = await it.disk.openFile(it.path('a'), 'write');
  await file.write(0, [Buffer.from('CONTENT')]);
  await it.disk.remove(it.path('a'));
  await file.write(8, [Buffer.from('OF')]);
  await it.failPower();
  expect(it.onDisk('a')).toBe('content of a');
});

test('a new file that is removed again is gone at once, content and all', async () => {
  await syncedFiles('a');
  const file = await it.create('b.tmp', 'new');
  await it.disk.remove(it.path('b.tmp'));
  expect(names()).toEqual(['a']);
  expect(it.shim.unsynced()).toMatchObject({ names: 0, bytes: 0 });
  await file.write(0, [Buffer.from('still open')]);
  await it.create('b.tmp', 'newer');
  await it.disk.rename(it.path('b.tmp'), it.path('a'));
  await it.disk.remove(it.path('a'));
  await it.failPower();
  expect(names()).toEqual(['a']);
  expect(it.onDisk('a')).toBe('content of a');
});

test('what a failed sync of the folder should have covered is lost, whatever syncs follow', async () => {
  await syncedFiles('a');
  await it.disk.rename(it.path('a'), it.path('b'));
  it.arm({ fault: 'sync-error', times: 1 });
  await expect(it.disk.syncFolder(it.folder)).rejects.toMatchObject({ code: 'EIO' });
  await it.disk.syncFolder(it.folder);
  await it.failPower();
  expect(names()).toEqual(['a']);
});

test('torn: the oldest changes stay, the others go, and nothing spare is left', async () => {
  const seen = new Set<string>();
  for (let seed = 0; seed < 30; seed++) {
    await it.clean();
    it = createFaultyDisk(seed);
    await syncedFiles('a', 'b');
    await it.disk.remove(it.path('a'));
    await it.disk.rename(it.path('b'), it.path('c'));
    await it.create('d');
    await it.failPower(true);
    seen.add(names().join());
  }
  expect(seen).toEqual(new Set(['a,b', 'b', 'c', 'c,d']));
});

test('many changes without a sync of the folder: it is synced early', async () => {
  await syncedFiles('x');
  for (let i = 0; i < 501; i++) {
    await it.disk.rename(it.path('x'), it.path('y'));
    await it.disk.rename(it.path('y'), it.path('x'));
  }
  expect(it.shim.unsynced()).toMatchObject({ names: 1, writeBacks: 1 });
});

test('spare names of a process that was killed go when the next one takes the lock', async () => {
  await syncedFiles('a');
  linkSync(it.path('a'), it.path('a.unsynced-0123456789ab.tmp'));
  writeFileSync(it.path('prepared.tmp'), 'of the owner of the folder');
  const lock = await it.disk.lock(it.path('lock'));
  expect(names()).toEqual(['a', 'lock', 'prepared.tmp']);
  await lock.release();
});

test('a lock that is held keeps the spare names of its holder', async () => {
  const lock = await it.disk.lock(it.path('lock'));
  await syncedFiles('a');
  await it.disk.remove(it.path('a'));
  const before = names();
  await expect(it.disk.lock(it.path('lock'))).rejects.toMatchObject({ code: 'ELOCKED' });
  expect(names()).toEqual(before);
  await lock.release();
});
