/** Errors of the simulated disk: what the caller sees, and what is on the disk then. */
import { describe, expect, it } from 'vitest';
import { bytes, createDiskWorld, durableFile, lettersOf, pageOf } from './disk-fixture.ts';

const always = 1_000_000;
const withCode = (code: string) => expect.objectContaining({ name: 'DiskError', code });

describe('failed sync', () => {
  it('leaves pages that are clean, readable and not on the disk', async () => {
    const world = createDiskWorld();
    const file = await durableFile(world, '/d/a', 'ab');
    world.disk.profile.syncErrorPerMillion = always;
    await file.write(0, [pageOf('A')]);
    await expect(file.datasync()).rejects.toEqual(withCode('EIO'));
    expect(world.faults).toEqual([{ kind: 'sync-error', path: '/d/a', position: 0, bytes: 4096 }]);
    world.disk.profile.syncErrorPerMillion = 0;
    await file.datasync();
    expect(lettersOf(world.disk, '/d/a')).toBe('Ab');
    expect(lettersOf(world.disk.powerOff({ mode: 'keep-all' }), '/d/a')).toBe('ab');
  });

  it('is survived by a page that is written again', async () => {
    const world = createDiskWorld();
    const file = await durableFile(world, '/d/a', 'ab');
    world.disk.profile.syncErrorPerMillion = always;
    await file.write(0, [pageOf('A')]);
    await expect(file.datasync()).rejects.toEqual(withCode('EIO'));
    world.disk.profile.syncErrorPerMillion = 0;
    await file.write(100, [bytes('A')]);
    await file.datasync();
    expect(lettersOf(world.disk.powerOff({ mode: 'lose-all' }), '/d/a')).toBe('Ab');
  });

  it('covers only what was written before it', async () => {
    const world = createDiskWorld();
    const file = await durableFile(world, '/d/a', 'ab');
    Object.assign(world.disk.profile, { syncErrorPerMillion: always, syncMsMin: 5, syncMsMax: 5 });
    await file.write(0, [pageOf('A')]);
    const failed = expect(file.datasync()).rejects.toEqual(withCode('EIO'));
    await world.settle(file.write(4096, [pageOf('B')]));
    await failed;
    world.disk.profile.syncErrorPerMillion = 0;
    await world.settle(file.datasync());
    expect(lettersOf(world.disk.powerOff({ mode: 'lose-all' }), '/d/a')).toBe('aB');
  });

  it('of a folder: names are seen until the power fails', async () => {
    const world = createDiskWorld();
    await durableFile(world, '/d/a', 'a');
    await world.disk.rename('/d/a', '/d/b');
    world.disk.profile.syncErrorPerMillion = always;
    await expect(world.disk.syncFolder('/d')).rejects.toEqual(withCode('EIO'));
    world.disk.profile.syncErrorPerMillion = 0;
    await world.disk.syncFolder('/d');
    expect(await world.disk.list('/d')).toEqual(['b']);
    expect(await world.disk.powerOff({ mode: 'keep-all' }).list('/d')).toEqual(['a']);
  });
});

describe('write error', () => {
  it.each([false, true])('short writes: %s', async (shortWrites) => {
    const lengths = new Set<number>();
    for (let seed = 0; seed < 30; seed++) {
      const world = createDiskWorld({ shortWrites }, seed);
      const file = await durableFile(world, '/d/a', 'a');
      world.disk.profile.writeErrorPerMillion = always;
      await expect(file.write(0, [bytes('BBBBBBBB')])).rejects.toEqual(withCode('EIO'));
      const found = Buffer.from(world.disk.bytesOf('/d/a').subarray(0, 8)).toString();
      expect(found).toMatch(/^B*a+$/);
      const written = found.indexOf('a');
      lengths.add(written);
      expect(world.faults).toEqual([{ kind: 'write-error', path: '/d/a', position: 0, bytes: 8 - written }]);
    }
    if (shortWrites) expect(lengths.size).toBe(8);
    else expect([...lengths]).toEqual([0]);
  });
});

describe('read error', () => {
  it('comes and goes, and harms nothing', async () => {
    const world = createDiskWorld({ readErrorPerMillion: always });
    const file = await durableFile(world, '/d/a', 'a');
    await expect(file.read(0, 3)).rejects.toEqual(withCode('EIO'));
    world.disk.profile.readErrorPerMillion = 0;
    expect(Buffer.from(await file.read(0, 3)).toString()).toBe('aaa');
  });

  it('happens only where it may', async () => {
    const world = createDiskWorld({ readErrorPerMillion: always }, 1, { mayHappen: (kind) => kind !== 'read-error' });
    const file = await durableFile(world, '/d/a', 'a');
    expect(Buffer.from(await file.read(0, 3)).toString()).toBe('aaa');
    expect(world.faults).toEqual([]);
  });
});

describe('lack of space', () => {
  it('refuses to grow, and not to overwrite', async () => {
    const world = createDiskWorld();
    const file = await durableFile(world, '/d/a', 'ab');
    world.disk.profile.capacityBytes = 2 * 4096 + 5;
    expect(await world.disk.freeBytes('/d')).toBe(5);
    await file.write(0, [pageOf('A')]);
    await expect(file.write(2 * 4096, [bytes('123456789')])).rejects.toEqual(withCode('ENOSPC'));
    await expect(file.preallocate(10 * 4096)).rejects.toEqual(withCode('ENOSPC'));
    expect(lettersOf(world.disk, '/d/a')).toBe('Ab');
    world.disk.profile.capacityBytes = 4096;
    expect(await world.disk.freeBytes('/d')).toBe(0);
    await file.write(4096, [pageOf('B')]);
    world.disk.profile.capacityBytes = 20 * 4096;
    await file.preallocate(10 * 4096);
    expect(lettersOf(world.disk, '/d/a')).toBe('AB........');
  });

  it('leaves the part that had room, if writes may be short', async () => {
    const world = createDiskWorld({ shortWrites: true });
    const file = await durableFile(world, '/d/a', 'ab');
    world.disk.profile.capacityBytes = 2 * 4096 + 5;
    await expect(file.write(2 * 4096 - 2, [bytes('123456789')])).rejects.toEqual(withCode('ENOSPC'));
    expect(Buffer.from(await file.read(2 * 4096 - 2, 99)).toString()).toBe('1234567');
    expect(world.faults).toEqual([{ kind: 'no-space', path: '/d/a', position: 2 * 4096 - 2, bytes: 2 }]);
    await file.truncate(4096);
    await expect(file.preallocate(10 * 4096)).rejects.toEqual(withCode('ENOSPC'));
    expect(await file.size()).toBe(2 * 4096 + 5);
  });

  it('may strike an overwrite of a copy-on-write disk', async () => {
    const world = createDiskWorld();
    const file = await durableFile(world, '/d/a', 'ab');
    world.disk.profile.noSpacePerMillion = always;
    await expect(file.write(0, [pageOf('A')])).rejects.toEqual(withCode('ENOSPC'));
    expect(lettersOf(world.disk, '/d/a')).toBe('ab');
  });

  it('ends when files are removed', async () => {
    const world = createDiskWorld();
    await durableFile(world, '/d/a', 'ab');
    world.disk.profile.capacityBytes = 3 * 4096;
    const other = await world.disk.openFile('/d/b', 'create');
    await expect(other.preallocate(2 * 4096)).rejects.toEqual(withCode('ENOSPC'));
    await world.disk.remove('/d/a');
    await other.preallocate(2 * 4096);
    expect(world.disk.usedBytes()).toBe(2 * 4096);
  });
});
