/** What a power failure takes of a file: everything since the last sync, or a torn part of it. */
import type { DiskFile } from '@balsa/node/ports/disk.ts';
import { nodeDisk } from '@balsa/node/storage/disk/node-disk.ts';
import { statSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createFaultyDisk, type FaultyDisk } from './faulty-disk.ts';

let it: FaultyDisk;
beforeEach(() => {
  it = createFaultyDisk();
});
afterEach(() => it.clean());

const bytes = (text: string): Uint8Array => Buffer.from(text);

/** A file `a` of which content and name are synced. */
async function syncedFile(content: string, disk = it): Promise<DiskFile> {
  const file = await disk.create('a', content);
  await file.datasync();
  await disk.disk.syncFolder(disk.folder);
  return file;
}

test('changes are undone newest first, sizes included', async () => {
  const file = await syncedFile('abcdefgh');
  await file.write(2, [bytes('XX'), bytes('YY')]);
  await file.write(3, [bytes('ZZZZZZZZZZ')]);
  await file.truncate(4);
  await file.preallocate(600);
  await file.write(590, [bytes('end of it, and more')]);
  expect(it.shim.unsynced()).toMatchObject({ bytes: 33, files: 1, names: 0 });
  expect(await it.failPower()).toEqual({ lostBytes: 33, keptBytes: 0, files: 1, names: 0 });
  expect(it.onDisk('a')).toBe('abcdefgh');
});

test('a sync covers what was written before it, and nothing else', async () => {
  const file = await syncedFile('abcd');
  await file.write(0, [bytes('1')]);
  await file.datasync();
  expect(it.shim.unsynced()).toMatchObject({ bytes: 0, files: 0 });
  await file.write(1, [bytes('2')]);
  expect(await it.failPower()).toMatchObject({ lostBytes: 1 });
  expect(it.onDisk('a')).toBe('1bcd');
});

test('a write that comes while a sync is under way is not covered by it', async () => {
  const held = Promise.withResolvers<void>();
  const syncing = Promise.withResolvers<void>();
  const own = createFaultyDisk(1, {
    ...nodeDisk,
    openFile: async (path, mode) => {
      const file = await nodeDisk.openFile(path, mode);
      return {
        ...file,
        datasync: async () => {
          syncing.resolve();
          await held.promise;
          await file.datasync();
        },
      };
    },
  });
  const file = await own.create('a', 'abcd');
  await own.disk.syncFolder(own.folder);
  const sync = file.datasync();
  await syncing.promise;
  await file.write(0, [bytes('XY')]);
  held.resolve();
  await sync;
  expect(await own.failPower()).toMatchObject({ lostBytes: 2 });
  expect(own.onDisk('a')).toBe('abcd');
  await own.clean();
});

test('what a failed sync should have covered is lost, whatever syncs follow', async () => {
  const file = await syncedFile('abcd');
  await file.write(0, [bytes('1')]);
  it.arm({ fault: 'sync-error', times: 1 });
  await expect(file.datasync()).rejects.toMatchObject({ name: 'DiskError', code: 'EIO' });
  await file.write(1, [bytes('2')]);
  await file.datasync();
  expect(it.onDisk('a')).toBe('12cd');
  await it.failPower();
  expect(it.onDisk('a')).toBe('abcd');
});

test('a sync that lies makes nothing durable; an honest one covers it all', async () => {
  const file = await syncedFile('abcd');
  await file.write(0, [bytes('1')]);
  it.arm({ fault: 'lying-sync', times: 2 });
  await file.datasync();
  expect(it.shim.unsynced()).toMatchObject({ bytes: 1 });
  await file.write(1, [bytes('2')]);
  await file.datasync();
  await file.datasync();
  await file.write(2, [bytes('3')]);
  await it.failPower();
  expect(it.onDisk('a')).toBe('12cd');
});

test('two handles of one file have one memory', async () => {
  await syncedFile('abcd');
  const other = await it.disk.openFile(it.path('a'), 'write');
  await other.write(0, [bytes('12')]);
  expect(it.shim.isUnsyncedAt(it.path('a'), 1)).toBe(true);
  expect(it.shim.isUnsyncedAt(it.path('a'), 2)).toBe(false);
  await it.failPower();
  expect(it.onDisk('a')).toBe('abcd');
});

test('torn as a prefix: the first bytes stay, up to an edge of a sector', async () => {
  const old = 'o'.repeat(4096);
  const seen = new Set<string>();
  for (let seed = 0; seed < 40; seed++) {
    const own = createFaultyDisk(seed);
    const file = await syncedFile(old, own);
    await file.write(100, [bytes('n'.repeat(2000))]);
    const { keptBytes, lostBytes } = await own.failPower('prefix');
    expect(keptBytes + lostBytes).toBe(2000);
    expect(own.onDisk('a')).toBe(`${old.slice(0, 100)}${'n'.repeat(keptBytes)}${old.slice(100 + keptBytes)}`);
    expect(keptBytes === 2000 || keptBytes === 0 || (100 + keptBytes) % 512 === 0).toBe(true);
    seen.add(`${keptBytes}`);
    await own.clean();
  }
  expect(seen.size).toBeGreaterThan(2);
});

test('torn as sectors: each stays or goes on its own', async () => {
  const old = 'o'.repeat(4096);
  const seen = new Set<string>();
  for (let seed = 0; seed < 40; seed++) {
    const own = createFaultyDisk(seed);
    const file = await syncedFile(old, own);
    await file.write(512, [bytes('n'.repeat(2048))]);
    await own.failPower('sectors');
    const text = own.onDisk('a');
    const pattern = Array.from({ length: 8 }, (_, sector) => new Set(text.slice(sector * 512, (sector + 1) * 512)));
    expect(pattern.every(({ size }) => size === 1)).toBe(true);
    seen.add(pattern.map(([letter]) => letter).join(''));
    await own.clean();
  }
  expect(seen.size).toBeGreaterThan(8);
  for (const pattern of seen) expect(pattern).toMatch(/^o[on]{4}ooo$/);
});

test('preallocated space takes no memory; too much of anything else is synced early', async () => {
  const file = await syncedFile('');
  const mib = 1024 * 1024;
  await file.preallocate(80 * mib);
  for (let i = 0; i < 10; i++) await file.write(i * 8 * mib, [new Uint8Array(8 * mib).fill(1)]);
  expect(it.shim.unsynced()).toMatchObject({ bytes: 80 * mib, writeBacks: 0 });
  for (let i = 0; i < 9; i++) await file.write(i * 8 * mib, [new Uint8Array(8 * mib).fill(2)]);
  expect(it.shim.unsynced()).toMatchObject({ bytes: 0, writeBacks: 1 });
  await file.truncate(79 * mib);
  await it.failPower();
  expect(statSync(it.path('a')).size).toBe(80 * mib);
});
