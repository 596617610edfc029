/** Giving segments back, and moving forward what idle groups still need. */
import { asRaftIndex } from '@balsa/node/core/ids.ts';
import { createMemoryDisk } from '@balsa/node/storage/disk/memory-disk.ts';
import { segmentName } from '@balsa/node/storage/journal/segment.ts';
import { describe, expect, it } from 'vitest';
import { change, command, createModel, hard, key, membership, open, smallOptions, start, stateOf } from './journal-fixture.ts';
import { heldDisk, scriptedDisk, settle } from './scripted-disk.ts';

const index = asRaftIndex;
const text = (n: number, bytes: number): string => `${n}`.padEnd(bytes, '.');

describe('reclaim', () => {
  const fillSegments = async (journal: Awaited<ReturnType<typeof open>>['journal'], from: number, count: number): Promise<void> => {
    for (let i = from; i < from + count; i++) await journal.append([command(1, i, 1, text(i, 1500))]);
  };

  it('removes only segments that nobody needs, after the barrier', async () => {
    const disk = createMemoryDisk();
    const { journal, events } = await open(disk);
    await fillSegments(journal, 1, 12);
    expect(await journal.reclaim(() => expect.fail('nothing to reclaim, so no barrier'))).toBe(0);
    await journal.append([start(1, 10, 1)]);
    const names = await disk.list('/data/journal');
    let atBarrier: readonly string[] = [];
    const freed = await journal.reclaim(async () => {
      atBarrier = await disk.list('/data/journal');
    });
    expect(atBarrier).toEqual(names);
    expect(freed).toBe(2 * smallOptions.segmentBytes);
    expect(events.filter(({ type }) => type === 'segment-removed').length).toBe(2);
    await journal.close();
    const again = await open(disk);
    expect(again.journal.groups()[0]).toMatchObject({ first: 11, last: 12 });
    await again.journal.close();
  });

  it('removes nothing if the barrier fails', async () => {
    const { journal } = await open(createMemoryDisk());
    await fillSegments(journal, 1, 12);
    await journal.append([start(1, 10, 1)]);
    const before = journal.stats().segments;
    await expect(journal.reclaim(() => Promise.reject(new Error('state not durable')))).rejects.toThrow('state not durable');
    expect(journal.stats().segments).toBe(before);
    expect(await journal.reclaim(() => Promise.resolve())).toBeGreaterThan(0);
    await journal.close();
  });

  it('moves the little that idle groups need forward, again and again', async () => {
    const disk = createMemoryDisk();
    const { journal } = await open(disk);
    const idle = [start(2, 5, 1, 'idle state'), hard(2, 3, 2, 5), command(2, 6, 1, 'idle 6'), change(2, 7, 3), command(3, 1, 1, 'one')];
    const model = createModel();
    for (const frame of idle) model.apply(frame);
    await journal.append(idle);
    let last = 0;
    for (let round = 0; round < 5; round++) {
      await fillSegments(journal, last + 1, 12);
      last += 12;
      await journal.append([start(1, last, 1)]);
      expect(await journal.reclaim(() => Promise.resolve())).toBeGreaterThan(0);
      expect(journal.stats().segments).toBeLessThan(4);
      expect((await journal.read(key(2), index(6), index(7), 1e9)).map((entry) => entry.index)).toEqual([6, 7]);
    }
    // A new entry behind moved ones, and one that overwrites a moved one.
    const more = [command(2, 8, 3, 'idle 8'), command(3, 1, 2, 'two')];
    for (const frame of more) model.apply(frame);
    await journal.append(more);
    await journal.close();
    const again = await open(disk);
    const state = await stateOf(again.journal);
    expect([state.get(2), state.get(3)]).toEqual([model.state().get(2), model.state().get(3)]);
    expect(again.journal.facts(key(2), index(7), index(7))[0]).toMatchObject({ term: 3, membership });
    await again.journal.close();
  });

  it('removes nothing before what made it garbage is on disk', async () => {
    const { disk, slowDisk, hold } = heldDisk('datasync');
    const { journal } = await open(slowDisk);
    await fillSegments(journal, 1, 12);
    await settle();
    const release = hold();
    const started = journal.append([start(1, 10, 1)]);
    const reclaimed = journal.reclaim(() => Promise.resolve());
    await settle();
    expect(await disk.list('/data/journal')).toContain(segmentName(1));
    release();
    await started;
    expect(await reclaimed).toBeGreaterThan(0);
    expect(await disk.list('/data/journal')).not.toContain(segmentName(1));
    await journal.close();
  });

  it('reads moved entries from their old place until the new one is on disk', async () => {
    const { slowDisk, hold } = heldDisk('write');
    const { journal } = await open(slowDisk, { cacheBytesMax: 0 });
    await journal.append([command(2, 1, 1, 'idle')]);
    await fillSegments(journal, 1, 12);
    await journal.append([start(1, 12, 1)]);
    await settle();
    const release = hold();
    const reclaimed = journal.reclaim(() => Promise.resolve());
    await settle();
    expect(await journal.read(key(2), index(1), index(1), 1e9)).toHaveLength(1);
    release();
    expect(await reclaimed).toBeGreaterThan(0);
    expect(await journal.read(key(2), index(1), index(1), 1e9)).toHaveLength(1);
    await journal.close();
  });

  it('leaves a segment that holds more than may be moved', async () => {
    const { journal } = await open(createMemoryDisk());
    await journal.append([command(2, 1, 1, text(1, 1900)), command(2, 2, 1, text(2, 1900))]);
    await fillSegments(journal, 1, 12);
    await journal.append([start(1, 12, 1)]);
    expect(await journal.reclaim(() => Promise.resolve())).toBe(0);
    await journal.close();
  });

  it('does not take a segment away from a read that is under way', async () => {
    const { disk } = scriptedDisk();
    const { journal } = await open(disk, { cacheBytesMax: 0 });
    await fillSegments(journal, 1, 12);
    const reading = journal.read(key(1), index(1), index(12), 1e9);
    const starting = journal.append([start(1, 10, 1)]);
    const reclaiming = starting.then(() => journal.reclaim(() => Promise.resolve()));
    expect((await reading).length).toBe(12);
    await reclaiming;
    expect(await journal.reclaim(() => Promise.resolve())).toBeGreaterThanOrEqual(0);
    await journal.close();
  });
});
