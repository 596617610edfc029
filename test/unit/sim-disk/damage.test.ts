/** Damage to durable data: what is found before and after, through the Disk port. */
import { describe, expect, it } from 'vitest';
import { damageKinds } from '../../sim/world/disk/disk-fault.ts';
import { bytes, createDiskWorld, type DiskWorld, durableFile, lettersOf, pageOf } from './disk-fixture.ts';

const seeds = Array.from({ length: 25 }, (_, seed) => seed);
const content = async ({ disk, settle }: DiskWorld, path: string): Promise<Buffer> => {
  const file = await settle(disk.openFile(path, 'read'));
  return Buffer.from(await settle(file.read(0, await settle(file.size()))));
};

describe('damage', () => {
  it('finds nothing on an empty disk, and nothing outside its target', async () => {
    const world = createDiskWorld();
    for (const kind of damageKinds) expect(world.disk.damage(kind)).toBeUndefined();
    await durableFile(world, '/d/a', 'ab');
    for (const kind of damageKinds) expect(world.disk.damage(kind, (path) => path === '/d/other')).toBeUndefined();
    expect(world.faults).toEqual([]);
    expect(lettersOf(world.disk, '/d/a')).toBe('ab');
  });

  it('touches the named files only, and is logged', async () => {
    for (const seed of seeds) {
      const world = createDiskWorld({}, seed);
      await durableFile(world, '/d/a', 'abc');
      await durableFile(world, '/d/b', 'xyz');
      for (const kind of damageKinds) {
        const damage = world.disk.damage(kind, (path) => path === '/d/b');
        if (damage !== undefined) expect(damage).toMatchObject({ kind, path: '/d/b' });
        expect(world.faults.at(-1)).toEqual(damage ?? world.faults.at(-1));
      }
      expect(lettersOf(world.disk, '/d/a')).toBe('abc');
      expect(world.faults.map(({ kind }) => kind)).toContain('removed-file');
    }
  });

  it('bit rot: one bit, in a page that holds something, for good', async () => {
    const places = new Set<number>();
    for (const seed of seeds) {
      const world = createDiskWorld({}, seed);
      const file = await durableFile(world, '/d/a', 'ab');
      await world.settle(file.preallocate(64 * 4096));
      const before = await content(world, '/d/a');
      const { position, bytes: length, detail } = world.disk.damage('bit-rot')!;
      const after = await content(world, '/d/a');
      expect(length).toBe(1);
      expect(position).toBeLessThan(2 * 4096);
      expect(before[position]! ^ after[position]!).toBe(1 << Number(detail!.slice('bit '.length)));
      after[position] = before[position]!;
      expect(after.equals(before)).toBe(true);
      places.add(Math.floor(position / 4096));
      const later = world.disk.powerOff({ mode: 'lose-all' });
      expect(lettersOf(later, '/d/a')).toContain('#');
    }
    expect(places.size).toBe(2);
  });

  it('zero page', async () => {
    const world = createDiskWorld();
    await durableFile(world, '/d/a', 'abc');
    const { position, bytes: length } = world.disk.damage('zero-page')!;
    expect(length).toBe(4096);
    const letters = 'abc'.split('');
    letters[position / 4096] = '.';
    expect(lettersOf(world.disk, '/d/a')).toBe(letters.join(''));
  });

  it('stale page: back to an earlier durable version, also on the next start', async () => {
    const found = new Set<string>();
    for (const seed of seeds) {
      const world = createDiskWorld({}, seed);
      const file = await durableFile(world, '/d/a', 'ab');
      for (const letter of 'CD') {
        await file.write(4096, [pageOf(letter)]);
        await file.datasync();
      }
      const disk = world.disk.powerOff();
      expect(disk.damage('stale-page', (path) => path === '/d/a')).toMatchObject({ kind: 'stale-page', bytes: 4096 });
      found.add(lettersOf(disk, '/d/a'));
    }
    expect([...found].sort()).toEqual(['.D', 'a.', 'aC', 'ab']);
  });

  it('keeps a bounded number of earlier versions', async () => {
    const world = createDiskWorld();
    const file = await durableFile(world, '/d/a', 'ab');
    const letters = [...Array.from({ length: 100 }, () => 'X'), ...Array.from({ length: 300 }, (_, i) => (i % 2 === 0 ? 'C' : 'D'))];
    for (const letter of letters) {
      await file.write(4096, [pageOf(letter)]);
      await file.datasync();
    }
    for (let i = 0; i < 100; i++) {
      world.disk.damage('stale-page');
      expect(lettersOf(world.disk, '/d/a')).toMatch(/^a[CD]$/);
    }
  });

  it('misdirected write: a page of the file stands in another place of it as well', async () => {
    for (const seed of seeds) {
      const world = createDiskWorld({}, seed);
      await durableFile(world, '/d/a', 'abcd');
      const { position, detail } = world.disk.damage('misdirected-write')!;
      const source = Number(detail!.slice('page of '.length));
      const letters = 'abcd'.split('');
      letters[position / 4096] = letters[source / 4096]!;
      expect(lettersOf(world.disk, '/d/a')).toBe(letters.join(''));
      expect(lettersOf(world.disk, '/d/a')).not.toBe('abcd');
    }
  });

  it('misdirected write of a sync: its own place is stale on the disk, the cache says otherwise', async () => {
    const world = createDiskWorld();
    const file = await durableFile(world, '/d/a', 'abcd');
    world.disk.profile.misdirectedPerMillion = 1_000_000;
    await file.write(4096, [pageOf('B')]);
    await file.datasync();
    const [fault] = world.faults;
    expect(fault).toMatchObject({ kind: 'misdirected-write', path: '/d/a', detail: 'page of 4096' });
    const place = fault!.position / 4096;
    expect(place).not.toBe(1);
    const cached = 'aBcd'.split('');
    cached[place] = 'B';
    expect(lettersOf(world.disk, '/d/a')).toBe(cached.join(''));
    const onDisk = 'abcd'.split('');
    onDisk[place] = 'B';
    expect(lettersOf(world.disk.powerOff(), '/d/a')).toBe(onDisk.join(''));
  });

  it('truncated file', async () => {
    for (const seed of seeds) {
      const world = createDiskWorld({}, seed);
      const file = await durableFile(world, '/d/a', 'abc');
      await file.preallocate(10 * 4096);
      await file.datasync();
      const { position, bytes: length } = world.disk.damage('truncated-file')!;
      expect(position).toBeLessThan(3 * 4096);
      expect(position + length).toBe(10 * 4096);
      expect(await file.size()).toBe(position);
      expect(world.disk.powerOff({ mode: 'keep-all' }).bytesOf('/d/a')).toHaveLength(position);
    }
  });

  it('removed file: gone for good', async () => {
    const world = createDiskWorld();
    await durableFile(world, '/d/a', 'abc');
    await durableFile(world, '/d/b', 'abc');
    const { path, bytes: length } = world.disk.damage('removed-file')!;
    expect(length).toBe(3 * 4096);
    expect(await world.disk.exists(path)).toBe(false);
    expect(await world.disk.list('/d')).toHaveLength(1);
    expect(await world.disk.powerOff({ mode: 'keep-all' }).exists(path)).toBe(false);
  });

  it('is hidden by what is newer in the cache, and healed by its sync', async () => {
    const world = createDiskWorld();
    const file = await durableFile(world, '/d/a', 'a');
    await file.write(0, [bytes('new')]);
    const before = await content(world, '/d/a');
    expect(world.disk.damage('zero-page')).toBeDefined();
    expect((await content(world, '/d/a')).equals(before)).toBe(true);
    expect(world.disk.isSynced((path) => path === '/d/a')).toBe(false);
    expect(world.disk.isSynced((path) => path !== '/d/a')).toBe(true);
    await file.datasync();
    expect(world.disk.isSynced(() => true)).toBe(true);
    expect(Buffer.from(world.disk.powerOff().bytesOf('/d/a')).equals(before)).toBe(true);
  });
});
