/** What kills and power failures leave, and that the process before has no part in it. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { powerLossModes } from '../../sim/world/disk/power-loss.ts';
import { createDiskWorld, durableFile, lettersOf, pageOf } from './disk-fixture.ts';

/** A disk with pages "ab" durable, and then `B`, `C` and file b written without a sync, in this order. */
async function dirtyWorld(seed: number) {
  const world = createDiskWorld({}, seed);
  const file = await durableFile(world, '/d/a', 'ab');
  await file.write(4096, [pageOf('B')]);
  await file.write(2 * 4096, [pageOf('C')]);
  const other = await world.disk.openFile('/d/b', 'create');
  await other.write(0, [pageOf('x')]);
  return { ...world, file };
}

const seeds = Array.from({ length: 40 }, (_, seed) => seed);

describe('power failure', () => {
  it('loses everything, or keeps everything', async () => {
    const lost = (await dirtyWorld(1)).disk.powerOff({ mode: 'lose-all' });
    expect(await lost.list('/d')).toEqual(['a']);
    expect(lettersOf(lost, '/d/a')).toBe('ab');
    const kept = (await dirtyWorld(1)).disk.powerOff({ mode: 'keep-all' });
    expect(await kept.list('/d')).toEqual(['a', 'b']);
    expect(lettersOf(kept, '/d/a')).toBe('aBC');
    expect(lettersOf(kept, '/d/b')).toBe('x');
  });

  it('spares the files that it is told to', async () => {
    const spared = (await dirtyWorld(1)).disk.powerOff({ mode: 'lose-all', spares: (path) => path === '/d/a' });
    expect(lettersOf(spared, '/d/a')).toBe('aBC');
    expect(await spared.list('/d')).toEqual(['a']);
  });

  it('reports the bytes that it lost', async () => {
    const { disk, faults } = await dirtyWorld(1);
    disk.powerOff({ mode: 'lose-all', fragmentBytes: 512 });
    expect(faults).toEqual([{ kind: 'power-loss', path: '/', position: 0, bytes: 3 * 4096, detail: 'lose-all, in pieces of 512' }]);
  });

  it('keeps a prefix of the whole disk: never something later without something earlier', async () => {
    const found = new Set<string>();
    for (const seed of seeds) {
      const disk = (await dirtyWorld(seed)).disk.powerOff({ mode: 'prefix' });
      const names = await disk.list('/d');
      found.add(`${lettersOf(disk, '/d/a')} ${names.includes('b') ? `b:${lettersOf(disk, '/d/b')}` : ''}`);
    }
    expect([...found].sort()).toEqual(['aB ', 'aBC ', 'aBC b:', 'aBC b:x', 'ab ']);
  });

  it('keeps later writes of one file without earlier ones of another', async () => {
    const found = new Set<string>();
    for (const seed of seeds) {
      const disk = (await dirtyWorld(seed)).disk.powerOff({ mode: 'reordered' });
      const hasB = (await disk.list('/d')).includes('b');
      found.add(`${lettersOf(disk, '/d/a')} ${hasB ? lettersOf(disk, '/d/b') : '-'}`);
    }
    expect(found).toContain('ab x');
    expect(found).toContain('aBC ');
    expect([...found].every((state) => /^(ab|aB|aBC) (x|-|)$/.test(state))).toBe(true);
  });

  it.each([
    [512, 8],
    [4096, 1],
  ])('tears the last write in pieces of %d bytes', async (fragmentBytes, pieces) => {
    const found = new Set<string>();
    for (const seed of seeds) {
      const world = createDiskWorld({}, seed);
      const file = await durableFile(world, '/d/a', 'ab');
      await file.write(0, [pageOf('A')]);
      await file.write(4096, [pageOf('B')]);
      const disk = world.disk.powerOff({ mode: 'torn-last', fragmentBytes });
      expect(lettersOf(disk, '/d/a')[0]).toBe('A');
      const page = Buffer.from(disk.bytesOf('/d/a')).subarray(4096).toString();
      found.add(Array.from({ length: pieces }, (_, i) => page[i * fragmentBytes]).join(''));
      expect(new Set(page.match(new RegExp(`[\\s\\S]{${fragmentBytes}}`, 'g'))).size).toBeLessThanOrEqual(2);
    }
    if (pieces === 1) expect([...found]).toEqual(['b']);
    else {
      expect(found.size).toBeGreaterThan(10);
      expect([...found].every((page) => page.includes('b') && page.includes('B'))).toBe(true);
    }
  });

  it('keeps any subset of the pieces', async () => {
    const found = new Set<string>();
    for (const seed of seeds) found.add(lettersOf((await dirtyWorld(seed)).disk.powerOff({ mode: 'subset', fragmentBytes: 4096 }), '/d/a'));
    expect([...found].sort()).toEqual(['a.C', 'aB', 'aBC', 'ab', 'abC'].filter((state) => found.has(state)));
    expect(found.size).toBeGreaterThanOrEqual(3);
  });

  it('draws every mode', async () => {
    const modes = new Set<string>();
    for (const seed of seeds) {
      const { disk, faults } = createDiskWorld({}, seed);
      disk.powerOff();
      modes.add(faults[0]!.detail!.split(',')[0]!);
    }
    expect([...modes].sort()).toEqual([...powerLossModes].sort());
  });

  it('never loses what a finished sync covered, in any mode', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), fc.constantFrom(...powerLossModes), async (seed, mode) => {
        const world = await dirtyWorld(seed);
        await world.file.datasync();
        await world.file.write(0, [pageOf('z')]);
        const disk = world.disk.powerOff({ mode });
        expect(lettersOf(disk, '/d/a').slice(1)).toBe('BC');
      }),
      { numRuns: 60 },
    );
  });

  it('keeps a truncation that was synced, also if the file grew again', async () => {
    const world = createDiskWorld();
    const file = await durableFile(world, '/d/a', 'abc');
    await file.truncate(4096);
    await file.preallocate(3 * 4096);
    await file.datasync();
    expect(lettersOf(world.disk.powerOff({ mode: 'lose-all' }), '/d/a')).toBe('a..');
  });

  it('may lose what an unfinished sync was to cover', async () => {
    const world = createDiskWorld();
    const file = await durableFile(world, '/d/a', 'a');
    Object.assign(world.disk.profile, { syncMsMin: 10, syncMsMax: 10 });
    await file.write(0, [pageOf('A')]);
    const synced = file.datasync();
    await world.clock.advance(9);
    expect(world.disk.pending(4096)).toHaveLength(1);
    await world.clock.advance(1);
    await synced;
    expect(world.disk.pending()).toHaveLength(0);
  });

  it('lets a sync cover nothing that was written after its call', async () => {
    const world = createDiskWorld();
    const file = await durableFile(world, '/d/a', 'ab');
    Object.assign(world.disk.profile, { syncMsMin: 10, syncMsMax: 10 });
    await file.write(0, [pageOf('A')]);
    const synced = file.datasync();
    const late = file.write(4096, [pageOf('B')]);
    await world.settle(Promise.all([synced, late]));
    expect(lettersOf(world.disk, '/d/a')).toBe('AB');
    expect(lettersOf(world.disk.powerOff({ mode: 'lose-all' }), '/d/a')).toBe('Ab');
  });
});

describe('the process before', () => {
  it.each(['kill', 'powerOff'] as const)('hears nothing after %s, and changes nothing', async (end) => {
    const world = createDiskWorld();
    const file = await durableFile(world, '/d/a', 'ab');
    await world.disk.lock('/d/lock');
    Object.assign(world.disk.profile, { writeMsMin: 5, writeMsMax: 5, syncMsMin: 5, syncMsMax: 5 });
    const settled: string[] = [];
    const note = (what: string, promise: Promise<unknown>): void => {
      const done = (): void => void settled.push(what);
      promise.then(done, done);
    };
    note('write', file.write(0, [pageOf('A')]));
    note('sync', file.datasync());
    const next = world.disk[end]();
    const before = lettersOf(next, '/d/a');
    note('late write', file.write(4096, [pageOf('Z')]));
    note('late remove', world.disk.remove('/d/a'));
    note('late size', file.size());
    note('late open', world.disk.openFile('/d/c', 'create'));
    await world.clock.advance(1000);
    expect(settled).toEqual([]);
    expect(lettersOf(next, '/d/a')).toBe(before);
    expect(await world.settle(next.list('/d'))).toEqual(['a']);
    const lock = await world.settle(next.lock('/d/lock'));
    await lock.release();
  });

  it('leaves what it wrote to the page cache when it is killed', async () => {
    const { disk } = await dirtyWorld(1);
    const next = disk.kill();
    expect(lettersOf(next, '/d/a')).toBe('aBC');
    expect(await next.list('/d')).toEqual(['a', 'b']);
    expect(lettersOf(next.powerOff({ mode: 'lose-all' }), '/d/a')).toBe('ab');
  });

  it('cannot give the lock of its successor away', async () => {
    const { disk } = createDiskWorld();
    const old = await disk.lock('/lock');
    const next = disk.kill();
    await next.lock('/lock');
    await old.release();
    await expect(next.lock('/lock')).rejects.toMatchObject({ code: 'ELOCKED' });
  });
});

describe('chance', () => {
  /** Everything that a run shows: when what ended how, all faults, and what was left. */
  async function trace(seed: number): Promise<string> {
    const world = createDiskWorld(
      { writeMsMax: 3, syncMsMax: 9, stallPerMille: 50, stallMs: 20, syncErrorPerMillion: 100_000, shortWrites: true },
      seed,
    );
    const file = await durableFile(world, '/d/a', 'abcdefgh').catch(() => undefined);
    const ended: string[] = [];
    for (let i = 0; i < 20; i++) {
      await world.settle(file?.write((i % 8) * 4096, [pageOf('z')]) ?? Promise.resolve());
      const outcome = await world.settle(file?.datasync().then(() => 'ok', String) ?? Promise.resolve(''));
      ended.push(`${outcome} ${world.clock.monotonicMs()}`);
    }
    world.disk.damage('bit-rot');
    const disk = world.disk.powerOff();
    disk.damage('stale-page');
    const names = await world.settle(disk.list('/d'));
    return JSON.stringify([ended, world.faults, names.map((name) => Buffer.from(disk.bytesOf(`/d/${name}`)).toString('base64'))]);
  }

  it('is the same for the same seed, and another for another', async () => {
    const traces = await Promise.all(Array.from({ length: 6 }, (_, seed) => trace(seed)));
    expect(await Promise.all(Array.from({ length: 6 }, (_, seed) => trace(seed)))).toEqual(traces);
    expect(new Set(traces).size).toBe(6);
  });
});
