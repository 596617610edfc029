/** Lack of space: what is refused, what goes on, and how it ends. */
import { asRaftIndex } from '@balsa/node/core/ids.ts';
import { DiskError } from '@balsa/node/ports/disk.ts';
import { createMemoryDisk } from '@balsa/node/storage/disk/memory-disk.ts';
import { batchHeaderBytes } from '@balsa/node/storage/journal/batch.ts';
import { JournalFull } from '@balsa/node/storage/journal/vocabulary.ts';
import { describe, expect, it } from 'vitest';
import { command, hard, key, noop, open, smallOptions, start } from './journal-fixture.ts';
import { scriptedDisk, settle } from './scripted-disk.ts';

const index = asRaftIndex;
const text = (n: number, bytes: number): string => `${n}`.padEnd(bytes, '.');

describe('a full disk', () => {
  const fullFreeBytesMin = 32 * 1024;
  const watermarkBytes = 16 * 1024;
  const roomFor = (segments: number): number => segments * smallOptions.segmentBytes + watermarkBytes + fullFreeBytesMin + 100;

  async function fill() {
    const disk = createMemoryDisk({ capacityBytes: roomFor(3) });
    const timers: (() => void)[] = [];
    const after = (_: number, callback: () => void): (() => void) => {
      timers.push(callback);
      return () => undefined;
    };
    const opened = await open(disk, { fullFreeBytesMin, after });
    const { journal } = opened;
    await settle();
    let last = 0;
    const next = (): Promise<void> => journal.append([command(1, last + 1, 1, text(last + 1, 500))]);
    while (!journal.stats().full) {
      await next();
      last++;
      await settle();
    }
    return { ...opened, disk, last, next, lookAgain: () => timers.at(-1)?.() };
  }

  it('refuses client appends before anything is written, and still takes hard states', async () => {
    const { journal, last, next, events, fatal } = await fill();
    expect(last).toBeGreaterThan(20);
    await expect(next()).rejects.toBeInstanceOf(JournalFull);
    expect(() => journal.facts(key(1), index(last + 1), index(last + 1))).toThrow();
    for (let term = 2; term < 10; term++) await journal.append([hard(1, term, 1, 0)], { purpose: 'essential' });
    expect((await journal.read(key(1), index(1), index(last), 1e9)).length).toBe(last);
    expect(events.filter(({ type }) => type === 'full').length).toBe(1);
    expect(fatal).toEqual([]);
    await journal.close();
  });

  /** A hard state costs its frame and, alone in a batch, a header. */
  const hardStateBytes = 48 + batchHeaderBytes;

  it('lets upkeep use half of the reserve, and keeps the other half for essential appends', async () => {
    const { journal } = await fill();
    let term = 1;
    const upkeepAll = async (): Promise<void> => {
      for (; ; term++) await journal.append([hard(1, term + 1, 1, 0)], { purpose: 'upkeep' });
    };
    await expect(upkeepAll()).rejects.toBeInstanceOf(JournalFull);
    const kept = Math.floor(smallOptions.reserveBytes / 2 / hardStateBytes);
    for (let count = 0; count < kept; count++) await journal.append([hard(1, ++term, 1, 0)], { purpose: 'essential' });
    expect(kept).toBeGreaterThan(2);
    await journal.close();
  });

  it('lets essential appends wait for space when the reserve is used up', async () => {
    const { journal, disk, fatal, lookAgain } = await fill();
    const written: number[] = [];
    const appends = Math.ceil(smallOptions.segmentBytes / hardStateBytes);
    for (let term = 2; term < appends; term++) {
      void journal.append([hard(1, term, 1, 0)], { purpose: 'essential' }).then(() => written.push(term));
      await settle();
    }
    const first = written.length;
    expect(first).toBeGreaterThan(smallOptions.reserveBytes / hardStateBytes - 2);
    expect(first).toBeLessThan(appends - 2);
    await expect(journal.append([hard(1, appends, 1, 0)], { purpose: 'upkeep' })).rejects.toBeInstanceOf(JournalFull);
    disk.capacityBytes = roomFor(5);
    lookAgain();
    await settle();
    expect(written).toEqual(Array.from({ length: appends - 2 }, (_, place) => place + 2));
    expect(fatal).toEqual([]);
    await journal.close();
  });

  it('opens on a full disk, and comes back when there is space again', async () => {
    const { journal, disk, last } = await fill();
    await journal.close();
    let nowMs = 0;
    const again = await open(disk, { fullFreeBytesMin, now: () => nowMs });
    await settle();
    expect(again.journal.stats().full).toBe(true);
    await again.journal.append([hard(1, 2, 1, 0)], { purpose: 'essential' });
    await expect(again.journal.append([command(1, last + 1, 1, 'x')])).rejects.toBeInstanceOf(JournalFull);
    expect((await again.journal.read(key(1), index(1), index(last), 1e9)).length).toBe(last);
    disk.capacityBytes = roomFor(8);
    nowMs += 1000;
    await expect(again.journal.append([command(1, last + 1, 1, 'x')])).rejects.toBeInstanceOf(JournalFull);
    await settle();
    await again.journal.append([command(1, last + 1, 1, text(0, 1500))]);
    expect(again.events.map(({ type }) => type).filter((type) => type.endsWith('full'))).toEqual(['full', 'unfull']);
    await again.journal.close();
    const third = await open(disk);
    expect(third.journal.groups()[0]).toMatchObject({ last: last + 1, hardState: { term: 2 } });
    await third.journal.close();
  });

  it('looks for space by itself after a while', async () => {
    const disk = createMemoryDisk({ capacityBytes: roomFor(3) });
    const timers: (() => void)[] = [];
    const after = (_: number, callback: () => void): (() => void) => {
      timers.push(callback);
      return () => undefined;
    };
    const { journal, events } = await open(disk, { fullFreeBytesMin, after });
    let last = 0;
    await settle();
    while (!journal.stats().full) {
      await journal.append([command(1, ++last, 1, text(last, 500))]);
      await settle();
    }
    disk.capacityBytes = roomFor(6);
    timers.at(-1)?.();
    await settle();
    expect(journal.stats().full).toBe(false);
    await journal.append([command(1, last + 1, 1, 'goes on')]);
    expect(events.map(({ type }) => type).filter((type) => type === 'full' || type === 'unfull')).toEqual(['full', 'unfull']);
    await journal.close();
  });

  it('gets space back by reclaim', async () => {
    const { journal, last, next, events } = await fill();
    await journal.append([start(1, last - 1, 1)], { purpose: 'essential' });
    expect(await journal.reclaim(() => Promise.resolve())).toBeGreaterThan(0);
    await settle();
    expect(journal.stats().full).toBe(false);
    await next();
    expect(events.at(-1)?.type).toBeDefined();
    await journal.close();
  });

  it('gives garbage back although frames wait for that space', async () => {
    const { journal, last, fatal } = await fill();
    const appends = Math.ceil(smallOptions.segmentBytes / hardStateBytes);
    await journal.append([start(1, last - 1, 1)], { purpose: 'upkeep' });
    const terms = Array.from({ length: appends }, (_, place) => place + 2);
    const waiting = Promise.all(
      terms.map((term) => journal.append([hard(1, term, 1, 0), noop(1, last + term - 1, 1)], { purpose: 'essential' })),
    );
    await settle();
    expect(await journal.reclaim(() => Promise.resolve())).toBeGreaterThan(0);
    await waiting;
    expect(fatal).toEqual([]);
    await journal.close();
  });

  it('keeps what is garbage only by the word of a frame that waits for space', async () => {
    const { journal, disk, last } = await fill();
    const appends = Math.ceil(smallOptions.segmentBytes / hardStateBytes);
    for (let term = 2; term < appends; term++) void journal.append([hard(1, term, 1, 0)], { purpose: 'essential' });
    await settle();
    void journal.append([start(1, last, 1)], { purpose: 'essential' });
    expect(await journal.reclaim(() => Promise.resolve())).toBe(0);
    const again = await open(disk.crash(() => false));
    expect((await again.journal.read(key(1), index(1), index(last), 1e9)).length).toBe(last);
    await again.journal.close();
  });

  it('waits with a batch that lack of space kept from being written, and writes it later', async () => {
    const { disk, script } = scriptedDisk();
    const timers: (() => void)[] = [];
    const { journal, fatal } = await open(disk, {
      after: (_, callback) => {
        timers.push(callback);
        return () => undefined;
      },
    });
    await settle();
    script.fail = ({ kind, path }) => (kind === 'write' && path.includes('segment') ? new DiskError('ENOSPC', 'no space') : undefined);
    let done = false;
    const written = journal.append([command(1, 1, 1, 'patient')]).then(() => {
      done = true;
    });
    await settle();
    expect(done).toBe(false);
    script.fail = () => undefined;
    timers.at(-1)?.();
    await written;
    expect(fatal).toEqual([]);
    await journal.close();
    const again = await open(disk);
    expect(again.journal.groups()[0]?.last).toBe(1);
    await again.journal.close();
  });
});
