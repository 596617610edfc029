/** Latency, order and stalls of the simulated disk, all in virtual time. */
import { describe, expect, it } from 'vitest';
import { bytes, createDiskWorld, durableFile } from './disk-fixture.ts';

describe('time of a simulated disk', () => {
  it('does not pass while the disk is calm', async () => {
    const { clock, disk } = createDiskWorld();
    await disk.makeFolder('/d');
    const file = await disk.openFile('/d/a', 'create');
    await file.write(0, [bytes('one'), bytes('two')]);
    await file.datasync();
    await disk.syncFolder('/d');
    expect(Buffer.from(await file.read(0, 9)).toString()).toBe('onetwo');
    expect([clock.monotonicMs(), clock.events()]).toEqual([0, 0]);
  });

  it('is that of the profile: one timer per operation', async () => {
    const world = createDiskWorld();
    const file = await durableFile(world, '/d/a', 'a');
    Object.assign(world.disk.profile, { writeMsMin: 2, writeMsMax: 2, syncMsMin: 7, syncMsMax: 9, readMsMin: 1, readMsMax: 1 });
    await world.settle(file.write(0, [bytes('x')]));
    expect(world.clock.monotonicMs()).toBe(2);
    await world.settle(file.datasync());
    const syncedMs = world.clock.monotonicMs();
    expect(syncedMs).toBeGreaterThanOrEqual(9);
    expect(syncedMs).toBeLessThanOrEqual(11);
    await world.settle(file.read(0, 1));
    expect(world.clock.monotonicMs()).toBe(syncedMs + 1);
    expect(world.clock.events()).toBe(3);
  });

  it('shows a write to every later read, whenever either ends', async () => {
    const world = createDiskWorld();
    const file = await durableFile(world, '/d/a', 'a');
    world.disk.profile.writeMsMin = world.disk.profile.writeMsMax = 5;
    const written = file.write(0, [bytes('new')]);
    expect(Buffer.from(await file.read(0, 3)).toString()).toBe('new');
    expect(world.clock.monotonicMs()).toBe(0);
    await world.settle(written);
    expect(world.clock.monotonicMs()).toBe(5);
  });

  it('keeps the order in a file, not between files', async () => {
    const world = createDiskWorld({ writeMsMin: 1, writeMsMax: 20 }, 3);
    const { disk, settle } = world;
    await settle(disk.makeFolder('/d'));
    const a = await settle(disk.openFile('/d/a', 'create'));
    const b = await settle(disk.openFile('/d/b', 'create'));
    const ended: string[] = [];
    const all = Array.from({ length: 12 }, (_, i) => [
      a.write(i, [bytes('x')]).then(() => ended.push(`a${i}`)),
      b.write(i, [bytes('x')]).then(() => ended.push(`b${i}`)),
    ]);
    await settle(Promise.all(all.flat()));
    const inOrder = (name: string) => Array.from({ length: 12 }, (_, i) => `${name}${i}`);
    expect(ended.filter((one) => one.startsWith('a'))).toEqual(inOrder('a'));
    expect(ended.filter((one) => one.startsWith('b'))).toEqual(inOrder('b'));
    expect(ended).not.toEqual(inOrder('a').flatMap((one, i) => [one, `b${i}`]));
  });

  it('keeps the order when latencies change to none', async () => {
    const world = createDiskWorld();
    const file = await durableFile(world, '/d/a', 'a');
    const ended: number[] = [];
    world.disk.profile.writeMsMin = world.disk.profile.writeMsMax = 3;
    const slow = file.write(0, [bytes('1')]).then(() => ended.push(1));
    world.disk.profile.writeMsMin = world.disk.profile.writeMsMax = 0;
    await world.settle(Promise.all([slow, file.write(0, [bytes('2')]).then(() => ended.push(2))]));
    expect(ended).toEqual([1, 2]);
  });

  it('lets nothing that takes no time overtake what ends at the same moment', async () => {
    const world = createDiskWorld();
    const file = await durableFile(world, '/d/a', 'a');
    const ended: number[] = [];
    const write = (number: number): Promise<unknown> => file.write(0, [bytes('x')]).then(() => ended.push(number));
    world.disk.profile.writeMsMin = world.disk.profile.writeMsMax = 3;
    const first = write(1);
    world.disk.profile.writeMsMin = world.disk.profile.writeMsMax = 0;
    const second = write(2);
    await world.settle(Promise.all([first.then(() => write(3)), second]));
    expect(ended).toEqual([1, 2, 3]);
  });

  it('stands still for the whole disk in a stall', async () => {
    const world = createDiskWorld();
    const file = await durableFile(world, '/d/a', 'a');
    world.disk.stall(400);
    await world.settle(Promise.all([file.datasync(), file.read(0, 1), world.disk.exists('/d/a')]));
    expect(world.clock.monotonicMs()).toBe(400);
    expect(world.faults).toMatchObject([{ kind: 'stall', detail: '400 ms' }]);
    Object.assign(world.disk.profile, { stallPerMille: 1000, stallMs: 50 });
    await world.settle(file.datasync());
    expect(world.clock.monotonicMs()).toBe(450);
  });

  it('is that of the process that uses the disk', async () => {
    const world = createDiskWorld({ writeMsMin: 2, writeMsMax: 2 });
    await world.clock.advance(50_000);
    await durableFile(world, '/d/a', 'a');
    const disk = world.disk.kill();
    const other = createDiskWorld();
    disk.attach(other.clock);
    const file = await other.settle(disk.openFile('/d/a', 'write'));
    await other.settle(file.write(0, [bytes('x')]));
    expect(other.clock.monotonicMs()).toBe(2);
  });
});
