/**
 * Every row of the storage fault table, on the memory disk and on real files: what is
 * found, what is refused, and that nothing is changed where the journal refuses.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asRaftIndex } from '@balsa/node/core/ids.ts';
import type { Disk } from '@balsa/node/ports/disk.ts';
import { createMemoryDisk } from '@balsa/node/storage/disk/memory-disk.ts';
import { nodeDisk } from '@balsa/node/storage/disk/node-disk.ts';
import { segmentHeaderBytes, segmentName } from '@balsa/node/storage/journal/segment.ts';
import { JournalCorrupt } from '@balsa/node/storage/journal/vocabulary.ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { command, createModel, hard, key, open, start, stateOf } from './journal-fixture.ts';

interface Place {
  readonly disk: Disk;
  readonly folder: string;
  readonly clean: () => Promise<void>;
}

const places: Record<string, () => Promise<Place>> = {
  'memory disk': async () => ({ disk: createMemoryDisk(), folder: '/data/journal', clean: async () => undefined }),
  'real files': async () => {
    const folder = await mkdtemp(join(tmpdir(), 'balsa-journal-'));
    return { disk: nodeDisk, folder, clean: () => rm(folder, { recursive: true }) };
  },
};

const entryCount = 14;
const payload = (group: number, index: number): string => `<${group}/${index}>`.padEnd(700, '.');

/** What is written before each fault: two groups, one batch per index, three segments. */
const frames = Array.from({ length: entryCount }, (_, i) => [
  command(1, i + 1, 1, payload(1, i + 1)),
  hard(1, 1, 2, i),
  command(2, i + 1, 1, payload(2, i + 1)),
]);
const model = createModel();
for (const frame of frames.flat()) model.apply(frame);
const undamaged = model.state();

describe.each(Object.keys(places))('faults on %s', (name) => {
  let place: Place;
  beforeEach(async () => {
    place = await places[name]!();
    const { journal } = await reopen();
    for (const batch of frames) await journal.append(batch);
    await journal.close();
  });
  afterEach(() => place.clean());

  const reopen = (storeId = 'store-1') => open(place.disk, { folder: place.folder, storeId });
  const pathOf = (file: string): string => `${place.folder}/${file}`;

  async function bytesOf(file: string): Promise<Buffer> {
    const handle = await place.disk.openFile(pathOf(file), 'read');
    const bytes = Buffer.from(await handle.read(0, await handle.size()));
    await handle.close();
    return bytes;
  }

  async function replace(file: string, bytes: Uint8Array): Promise<void> {
    if (await place.disk.exists(pathOf(file))) await place.disk.remove(pathOf(file));
    const handle = await place.disk.openFile(pathOf(file), 'create');
    await handle.write(0, [bytes]);
    await handle.datasync();
    await handle.close();
    await place.disk.syncFolder(place.folder);
  }

  async function alter(file: string, change: (bytes: Buffer) => void): Promise<void> {
    const bytes = await bytesOf(file);
    change(bytes);
    await replace(file, bytes);
  }

  const flip = (file: string, at: number): Promise<void> =>
    alter(file, (bytes) => {
      bytes[at]! ^= 0x10;
    });

  /** Segment and offset of an entry's payload. */
  async function find(group: number, index: number): Promise<{ readonly file: string; readonly at: number }> {
    for (const file of (await place.disk.list(place.folder)).filter((entry) => entry.endsWith('.segment')).reverse()) {
      const at = (await bytesOf(file)).indexOf(`<${group}/${index}>`);
      if (at !== -1) return { file, at };
    }
    throw new Error(`entry ${group}/${index} is nowhere`);
  }

  async function everything(): Promise<string> {
    const names = await place.disk.list(place.folder);
    return (await Promise.all(names.map(async (file) => `${file} ${(await bytesOf(file)).toString('base64')}`))).join('\n');
  }

  async function expectRefused(code: string, storeId?: string): Promise<void> {
    const before = await everything();
    await expect(reopen(storeId)).rejects.toMatchObject({ name: 'JournalRefused', code });
    expect(await everything()).toBe(before);
  }

  it('opens what was closed', async () => {
    const { journal, events } = await reopen();
    expect(await stateOf(journal)).toEqual(undamaged);
    expect(journal.stats()).toMatchObject({ tornTails: 0, corruptFrames: 0 });
    expect(events.filter(({ type }) => type === 'corrupt')).toEqual([]);
    await journal.close();
  });

  it('torn tail: cuts it, counts it, and never meets it again', async () => {
    const last = await find(2, entryCount);
    await alter(last.file, (bytes) => bytes.write('half a batch', last.at + 700 + 100));
    const { journal, events } = await reopen();
    expect(await stateOf(journal)).toEqual(undamaged);
    expect(journal.stats().tornTails).toBe(1);
    expect(events).toContainEqual(expect.objectContaining({ type: 'torn-tail' }));
    await journal.append([command(1, entryCount + 1, 2, 'more')]);
    await journal.close();
    const second = await reopen();
    expect(second.journal.stats().tornTails).toBe(0);
    expect(second.journal.groups().find(({ group }) => group === 1)?.last).toBe(entryCount + 1);
    await second.journal.close();
  });

  it.each([1, 6, entryCount])('flipped bit in the payload of entry %d: faulty in one group, sound in the other', async (index) => {
    const { file, at } = await find(1, index);
    await flip(file, at + 300);
    const { journal, events } = await reopen();
    const groups = new Map(journal.groups().map((group) => [group.group as number, group]));
    expect(groups.get(1)).toMatchObject({ first: 1, last: entryCount, faulty: { first: index, last: index } });
    expect(groups.get(2)?.faulty).toBeUndefined();
    expect(journal.facts(key(1), asRaftIndex(1), asRaftIndex(entryCount)).map(({ term }) => term)).toEqual(Array(entryCount).fill(1));
    await expect(journal.read(key(1), asRaftIndex(1), asRaftIndex(entryCount), 1e9)).rejects.toBeInstanceOf(JournalCorrupt);
    expect((await journal.read(key(2), asRaftIndex(1), asRaftIndex(entryCount), 1e9)).length).toBe(entryCount);
    expect(events).toContainEqual({ type: 'group-faulty', ...key(1), first: index, last: index });
    expect(journal.stats()).toMatchObject({ corruptFrames: 1, tornTails: 0 });
    await journal.close();
  });

  it('keeps a range faulty over restarts until the log starts behind it', async () => {
    const { file, at } = await find(1, 6);
    await flip(file, at + 300);
    const first = await reopen();
    await first.journal.append([command(1, entryCount + 1, 1, 'more')]);
    await first.journal.close();
    const second = await reopen();
    expect(second.journal.groups().find(({ group }) => group === 1)).toMatchObject({ last: entryCount + 1, faulty: { first: 6, last: 6 } });
    await second.journal.append([start(1, 8, 1)]);
    await second.journal.close();
    const third = await reopen();
    const healed = third.journal.groups().find(({ group }) => group === 1);
    expect(healed).toMatchObject({ first: 9, last: entryCount + 1 });
    expect(healed?.faulty).toBeUndefined();
    await third.journal.close();
  });

  it('is whole again after a repair with what a peer has', async () => {
    const { file, at } = await find(1, 6);
    await flip(file, at + 300);
    const first = await reopen();
    const lost = command(1, 6, 1, payload(1, 6));
    await first.journal.repair(key(1), lost.kind === 'entry' ? [lost.entry] : []);
    expect((await first.journal.read(key(1), asRaftIndex(1), asRaftIndex(entryCount), 1e9)).length).toBe(entryCount);
    await first.journal.close();
    const second = await reopen();
    expect(await stateOf(second.journal)).toEqual(undamaged);
    expect(second.journal.groups().every(({ faulty }) => faulty === undefined)).toBe(true);
    await second.journal.close();
  });

  it('finds a flipped bit that came after the start when the entry is read', async () => {
    const { journal, events } = await reopen();
    const { file, at } = await find(1, 3);
    const handle = await place.disk.openFile(pathOf(file), 'write');
    await handle.write(at + 5, [Buffer.from('!')]);
    await handle.close();
    await expect(journal.read(key(1), asRaftIndex(2), asRaftIndex(4), 1e9)).rejects.toBeInstanceOf(JournalCorrupt);
    expect((await journal.read(key(1), asRaftIndex(4), asRaftIndex(4), 1e9)).length).toBe(1);
    expect(events).toContainEqual(expect.objectContaining({ type: 'corrupt', detail: 'entry 3 of group 1' }));
    await journal.close();
  });

  it.each([1, 6, entryCount])('damaged head of entry %d: refused, what was lost has no name', async (index) => {
    const { file, at } = await find(1, index);
    await flip(file, at - 20);
    await expectRefused('DATA_CORRUPT');
  });

  it('damaged batch header between sound batches: nothing is lost', async () => {
    const { file, at } = await find(1, 2);
    await flip(file, at - 48 - 64 + 20);
    const { journal, events } = await reopen();
    expect(await stateOf(journal)).toEqual(undamaged);
    expect(events).toContainEqual(expect.objectContaining({ type: 'recovery-case', label: 'damage-below-watermark' }));
    await journal.close();
  });

  it('page of zeros in the middle: refused', async () => {
    const { file } = await find(1, 6);
    await alter(file, (bytes) => bytes.fill(0, 4096, 8192));
    await expectRefused('DATA_CORRUPT');
  });

  it('last batch replaced by zeros: refused because the watermark knows of it', async () => {
    const { file, at } = await find(1, entryCount);
    await alter(file, (bytes) => bytes.fill(0, at - 48 - 64));
    await expectRefused('DATA_CORRUPT');
  });

  it('segment cut short: refused', async () => {
    await replace(segmentName(2), (await bytesOf(segmentName(2))).subarray(0, 3000));
    await expectRefused('DATA_CORRUPT');
  });

  it('empty segment: refused', async () => {
    await replace(segmentName(2), new Uint8Array(0));
    await expectRefused('DATA_CORRUPT');
  });

  it.each(['first', 'middle', 'last'])('%s segment missing: refused', async (which) => {
    const last = (await find(1, entryCount)).file;
    await place.disk.remove(pathOf(which === 'first' ? segmentName(1) : which === 'middle' ? segmentName(2) : last));
    await place.disk.syncFolder(place.folder);
    await expectRefused('DATA_CORRUPT');
  });

  it('all segments missing: refused', async () => {
    for (const file of await place.disk.list(place.folder)) if (file.endsWith('.segment')) await place.disk.remove(pathOf(file));
    await expectRefused('DATA_CORRUPT');
  });

  it('watermark and first segment missing: nothing says that it was garbage, so it is refused', async () => {
    await place.disk.remove(pathOf('watermark'));
    await place.disk.remove(pathOf(segmentName(1)));
    await expectRefused('DATA_CORRUPT');
  });

  it('copy of a segment under the name of another: refused', async () => {
    await replace(segmentName(2), await bytesOf(segmentName(1)));
    await expectRefused('DATA_CORRUPT');
  });

  it('bad segment header: its batches speak for themselves', async () => {
    await flip(segmentName(2), 20);
    const { journal, events } = await reopen();
    expect(await stateOf(journal)).toEqual(undamaged);
    expect(events).toContainEqual(expect.objectContaining({ type: 'recovery-case', label: 'header-bad', sequence: 2 }));
    await journal.close();
  });

  it('segments of another data folder: refused', async () => {
    await expectRefused('DATA_FOREIGN', 'store-2');
  });

  it('segment of a newer release: refused', async () => {
    const { checksum } = await import('@balsa/node/storage/journal/checksum.ts');
    await alter(segmentName(2), (bytes) => {
      bytes.writeUInt32LE(9, 8);
      bytes.writeUInt32LE(checksum(bytes.subarray(8, segmentHeaderBytes)), 4);
    });
    await expectRefused('DATA_VERSION');
  });

  it('watermark file lost: a clean end is fine', async () => {
    await place.disk.remove(pathOf('watermark'));
    const { journal } = await reopen();
    expect(await stateOf(journal)).toEqual(undamaged);
    await journal.close();
  });

  it('watermark file lost and a tail that could be torn: cannot tell, so it is refused', async () => {
    await place.disk.remove(pathOf('watermark'));
    const last = await find(2, entryCount);
    await alter(last.file, (bytes) => bytes.write('half a batch', last.at + 700 + 100));
    await expectRefused('DATA_CORRUPT');
  });

  it('watermark file lost and the last entry rotten: more may have been behind it, so it is refused', async () => {
    await place.disk.remove(pathOf('watermark'));
    const last = await find(2, entryCount);
    await alter(last.file, (bytes) => {
      bytes[last.at + 100] = (bytes[last.at + 100] ?? 0) ^ 1;
    });
    await expectRefused('DATA_CORRUPT');
  });

  it('one damaged slot of the watermark file: another one serves', async () => {
    await alter('watermark', (bytes) => bytes.fill(0xff, 0, 8192));
    const { journal } = await reopen();
    expect(await stateOf(journal)).toEqual(undamaged);
    await journal.close();
  });

  it('left-over temporary files: removed', async () => {
    await replace(`${segmentName(9)}.tmp`, Buffer.from('half a segment'));
    const { journal } = await reopen();
    expect(await stateOf(journal)).toEqual(undamaged);
    expect(await place.disk.list(place.folder)).not.toContain(`${segmentName(9)}.tmp`);
    await journal.close();
  });
});
