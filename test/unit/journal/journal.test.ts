/** The running journal: group commit, order, cache, failures, close. */
import { asRaftIndex, asTerm } from '@balsa/node/core/ids.ts';
import { DiskError } from '@balsa/node/ports/disk.ts';
import { createMemoryDisk } from '@balsa/node/storage/disk/memory-disk.ts';
import { describe, expect, it } from 'vitest';
import { change, command, createModel, hard, key, membership, noop, open, removed, start, stateOf } from './journal-fixture.ts';
import { heldDisk, scriptedDisk, settle } from './scripted-disk.ts';

const index = asRaftIndex;
const text = (n: number, bytes: number): string => `${n}`.padEnd(bytes, '.');

describe('append', () => {
  it('covers all calls that came during a flush with the next write and one datasync', async () => {
    const { disk, operations, batches } = scriptedDisk();
    const { journal } = await open(disk);
    await settle();
    operations.length = 0;
    const order: number[] = [];
    const append = (i: number): Promise<unknown> => journal.append([command(1, i + 1, 1, 'x')]).then(() => order.push(i));
    const first = append(0);
    while (batches('write').length === 0) await Promise.resolve();
    await Promise.all([first, ...[1, 2, 3, 4, 5, 6, 7, 8, 9].map(append)]);
    expect(order).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(batches('write').length).toBe(2);
    expect(batches('datasync').length).toBe(2);
    expect(journal.stats()).toMatchObject({ batches: 2, frames: 10 });
    await journal.close();
  });

  it('does not resolve before the datasync', async () => {
    const { disk, operations } = scriptedDisk();
    const { journal } = await open(disk);
    await settle();
    operations.length = 0;
    let resolvedAfter: string[] = [];
    await journal.append([command(1, 1, 1, 'x')]).then(() => {
      resolvedAfter = operations.map(({ kind }) => kind);
    });
    expect(resolvedAfter.slice(0, 2)).toEqual(['write', 'datasync']);
    await journal.close();
  });

  it('splits a call that is larger than a batch, and resolves it when all of it is on disk', async () => {
    const { journal } = await open(createMemoryDisk());
    await journal.append([1, 2, 3, 4, 5, 6].map((i) => command(1, i, 1, text(i, 900))));
    expect(journal.stats()).toMatchObject({ batches: 3, frames: 6 });
    await journal.append([command(1, 7, 1, text(7, 5000))]);
    expect((await journal.read(key(1), index(1), index(7), 1e9)).length).toBe(7);
    await journal.close();
  });

  it('cuts what a re-appended index overwrites, on disk and in memory', async () => {
    const disk = createMemoryDisk();
    const { journal } = await open(disk);
    const model = createModel();
    for (const frame of [...[1, 2, 3, 4].map((i) => command(1, i, 1, `old ${i}`)), command(1, 3, 2, 'new 3')]) {
      model.apply(frame);
      await journal.append([frame]);
    }
    expect(journal.facts(key(1), index(1), index(3)).map(({ term }) => term)).toEqual([1, 1, 2]);
    expect(() => journal.facts(key(1), index(4), index(4))).toThrow('index is in the log');
    expect(journal.cached(key(1), index(3), index(3))?.[0]).toMatchObject({ term: 2 });
    await journal.close();
    const again = await open(disk);
    expect(await stateOf(again.journal)).toEqual(model.state());
    await again.journal.close();
  });

  it('refuses frames that do not continue their log, before anything of them takes effect', async () => {
    const { journal } = await open(createMemoryDisk());
    await journal.append([command(1, 1, 1, 'a')]);
    expect(() => journal.append([command(1, 3, 1, 'c')])).toThrow('an entry continues its log');
    await journal.append([start(1, 1, 1), hard(1, 4, 1, 1)]);
    expect(() => journal.append([command(1, 1, 1, 'a')])).toThrow('an entry continues its log');
    expect(() => journal.append([hard(1, 3, 1, 1)])).toThrow('the term never falls');
    await journal.close();
  });

  it('of nothing waits for everything before it: it is the barrier of an acknowledgement', async () => {
    const { journal } = await open(createMemoryDisk());
    const done: string[] = [];
    const write = journal.append([command(1, 1, 1, 'a')]).then(() => done.push('write'));
    const barrier = journal.append([]).then(() => done.push('barrier'));
    await Promise.all([write, barrier]);
    expect(done).toEqual(['write', 'barrier']);
    await journal.append([]);
    await journal.close();
  });

  it('tells the memberships of a log, and forgets those that are cut', async () => {
    const disk = createMemoryDisk();
    const first = await open(disk);
    await first.journal.append([noop(1, 1, 1), change(1, 2, 1), noop(1, 3, 1), change(1, 4, 1)]);
    await first.journal.append([noop(1, 4, 2)]);
    await first.journal.close();
    const { journal } = await open(disk);
    expect(journal.facts(key(1), index(1), index(4)).map((fact) => fact.membership)).toEqual([undefined, membership, undefined, undefined]);
    await journal.append([start(1, 2, 1)]);
    expect(journal.facts(key(1), index(3), index(4)).map((fact) => fact.membership)).toEqual([undefined, undefined]);
    await journal.close();
  });

  it('keeps entries behind a log start that they continue, and drops those that conflict', async () => {
    const disk = createMemoryDisk();
    const { journal } = await open(disk);
    const model = createModel();
    const frames = [1, 2, 3, 4, 5].flatMap((i) => [command(1, i, 1, `${i}`), command(2, i, 1, `${i}`)]);
    for (const frame of [...frames, start(1, 3, 1), start(2, 3, 2)]) {
      model.apply(frame);
      await journal.append([frame]);
    }
    expect(journal.snapshot(key(1))).toMatchObject({ index: 3, term: 1 });
    await journal.close();
    const again = await open(disk);
    expect(await stateOf(again.journal)).toEqual(model.state());
    const ranges = again.journal.groups().map(({ group, first, last }) => [group, first, last]);
    expect(ranges).toEqual([
      [1, 4, 5],
      [2, 4, 3],
    ]);
    await again.journal.close();
  });

  it('keeps generations of a group apart, and forgets a removed one', async () => {
    const disk = createMemoryDisk();
    const { journal } = await open(disk);
    const next = { group: key(1).group, generation: 2 };
    await journal.append([
      command(1, 1, 1, 'old'),
      { ...next, kind: 'hard-state', hardState: { term: asTerm(1), votedFor: 3, commit: index(0) } },
    ]);
    await journal.append([removed(1)]);
    await journal.close();
    const again = await open(disk);
    expect(again.journal.groups().map(({ group, generation, last }) => [group, generation, last])).toEqual([[1, 2, 0]]);
    await again.journal.close();
  });
});

describe('reading', () => {
  it('keeps recent entries in memory, oldest out first, within its bound', async () => {
    const { journal } = await open(createMemoryDisk(), { cacheBytesMax: 3000 });
    for (let i = 1; i <= 10; i++) await journal.append([command((i % 2) + 1, Math.ceil(i / 2), 1, text(i, 872))]);
    expect(journal.stats().cachedBytes).toBe(3000);
    expect(journal.cached(key(1), index(5), index(5))).toHaveLength(1);
    expect(journal.cached(key(1), index(4), index(5))).toHaveLength(2);
    expect(journal.cached(key(2), index(4), index(5))).toBeUndefined();
    expect(journal.cached(key(1), index(5), index(6))).toBeUndefined();
    const all = await journal.read(key(1), index(1), index(5), 1e9);
    expect(all.map((entry) => entry.index)).toEqual([1, 2, 3, 4, 5]);
    await journal.close();
  });

  it('never drops what is not on disk yet', async () => {
    const { journal } = await open(createMemoryDisk({ turns: 20 }), { cacheBytesMax: 100 });
    const written = journal.append([1, 2, 3, 4].map((i) => command(1, i, 1, text(i, 900))));
    expect(journal.cached(key(1), index(1), index(4))).toHaveLength(4);
    expect((await journal.read(key(1), index(1), index(4), 1e9)).length).toBe(4);
    await written;
    expect(journal.stats().cachedBytes).toBe(0);
    expect((await journal.read(key(1), index(1), index(4), 1e9)).length).toBe(4);
    await journal.close();
  });

  it('drops only what is on disk when a part of what it holds is', async () => {
    const { slowDisk, hold } = heldDisk('write');
    const { journal } = await open(slowDisk, { cacheBytesMax: 100 });
    await settle();
    let release = hold();
    const first = journal.append([command(1, 1, 1, text(1, 900))]);
    await settle();
    const second = journal.append([command(1, 2, 1, text(2, 900))]);
    const releaseFirst = release;
    release = hold();
    releaseFirst();
    await first;
    expect(journal.cached(key(1), index(1), index(1))).toBeUndefined();
    expect(journal.cached(key(1), index(2), index(2))).toHaveLength(1);
    expect(await journal.read(key(1), index(1), index(2), 1e9)).toHaveLength(2);
    release();
    await second;
    await journal.close();
  });

  it('stops at bytesMax, but gives at least one entry', async () => {
    const { journal } = await open(createMemoryDisk());
    await journal.append([1, 2, 3].map((i) => command(1, i, 1, text(i, 100))));
    expect((await journal.read(key(1), index(1), index(3), 200)).length).toBe(2);
    expect((await journal.read(key(1), index(2), index(3), 1)).length).toBe(1);
    await journal.close();
  });

  it('reads neighbours with one read', async () => {
    const { disk, operations } = scriptedDisk();
    const first = await open(disk);
    await first.journal.append([1, 2, 3, 4, 5].map((i) => command(1, i, 1, text(i, 100))));
    await first.journal.close();
    const { journal } = await open(disk);
    await settle();
    operations.length = 0;
    expect((await journal.read(key(1), index(1), index(5), 1e9)).length).toBe(5);
    expect(operations.filter(({ kind }) => kind === 'read').length).toBe(1);
    await journal.close();
  });
});

describe('failures', () => {
  it.each(['write', 'datasync'] as const)(
    'a failed %s is fatal once: nothing is acknowledged, tried again or written after it',
    async (kind) => {
      const { disk, operations, script } = scriptedDisk();
      const { journal, fatal } = await open(disk);
      await journal.append([command(1, 1, 1, 'safe')]);
      await settle();
      script.fail = (operation) =>
        operation.kind === kind && operation.path.includes('segment') ? new DiskError('EIO', 'broken') : undefined;
      let resolved = 0;
      const note = (): void => {
        resolved++;
      };
      void journal.append([command(1, 2, 1, 'a')]).then(note, note);
      void journal.append([command(1, 3, 1, 'b')]).then(note, note);
      await settle();
      script.fail = () => undefined;
      operations.length = 0;
      void journal.append([command(1, 4, 1, 'c')]).then(note, note);
      await settle();
      expect(fatal.map((error) => error.message)).toEqual(['broken']);
      expect(resolved).toBe(0);
      expect(operations).toEqual([]);
      await journal.close();
    },
  );

  it('a batch whose sync failed may or may not be there after a restart, and is synced again before use', async () => {
    const { disk, script } = scriptedDisk();
    const { journal } = await open(disk);
    await journal.append([command(1, 1, 1, 'safe')]);
    await settle();
    script.fail = ({ kind, path }) => (kind === 'datasync' && path.includes('segment') ? new DiskError('EIO', 'broken') : undefined);
    void journal.append([command(1, 2, 1, 'unsure')]);
    await settle();
    script.fail = () => undefined;
    // The process restarts without a reboot: reads come from memory that may never reach the disk.
    const again = await open(disk);
    expect(again.journal.groups()[0]?.last).toBe(2);
    const afterPowerLoss = disk.crash(() => false, { onOperation: () => undefined });
    const last = await open(afterPowerLoss);
    expect(last.journal.groups()[0]?.last).toBe(2);
    expect((await last.journal.read(key(1), index(1), index(2), 1e9)).length).toBe(2);
  });
});

describe('close', () => {
  it('writes what was appended before, over several segments', async () => {
    const disk = createMemoryDisk({ turns: 5 });
    const { journal } = await open(disk);
    const written = Promise.all(Array.from({ length: 20 }, (_, i) => journal.append([command(1, i + 1, 1, text(i, 1500))])));
    await journal.close();
    await written;
    const again = await open(disk);
    expect(again.journal.groups()[0]?.last).toBe(20);
    await again.journal.close();
  });

  it('does not wait for space that may never come', async () => {
    const { disk, script } = scriptedDisk();
    const { journal, fatal } = await open(disk);
    await settle();
    script.fail = ({ kind, path }) => (kind === 'write' && path.includes('segment') ? new DiskError('ENOSPC', 'no space') : undefined);
    let done = false;
    const note = (): void => {
      done = true;
    };
    void journal.append([command(1, 1, 1, 'x')]).then(note, note);
    await settle();
    await journal.close();
    expect({ done, fatal }).toEqual({ done: false, fatal: [] });
  });

  it('lets a reclaim that is under way end', async () => {
    const { disk } = scriptedDisk();
    const { journal, fatal } = await open(disk);
    for (let i = 1; i <= 12; i++) await journal.append([command(1, i, 1, text(i, 1500))]);
    await journal.append([start(1, 10, 1)]);
    const reclaiming = journal.reclaim(() => Promise.resolve());
    await journal.close();
    await reclaiming;
    expect(fatal).toEqual([]);
    const again = await open(disk);
    expect(again.journal.groups()[0]).toMatchObject({ first: 11, last: 12 });
    await again.journal.close();
  });
});
