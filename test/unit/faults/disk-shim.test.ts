/** Errors, delays and lack of space as they were asked for; and the order of a power failure. */
import type { DiskFile } from '@balsa/node/ports/disk.ts';
import { nodeDisk } from '@balsa/node/storage/disk/node-disk.ts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createFaultyDisk, type FaultyDisk, isPending } from './faulty-disk.ts';

let it: FaultyDisk;
beforeEach(() => {
  it = createFaultyDisk();
});
afterEach(() => it.clean());

const bytes = (text: string): Uint8Array => Buffer.from(text);
const withCode = (code: string) => expect.objectContaining({ name: 'DiskError', code });

describe('errors', () => {
  test('reads, writes and syncs fail with the code that was asked for, then heal', async () => {
    const file = await it.create('a', 'abcd');
    it.arm({ fault: 'read-error', times: 1 });
    it.arm({ fault: 'write-error', code: 'EROFS', times: 2 });
    it.arm({ fault: 'sync-error', times: 2 });
    await expect(file.read(0, 1)).rejects.toEqual(withCode('EIO'));
    await expect(file.write(0, [bytes('x')])).rejects.toEqual(withCode('EROFS'));
    await expect(file.truncate(0)).rejects.toEqual(withCode('EROFS'));
    await expect(file.datasync()).rejects.toEqual(withCode('EIO'));
    await expect(it.disk.syncFolder(it.folder)).rejects.toEqual(withCode('EIO'));
    expect(it.board.active.size).toBe(0);
    await file.write(4, [bytes('e')]);
    expect(Buffer.from(await file.read(0, 9)).toString()).toBe('abcde');
  });

  test('a short write does a part of it, less than all', async () => {
    const file = await it.create('a');
    it.arm({ fault: 'short-write', times: 1 });
    await expect(file.write(0, [bytes('abcd'), bytes('efgh')])).rejects.toEqual(withCode('ENOSPC'));
    const done = await file.size();
    expect(done).toBeLessThan(8);
    expect(it.onDisk('a')).toBe('abcdefgh'.slice(0, done));
  });

  test('only files that were named are struck', async () => {
    const [file, other] = [await it.create('a.segment'), await it.create('watermark')];
    it.arm({ fault: 'write-error', files: '.segment' });
    await other.write(0, [bytes('x')]);
    await expect(file.write(0, [bytes('x')])).rejects.toEqual(withCode('EIO'));
  });
});

describe('a full disk', () => {
  test('files grow by what is there, and overwriting goes on', async () => {
    const file = await it.create('a', 'abcd');
    it.arm({ fault: 'disk-full', bytes: 3 });
    expect(await it.disk.freeBytes(it.folder)).toBe(3);
    await file.write(2, [bytes('CDE')]);
    await expect(file.write(5, [bytes('FGHI')])).rejects.toEqual(withCode('ENOSPC'));
    expect(it.onDisk('a')).toBe('abCDEFG');
    await expect(file.preallocate(8)).rejects.toEqual(withCode('ENOSPC'));
    await file.write(0, [bytes('AB')]);
    expect(it.onDisk('a')).toBe('ABCDEFG');
    expect(it.board.struck.get('disk-full')).toBe(2);
  });

  test('removing gives room, and so does the end of the fault', async () => {
    const [file] = [await it.create('a'), await it.create('b', '123')];
    it.arm({ fault: 'disk-full', ttlMs: 1000 });
    await it.disk.remove(it.path('b'));
    await expect(file.write(0, [bytes('abcde')])).rejects.toEqual(withCode('ENOSPC'));
    expect(await file.size()).toBe(3);
    it.clock.advance(1000);
    await file.write(0, [bytes('abcde')]);
    expect(await it.disk.freeBytes(it.folder)).toBeGreaterThan(1024);
  });
});

describe('a slow disk', () => {
  test('delays the operations that were named', async () => {
    const file = await it.create('a', 'abcd');
    it.arm({ fault: 'slow-disk', operations: ['datasync'], delayMs: [200, 300] });
    await file.write(0, [bytes('x')]);
    const sync = file.datasync();
    it.clock.advance(199);
    expect(await isPending(sync)).toBe(true);
    it.clock.advance(101);
    await sync;
    expect(it.board.struck.get('slow-disk')).toBe(1);
  });

  test('a stall lasts until it heals', async () => {
    const file = await it.create('a', 'abcd');
    it.arm({ fault: 'stall', operations: ['write'], ttlMs: 5000 });
    const write = file.write(0, [bytes('x')]);
    it.clock.advance(4999);
    expect(await isPending(write)).toBe(true);
    expect(it.onDisk('a')).toBe('abcd');
    it.clock.advance(1);
    await write;
    expect(it.onDisk('a')).toBe('xbcd');
  });
});

test('changes of one file reach the disk one after the other, in the order of the calls', async () => {
  const calls: string[] = [];
  const noting = (file: DiskFile): DiskFile => ({
    ...file,
    write: async (position, parts) => {
      calls.push(`write ${position}`);
      await file.write(position, parts);
      calls.push(`written ${position}`);
    },
    truncate: async (size) => {
      calls.push(`truncate ${size}`);
      await file.truncate(size);
      calls.push(`truncated ${size}`);
    },
  });
  await it.clean();
  it = createFaultyDisk(1, { ...nodeDisk, openFile: async (path, mode) => noting(await nodeDisk.openFile(path, mode)) });
  const file = await it.create('a');
  await Promise.all([file.write(0, [bytes('abcd')]), file.truncate(2), file.write(1, [bytes('xyz')])]);
  expect(calls).toEqual(['write 0', 'written 0', 'truncate 2', 'truncated 2', 'write 1', 'written 1']);
  expect(it.onDisk('a')).toBe('axyz');
});

describe('failpoints of files', () => {
  const passed = () => Object.keys(it.points.passed());

  test('a segment is written, synced, named and removed', async () => {
    const file = await it.create('1.segment.tmp', 'prepared');
    await it.disk.rename(it.path('1.segment.tmp'), it.path('1.segment'));
    expect(passed()).toEqual(['segment.before-naming', 'segment.after-naming']);
    await file.write(0, [bytes('x')]);
    await file.datasync();
    await it.disk.remove(it.path('1.segment'));
    expect(passed().slice(2)).toEqual([
      'journal.before-write',
      'journal.after-write',
      'journal.before-sync',
      'journal.after-sync',
      'segment.before-removal',
      'segment.after-removal',
    ]);
  });

  test('before: nothing was done; after: it was done and is not answered', async () => {
    const file = await it.create('1.segment', 'abcd');
    it.arm({ fault: 'failpoint', point: 'journal.before-write', action: 'panic', hit: 1 });
    expect(await isPending(file.write(0, [bytes('x')]))).toBe(true);
    expect(it.onDisk('1.segment')).toBe('abcd');
    it.arm({ fault: 'failpoint', point: 'journal.after-write', action: 'power-loss' });
    const written = file.write(0, [bytes('x')]);
    await expect.poll(() => it.ends.length).toBe(2);
    expect(it.onDisk('1.segment')).toBe('xbcd');
    expect(await isPending(written)).toBe(true);
  });

  test('what failed has no point behind it', async () => {
    const file = await it.create('1.segment');
    it.arm({ fault: 'write-error', times: 1 });
    await expect(file.write(0, [bytes('x')])).rejects.toEqual(withCode('EIO'));
    expect(passed()).not.toContain('journal.after-write');
  });
});

describe('once the power is off', () => {
  test('nothing begins, and nothing is answered', async () => {
    const file = await it.create('a', 'abcd');
    await file.datasync();
    await it.disk.syncFolder(it.folder);
    await it.power.switchOff(1);
    const works = [
      file.write(0, [bytes('x')]),
      file.read(0, 1),
      file.size(),
      file.datasync(),
      file.truncate(0),
      it.disk.openFile(it.path('b'), 'create'),
      it.disk.remove(it.path('a')),
      it.disk.rename(it.path('a'), it.path('b')),
      it.disk.syncFolder(it.folder),
      it.disk.list(it.folder),
      it.disk.freeBytes(it.folder),
    ];
    expect(await isPending(Promise.race(works))).toBe(true);
    expect(it.shim.rollBack(false)).toEqual({ lostBytes: 0, keptBytes: 0, files: 0, names: 0 });
    expect(it.onDisk('a')).toBe('abcd');
  });

  test('what was under way is done first, is not answered, and is taken back', async () => {
    const held = Promise.withResolvers<void>();
    const started = Promise.withResolvers<void>();
    const slowFile = (file: DiskFile): DiskFile => ({
      ...file,
      write: async (position, parts) => {
        started.resolve();
        await held.promise;
        await file.write(position, parts);
      },
    });
    await it.clean();
    it = createFaultyDisk(1, { ...nodeDisk, openFile: async (path, mode) => slowFile(await nodeDisk.openFile(path, mode)) });
    const file = await it.create('a');
    await it.disk.syncFolder(it.folder);
    const write = file.write(0, [bytes('abcd')]);
    await started.promise;
    const off = it.power.switchOff(1_000);
    expect(await isPending(off)).toBe(true);
    held.resolve();
    await off;
    expect(it.onDisk('a')).toBe('abcd');
    expect(it.shim.rollBack(false)).toMatchObject({ lostBytes: 4 });
    expect(it.onDisk('a')).toBe('');
    expect(await isPending(write)).toBe(true);
  });

  test('a disk that never answers is not waited for without a limit', async () => {
    const started = Promise.withResolvers<void>();
    const stuck = (file: DiskFile): DiskFile => ({
      ...file,
      write: () => {
        started.resolve();
        return new Promise(() => undefined);
      },
    });
    await it.clean();
    it = createFaultyDisk(1, { ...nodeDisk, openFile: async (path, mode) => stuck(await nodeDisk.openFile(path, mode)) });
    const file = await it.create('a');
    void file.write(0, [bytes('abcd')]);
    await started.promise;
    const off = it.power.switchOff(1_000);
    expect(await isPending(off)).toBe(true);
    it.clock.advance(1_000);
    await off;
  });
});
