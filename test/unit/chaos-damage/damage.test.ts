/** Each kind of damage strikes the files of a real journal where its proof says, and never claims what it did not do. */
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { flipBit, truncateMiddle, truncateTail, zeroPage } from '@balsa/chaos/damage/byte-damage.ts';
import { type Damage, NothingToDamage } from '@balsa/chaos/damage/damage.ts';
import { foreignData, restoreBackup, staleState, takeBackup, wipeData, wipeState } from '@balsa/chaos/damage/folder-damage.ts';
import {
  deleteFile,
  deleteSegment,
  duplicateSegment,
  pickSegment,
  staleSegment,
  swapSegments,
} from '@balsa/chaos/damage/segment-damage.ts';
import { usedBytesOf, usedSegments } from '@balsa/chaos/damage/segments.ts';
import { segmentHeaderBytes } from '@balsa/node/storage/journal/segment.ts';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { command, start } from '../journal/journal-fixture.ts';
import { append, dataFolder, freshPath, removeAll, seeded, withJournal } from './data-folder.ts';

const seeds = Array.from({ length: 20 }, (_, i) => i + 1);
const entry = (index: number) => command(1, index, 1, `${index}`.padEnd(900, '.'));

let pristine: string;
let dataDir: string;
beforeAll(async () => {
  // Several segments of 8 KiB.
  pristine = await dataFolder(1, [[start(1, 0, 0)], ...Array.from({ length: 30 }, (_, i) => [entry(i + 1)])]);
});
beforeEach(() => {
  dataDir = freshPath('node-1');
  takeBackup(pristine, dataDir);
});
afterAll(removeAll);

/** All files by their paths in the folder. */
function filesOf(folder: string): ReadonlyMap<string, Buffer> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((each) => each.isFile());
  const files = entries.map(({ parentPath, name }) => path.join(parentPath, name)).toSorted();
  return new Map(files.map((file) => [path.relative(folder, file), readFileSync(file)]));
}

/** The files that are not as they were. */
function changed(before: ReadonlyMap<string, Buffer>, folder: string): readonly string[] {
  const after = filesOf(folder);
  return [...new Set([...before.keys(), ...after.keys()])].filter((name) => after.get(name)?.equals(before.get(name)!) !== true);
}

/** First difference of two files of one size, and how many bytes differ. */
function difference(before: Buffer, after: Buffer): { readonly position: number; readonly bytes: number } {
  const places = [...before.keys()].filter((i) => before[i] !== after[i]);
  return { position: places[0]!, bytes: places.at(-1)! - places[0]! + 1 };
}

/** How many entries the journal gives back whole; undefined if it refuses. */
async function soundEntries(): Promise<number | undefined> {
  try {
    return await withJournal(dataDir, 1, async (journal) => {
      const [group] = journal.groups();
      if (group?.faulty !== undefined) return group.last - (group.faulty.last - group.faulty.first + 1);
      return group?.last ?? 0;
    });
  } catch (error) {
    expect(error).toMatchObject({ name: 'JournalRefused', code: 'DATA_CORRUPT' });
    return undefined;
  }
}

describe('bytes', () => {
  test('the segments that hold something are found, with the end of what they hold', async () => {
    const segments = usedSegments(dataDir);
    expect(segments.length).toBeGreaterThan(3);
    for (const { file, usedBytes } of segments) {
      const bytes = readFileSync(file);
      expect(usedBytes).toBeGreaterThan(segmentHeaderBytes);
      expect([bytes[usedBytes - 1] === 0, bytes.subarray(usedBytes).every((byte) => byte === 0)]).toEqual([false, true]);
    }
    expect(readdirSync(path.join(dataDir, 'journal')).length).toBeGreaterThan(segments.length);
    expect(await soundEntries()).toBe(30);
  });

  test.each(seeds)('bit flip, seed %d: one bit of one used byte', (seed) => {
    const random = seeded(seed);
    const file = pickSegment(dataDir, random);
    const before = filesOf(dataDir);
    const damage = flipBit(file, random);
    const name = path.relative(dataDir, file);
    expect(changed(before, dataDir)).toEqual([name]);
    const [old, now] = [before.get(name)!, readFileSync(file)];
    expect(difference(old, now)).toEqual({ position: damage.position, bytes: 1 });
    expect(usedSegments(dataDir).some((segment) => segment.file === file && damage.position! < segment.usedBytes + 1)).toBe(true);
    const mask = old[damage.position!]! ^ now[damage.position!]!;
    expect(mask & (mask - 1)).toBe(0);
    const hex = (bytes: Buffer): string => bytes.subarray(damage.position, damage.position! + 1).toString('hex');
    expect(damage).toEqual({ kind: 'bit-flip', path: file, position: damage.position, before: hex(old), after: hex(now) });
  });

  test.each(seeds)('zero page, seed %d: one page that held something holds nothing', (seed) => {
    const random = seeded(seed);
    const file = pickSegment(dataDir, random);
    const before = readFileSync(file);
    const damage = zeroPage(file, random);
    const page = Math.floor(damage.position! / 4096) * 4096;
    const expected = Buffer.from(before);
    expected.fill(0, page, page + 4096);
    expect(readFileSync(file).equals(expected)).toBe(true);
    expect(difference(before, expected).position).toBe(damage.position);
    expect(before.subarray(damage.position).toString('hex').startsWith(damage.before)).toBe(true);
    expect(damage.after).toBe('0'.repeat(damage.before.length));
  });

  test.each(seeds)('zero page, seed %d: where a page begins with zeros, the proof begins behind them; empty pages are left out', (seed) => {
    const file = path.join(dataDir, 'sparse');
    const bytes = Buffer.alloc(5 * 4096);
    bytes.write('first', 100);
    bytes.write('last', 4 * 4096 + 200);
    writeFileSync(file, bytes);
    const [first, last] = [Buffer.from('first').toString('hex'), Buffer.from('last').toString('hex')];
    const { position, before } = zeroPage(file, seeded(seed));
    expect([
      [100, first],
      [4 * 4096 + 200, last],
    ]).toContainEqual([position, before.replace(/(00)+$/, '')]);
  });

  test.each(seeds)('truncation, seed %d: the file ends where the proof says, within what was written', (seed) => {
    const random = seeded(seed);
    const { file, usedBytes } = usedSegments(dataDir)[0]!;
    const before = readFileSync(file);
    const middle = truncateMiddle(file, random);
    expect(middle).toMatchObject({ kind: 'truncated-middle', before: `${before.length} bytes`, after: `${middle.position} bytes` });
    expect(middle.position).toBeGreaterThanOrEqual(Math.floor(usedBytes / 4));
    expect(middle.position).toBeLessThan(usedBytes * 0.76);
    expect(readFileSync(file).equals(before.subarray(0, middle.position))).toBe(true);
    writeFileSync(file, before);
    const tail = truncateTail(file, random);
    expect(tail.position).toBeLessThan(usedBytes);
    expect(tail.position).toBeGreaterThanOrEqual(usedBytes - 4097);
    expect(statSync(file).size).toBe(tail.position);
  });

  test('the journal notices: nothing that was damaged is given back as if it were sound', async () => {
    const sound = new Set<number | undefined>();
    for (const seed of seeds) {
      const random = seeded(seed);
      flipBit(pickSegment(dataDir, random), random);
      sound.add(await soundEntries());
      restoreBackup(dataDir, pristine);
    }
    expect(sound.size).toBeGreaterThan(1);
    expect(await soundEntries()).toBe(30);
  });

  test('nothing but zeros cannot be damaged', () => {
    const blank = path.join(dataDir, 'blank');
    writeFileSync(blank, Buffer.alloc(10_000));
    for (const strike of [flipBit, zeroPage, truncateMiddle, truncateTail]) {
      expect(() => strike(blank, seeded(1))).toThrow(NothingToDamage);
    }
    expect(readFileSync(blank).equals(Buffer.alloc(10_000))).toBe(true);
  });
});

describe('segments', () => {
  test.each(seeds)('two of them are two, seed %d', (seed) => {
    const [one, other] = swapSegments(dataDir, seeded(seed));
    expect(one.path).not.toBe(other.path);
    expect(duplicateSegment(dataDir, seeded(seed)).kind).toBe('duplicated');
  });

  test('swapped: each has the name of the other', async () => {
    const before = filesOf(dataDir);
    const [one, other] = swapSegments(dataDir, seeded(3));
    const after = filesOf(dataDir);
    const names = [one.path, other.path].map((file) => path.relative(dataDir, file));
    expect(changed(before, dataDir)).toEqual(names.toSorted());
    expect(after.get(names[0]!)!.equals(before.get(names[1]!)!)).toBe(true);
    expect(after.get(names[1]!)!.equals(before.get(names[0]!)!)).toBe(true);
    expect([one.before, one.after]).toEqual([other.after, other.before]);
    expect(await soundEntries()).not.toBe(30);
  });

  test('duplicated: one is a copy of another', async () => {
    const before = filesOf(dataDir);
    const { path: target } = duplicateSegment(dataDir, seeded(3));
    const name = path.relative(dataDir, target);
    expect(changed(before, dataDir)).toEqual([name]);
    expect([...before].some(([other, bytes]) => other !== name && bytes.equals(readFileSync(target)))).toBe(true);
    expect(await soundEntries()).not.toBe(30);
  });

  test('stale: one is as it was, and only one that has changed since', async () => {
    const backup = freshPath('backup');
    takeBackup(dataDir, backup);
    expect(() => staleSegment(dataDir, backup, seeded(1))).toThrow('no segment');
    await append(
      dataDir,
      1,
      Array.from({ length: 10 }, (_, i) => [entry(31 + i)]),
    );
    // A journal that is opened anew begins a new segment; what it had prepared and what it has written since differ.
    const old = freshPath('old');
    takeBackup(dataDir, old);
    const newest = usedSegments(dataDir).at(-1)!;
    const grown = readFileSync(newest.file);
    writeFileSync(path.join(old, 'journal', path.basename(newest.file)), grown.fill(0, segmentHeaderBytes + 1_000));
    const before = filesOf(dataDir);
    const damage = staleSegment(dataDir, old, seeded(1));
    expect(damage).toMatchObject({ kind: 'stale', path: newest.file });
    expect(changed(before, dataDir)).toEqual([path.relative(dataDir, newest.file)]);
    expect(readFileSync(newest.file).equals(grown)).toBe(true);
  });

  test('deleted: it is not there any more', async () => {
    const before = filesOf(dataDir);
    const damage = deleteSegment(dataDir, seeded(2));
    expect(damage).toMatchObject({ kind: 'deleted', after: 'absent' });
    expect(damage.before).toMatch(/^1 files, 8192 bytes, sha256 [0-9a-f]{16}$/);
    expect(changed(before, dataDir)).toEqual([path.relative(dataDir, damage.path)]);
    expect(existsSync(damage.path)).toBe(false);
    expect(await soundEntries()).not.toBe(30);
    expect(() => deleteFile(damage.path)).toThrow(NothingToDamage);
  });

  test('with one segment there is no other', async () => {
    const small = await dataFolder(1, [[start(1, 0, 0)]]);
    expect(() => swapSegments(small, seeded(1))).toThrow('only one used segment');
    expect(() => duplicateSegment(small, seeded(1))).toThrow('only one used segment');
  });
});

describe('folders', () => {
  test('a backup comes back byte by byte, without the lock of a running node', async () => {
    const lock = createServer();
    const lockPath = path.join(dataDir, 'lock');
    await new Promise<void>((resolve) => lock.listen(lockPath, resolve));
    const [before, backup] = [filesOf(dataDir), freshPath('backup')];
    takeBackup(dataDir, backup);
    await new Promise((resolve) => lock.close(resolve));
    expect(existsSync(path.join(backup, 'lock'))).toBe(false);
    expect(() => restoreBackup(dataDir, backup)).toThrow(NothingToDamage);
    await append(dataDir, 1, [[entry(31)]]);
    const damage = restoreBackup(dataDir, backup);
    expect(damage).toMatchObject({ kind: 'restored', path: dataDir });
    expect(damage.before).not.toBe(damage.after);
    expect(changed(before, dataDir)).toEqual([]);
    // The last acknowledged entry is forgotten, and nothing tells.
    expect(await soundEntries()).toBe(30);
  });

  test('wiped: empty, and the folder is still there', () => {
    expect(wipeData(dataDir)).toMatchObject({ kind: 'wiped', path: dataDir });
    expect(readdirSync(dataDir)).toEqual([]);
    expect(() => wipeData(dataDir)).toThrow(NothingToDamage);
  });

  test('of another node: refused by the journal as such', async () => {
    const other = await dataFolder(2, [[start(1, 0, 0)]]);
    const damage = foreignData(dataDir, other);
    expect(damage).toMatchObject({ kind: 'foreign', path: dataDir });
    expect(changed(filesOf(other), dataDir)).toEqual([]);
    await expect(withJournal(dataDir, 1, () => Promise.resolve())).rejects.toMatchObject({ code: 'DATA_FOREIGN' });
  });

  test('state wiped and stale, while the journal stays', async () => {
    const backup = freshPath('backup');
    takeBackup(dataDir, backup);
    writeFileSync(path.join(dataDir, 'state', 'CURRENT'), 'newer');
    const before = filesOf(dataDir);
    const stale = staleState(dataDir, backup);
    expect(stale).toMatchObject({ kind: 'stale', path: path.join(dataDir, 'state') });
    expect(readFileSync(path.join(dataDir, 'state', 'CURRENT'), 'utf8')).toBe('of node 1');
    expect(changed(before, dataDir)).toEqual(['state/CURRENT']);
    expect(wipeState(dataDir)).toMatchObject({ kind: 'wiped', after: 'absent' });
    expect(existsSync(path.join(dataDir, 'state'))).toBe(false);
    expect(await soundEntries()).toBe(30);
    expect(() => wipeState(dataDir)).toThrow(NothingToDamage);
  });
});

test.each(seeds.slice(0, 5))('seed %d strikes a copy of the same folder in the same places', (seed) => {
  const strikes = (): readonly Damage[] => {
    const random = seeded(seed);
    const file = pickSegment(dataDir, random);
    return [flipBit(file, random), zeroPage(file, random), ...swapSegments(dataDir, random), deleteSegment(dataDir, random)];
  };
  const first = strikes();
  rmSync(dataDir, { recursive: true });
  takeBackup(pristine, dataDir);
  expect(strikes()).toEqual(first);
});

test.each([0, 1, 65_535, 65_536, 65_537, 200_000])('the end of what is used, with %d zeros behind it', (zeros) => {
  expect(usedBytesOf(Buffer.concat([Buffer.from([0, 1, 0, 2]), Buffer.alloc(zeros)]))).toBe(4);
  expect(usedBytesOf(Buffer.alloc(zeros))).toBe(0);
});
