/** One suite for all disks: what the journal relies on (node/src/ports/disk.ts). */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Disk } from '@balsa/node/ports/disk.ts';
import { createMemoryDisk } from '@balsa/node/storage/disk/memory-disk.ts';
import { nodeDisk } from '@balsa/node/storage/disk/node-disk.ts';
import { createFaultyDisk } from '../unit/faults/faulty-disk.ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const bytes = (text: string): Uint8Array => Buffer.from(text);
const textOf = (found: Uint8Array): string => Buffer.from(found).toString();
const withCode = (code: string) => expect.objectContaining({ name: 'DiskError', code });

interface Subject {
  readonly disk: Disk;
  readonly folder: string;
  readonly clean: () => Promise<void>;
}

const subjects: Record<string, () => Promise<Subject>> = {
  memory: async () => {
    const disk = createMemoryDisk();
    await disk.makeFolder('/data');
    return { disk, folder: '/data', clean: async () => undefined };
  },
  node: async () => {
    const folder = await mkdtemp(join(tmpdir(), 'balsa-disk-'));
    return { disk: nodeDisk, folder, clean: () => rm(folder, { recursive: true }) };
  },
  'unsafe-faults': async () => createFaultyDisk(),
};

describe.each(Object.keys(subjects))('%s disk', (name) => {
  let subject: Subject;
  beforeEach(async () => {
    subject = await subjects[name]!();
  });
  afterEach(() => subject.clean());

  it('writes parts one after the other and reads them back', async () => {
    const file = await subject.disk.openFile(`${subject.folder}/a`, 'create');
    await file.write(3, [bytes('one'), bytes(''), bytes('two'), bytes('three')]);
    await file.datasync();
    expect(await file.size()).toBe(14);
    expect(textOf(await file.read(0, 14))).toBe('\0\0\0onetwothree');
    expect(textOf(await file.read(6, 3))).toBe('two');
    await file.close();
  });

  it('writes more parts than one system call takes', async () => {
    const file = await subject.disk.openFile(`${subject.folder}/a`, 'create');
    const parts = Array.from({ length: 3000 }, (_, i) => Uint8Array.of(i % 251));
    await file.write(0, parts);
    expect(Buffer.concat(parts).equals(await file.read(0, 3000))).toBe(true);
    await file.close();
  });

  it('reads less only at the end of the file', async () => {
    const file = await subject.disk.openFile(`${subject.folder}/a`, 'create');
    await file.write(0, [bytes('abc')]);
    expect(textOf(await file.read(1, 10))).toBe('bc');
    expect((await file.read(3, 10)).length).toBe(0);
    expect((await file.read(9, 10)).length).toBe(0);
    await file.close();
  });

  it('gives the caller bytes of its own', async () => {
    const file = await subject.disk.openFile(`${subject.folder}/a`, 'create');
    const written = bytes('abc');
    await file.write(0, [written]);
    written[0] = 0;
    const read = await file.read(0, 3);
    read[1] = 0;
    expect(textOf(await file.read(0, 3))).toBe('abc');
    await file.close();
  });

  it('preallocates zeros without touching what is there, and truncates', async () => {
    const file = await subject.disk.openFile(`${subject.folder}/a`, 'create');
    await file.write(0, [bytes('abc')]);
    await file.preallocate(10_000);
    expect(await file.size()).toBe(10_000);
    const found = await file.read(0, 10_000);
    expect(textOf(found.subarray(0, 3))).toBe('abc');
    expect(found.subarray(3).every((byte) => byte === 0)).toBe(true);
    await file.truncate(2);
    await file.preallocate(5000);
    expect(textOf(await file.read(0, 5))).toBe('ab\0\0\0');
    await file.close();
  });

  it('tells modes apart', async () => {
    const path = `${subject.folder}/a`;
    await expect(subject.disk.openFile(path, 'read')).rejects.toEqual(withCode('ENOENT'));
    await expect(subject.disk.openFile(path, 'write')).rejects.toEqual(withCode('ENOENT'));
    await (await subject.disk.openFile(path, 'create')).close();
    await expect(subject.disk.openFile(path, 'create')).rejects.toEqual(withCode('EEXIST'));
    const file = await subject.disk.openFile(path, 'write');
    await file.write(0, [bytes('x')]);
    await file.close();
  });

  it('lists, renames over and removes files', async () => {
    const { disk, folder } = subject;
    for (const name of ['b', 'a', 'c']) {
      const file = await disk.openFile(`${folder}/${name}`, 'create');
      await file.write(0, [bytes(name)]);
      await file.close();
    }
    await disk.rename(`${folder}/c`, `${folder}/a`);
    await disk.remove(`${folder}/b`);
    await disk.syncFolder(folder);
    expect(await disk.list(folder)).toEqual(['a']);
    const file = await disk.openFile(`${folder}/a`, 'read');
    expect(textOf(await file.read(0, 9))).toBe('c');
    await file.close();
    expect(await disk.exists(`${folder}/a`)).toBe(true);
    expect(await disk.exists(`${folder}/b`)).toBe(false);
    await expect(disk.remove(`${folder}/b`)).rejects.toEqual(withCode('ENOENT'));
    await expect(disk.rename(`${folder}/b`, `${folder}/d`)).rejects.toEqual(withCode('ENOENT'));
    await expect(disk.list(`${folder}/nowhere`)).rejects.toEqual(withCode('ENOENT'));
  });

  it('keeps an open file readable after it was removed', async () => {
    const path = `${subject.folder}/a`;
    const file = await subject.disk.openFile(path, 'create');
    await file.write(0, [bytes('abc')]);
    await subject.disk.remove(path);
    expect(textOf(await file.read(0, 3))).toBe('abc');
    await file.close();
  });

  it('makes folders with their parents, again and again', async () => {
    const { disk, folder } = subject;
    await disk.makeFolder(`${folder}/x/y`);
    await disk.makeFolder(`${folder}/x/y`);
    expect(await disk.list(`${folder}/x/y`)).toEqual([]);
  });

  it('knows the free bytes', async () => {
    expect(await subject.disk.freeBytes(subject.folder)).toBeGreaterThan(0);
  });

  it('locks exclusively until released', async () => {
    const { disk, folder } = subject;
    const lock = await disk.lock(`${folder}/lock`);
    await expect(disk.lock(`${folder}/lock`)).rejects.toEqual(withCode('ELOCKED'));
    await lock.release();
    const again = await disk.lock(`${folder}/lock`);
    await again.release();
  });

  it('gives a contested lock to one', async () => {
    const { disk, folder } = subject;
    const tries = await Promise.allSettled(Array.from({ length: 8 }, () => disk.lock(`${folder}/lock`)));
    const won = tries.filter((attempt) => attempt.status === 'fulfilled');
    expect(won.length).toBe(1);
    for (const { value } of won) await value.release();
  });
});

describe('lock of a real process', () => {
  it('is held while the process lives and free as soon as it was killed', async () => {
    const { folder, clean } = await subjects['node']!();
    const script = `
      const { nodeDisk } = await import(${JSON.stringify(import.meta.resolve('@balsa/node/storage/disk/node-disk.ts'))});
      await nodeDisk.lock(process.argv[1]);
      process.stdout.write('held');
      setInterval(() => undefined, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script, `${folder}/lock`], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      await once(child.stdout, 'data');
      await expect(nodeDisk.lock(`${folder}/lock`)).rejects.toEqual(withCode('ELOCKED'));
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
      const lock = await nodeDisk.lock(`${folder}/lock`);
      await lock.release();
    } finally {
      child.kill('SIGKILL');
      await clean();
    }
  });
});

describe('memory disk after a crash', () => {
  const setUp = async () => {
    const disk = createMemoryDisk({ sectorBytes: 4 });
    await disk.makeFolder('/d');
    const file = await disk.openFile('/d/a', 'create');
    return { disk, file };
  };
  const content = (disk: ReturnType<typeof createMemoryDisk>): string => textOf(disk.bytesOf('/d/a'));

  it('loses a file whose name was not synced, although its data was', async () => {
    const { disk, file } = await setUp();
    await file.write(0, [bytes('abc')]);
    await file.datasync();
    expect(await disk.crash(() => false).exists('/d/a')).toBe(false);
    await disk.syncFolder('/d');
    expect(content(disk.crash(() => false))).toBe('abc');
  });

  it('keeps any part of an unsynced write, at sector edges', async () => {
    const { disk, file } = await setUp();
    await disk.syncFolder('/d');
    await file.write(0, [bytes('aaaabbbbcccc')]);
    await file.datasync();
    await file.write(2, [bytes('XXXXXXXX')]);
    expect(disk.pending().length).toBe(3);
    const outcomes = Array.from({ length: 8 }, (_, bits) => content(disk.crash((_fragment, position) => (bits & (1 << position)) !== 0)));
    expect(new Set(outcomes).size).toBe(8);
    expect(outcomes[0]).toBe('aaaabbbbcccc');
    expect(outcomes[2]).toBe('aaaaXXXXcccc');
    expect(outcomes[7]).toBe('aaXXXXXXXXcc');
  });

  it('keeps both names of a rename or neither', async () => {
    const { disk } = await setUp();
    await disk.syncFolder('/d');
    await disk.rename('/d/a', '/d/b');
    expect(await disk.crash(() => false).list('/d')).toEqual(['a']);
    expect(await disk.crash(() => true).list('/d')).toEqual(['b']);
  });

  it('does not share anything with the disk before', async () => {
    const { disk, file } = await setUp();
    await disk.syncFolder('/d');
    await file.write(0, [bytes('abc')]);
    await file.datasync();
    const crashed = disk.crash(() => false);
    await file.write(0, [bytes('xyz')]);
    const other = await crashed.openFile('/d/a', 'write');
    await other.write(1, [bytes('-')]);
    expect(content(disk)).toBe('xyz');
    expect(content(crashed)).toBe('a-c');
  });
});
