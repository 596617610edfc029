/**
 * A power failure behind the shim against the model of a disk (memory-disk.ts), over random
 * writes, changes of size, syncs, renames and removals, syncs that fail included.
 *
 * What must hold
 *  - Before it, both disks show the same.
 *  - Without tearing, exactly what was synced is there: names, sizes, contents.
 *  - With tearing, the names are those after one of the changes since the last sync of the folder,
 *    and every sector of every file is as it was after one of its changes since its last sync.
 *  - Nothing else is in the folder.
 */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Torn } from '@balsa/node/faults/command.ts';
import type { DiskFile } from '@balsa/node/ports/disk.ts';
import { createMemoryDisk, type MemoryDisk } from '@balsa/node/storage/disk/memory-disk.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFaultyDisk, type FaultyDisk } from '../unit/faults/faulty-disk.ts';

const sectorBytes = 512;
const folder = '/d';
const fileNames = ['a', 'b', 'c'] as const;

type OnFile =
  | { readonly op: 'create' | 'remove' | 'sync' | 'failed-sync'; readonly name: string }
  | { readonly op: 'write'; readonly name: string; readonly position: number; readonly length: number }
  | { readonly op: 'preallocate' | 'truncate'; readonly name: string; readonly bytes: number }
  | { readonly op: 'rename'; readonly name: string; readonly to: string };
type Operation = OnFile | { readonly op: 'sync-folder' | 'failed-sync-folder' };

const name = fc.constantFrom(...fileNames);
const position = fc.nat({ max: 1800 });
const length = fc.integer({ min: 1, max: 1500 });
const simple = <Op extends string>(...ops: readonly Op[]) => fc.record({ op: fc.constantFrom(...ops), name });
const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 3, arbitrary: simple('create') },
  { weight: 6, arbitrary: fc.record({ op: fc.constant('write' as const), name, position, length }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constantFrom('preallocate' as const, 'truncate' as const), name, bytes: position }) },
  { weight: 3, arbitrary: simple('sync') },
  { weight: 1, arbitrary: simple('remove') },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('rename' as const), name, to: name }) },
  { weight: 2, arbitrary: fc.constant({ op: 'sync-folder' } as const) },
);
const failing: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 12, arbitrary: operation },
  { weight: 1, arbitrary: simple('failed-sync') },
  { weight: 1, arbitrary: fc.constant({ op: 'failed-sync-folder' } as const) },
);

/** One file, whatever its name. */
interface Handle {
  readonly real: DiskFile;
  readonly model: DiskFile;
  /** A sync failed: none counts any more. */
  syncFailed: boolean;
  renamed: boolean;
  /** Contents since the last sync, the synced one first. */
  states: Uint8Array[];
}

interface World {
  readonly subject: FaultyDisk;
  readonly model: MemoryDisk;
  readonly handles: Map<string, Handle>;
  folderSyncFailed: boolean;
  /** Who has which name, since the last sync of the folder, the synced state first. */
  names: ReadonlyMap<string, Handle>[];
  serial: number;
}

async function createWorld(seed: number): Promise<World> {
  const model = createMemoryDisk();
  await model.makeFolder(folder);
  return { subject: createFaultyDisk(seed), model, handles: new Map(), folderSyncFailed: false, names: [new Map()], serial: 0 };
}

async function perform(world: World, todo: Operation): Promise<void> {
  if ('name' in todo) await performOnFile(world, todo);
  else await syncFolder(world, todo.op === 'failed-sync-folder');
}

async function performOnFile(world: World, todo: OnFile): Promise<void> {
  const { subject, model, handles } = world;
  const handle = handles.get(todo.name);
  const at = `${folder}/${todo.name}`;
  if (todo.op === 'create') {
    if (handle !== undefined) return;
    const [real, twin] = [await subject.disk.openFile(subject.path(todo.name), 'create'), await model.openFile(at, 'create')];
    handles.set(todo.name, { real, model: twin, syncFailed: false, renamed: false, states: [new Uint8Array(0)] });
    world.names.push(new Map(handles));
  } else if (handle === undefined) return;
  else if (todo.op === 'remove') {
    await subject.disk.remove(subject.path(todo.name));
    await model.remove(at);
    handles.delete(todo.name);
    forgetNew(world, todo.name, handle);
    world.names.push(new Map(handles));
  } else if (todo.op === 'rename') {
    if (todo.to === todo.name) return;
    await subject.disk.rename(subject.path(todo.name), subject.path(todo.to));
    await model.rename(at, `${folder}/${todo.to}`);
    handles.delete(todo.name);
    handles.set(todo.to, handle);
    handle.renamed = true;
    world.names.push(new Map(handles));
  } else if (todo.op === 'sync' || todo.op === 'failed-sync') await syncFile(world, handle, todo.op === 'failed-sync');
  else {
    await change(world, handle, todo);
    const size = await handle.model.size();
    handle.states.push(await handle.model.read(0, size));
  }
}

/** A file that was made since the last sync of the folder and is gone again: a disk may never have heard of it. */
function forgetNew(world: World, file: string, handle: Handle): void {
  const isSynced = [...(world.names[0]?.values() ?? [])].includes(handle);
  if (isSynced || handle.renamed) return;
  world.names = world.names.map((names) => new Map([...names].filter(([other, owner]) => other !== file || owner !== handle)));
}

async function change(world: World, { real, model }: Handle, todo: Operation): Promise<void> {
  if (todo.op === 'write') {
    world.serial++;
    const parts = [Buffer.alloc(todo.length, (world.serial % 255) + 1)];
    for (const file of [real, model]) await file.write(todo.position, parts);
  } else if (todo.op === 'preallocate' || todo.op === 'truncate') {
    for (const file of [real, model]) await file[todo.op](todo.bytes);
  }
}

async function syncFile({ subject }: World, handle: Handle, fails: boolean): Promise<void> {
  if (fails) {
    subject.arm({ fault: 'sync-error', times: 1 });
    await expect(handle.real.datasync()).rejects.toMatchObject({ code: 'EIO' });
    handle.syncFailed = true;
    return;
  }
  await handle.real.datasync();
  if (handle.syncFailed) return;
  await handle.model.datasync();
  handle.states = handle.states.slice(-1);
}

async function syncFolder(world: World, fails: boolean): Promise<void> {
  const { subject, model } = world;
  if (fails) {
    subject.arm({ fault: 'sync-error', times: 1 });
    await expect(subject.disk.syncFolder(subject.folder)).rejects.toMatchObject({ code: 'EIO' });
    world.folderSyncFailed = true;
    return;
  }
  await subject.disk.syncFolder(subject.folder);
  if (world.folderSyncFailed) return;
  await model.syncFolder(folder);
  world.names = world.names.slice(-1);
}

async function play(seed: number, operations: readonly Operation[], check: (world: World) => Promise<void>): Promise<void> {
  const world = await createWorld(seed);
  try {
    for (const todo of operations) await perform(world, todo);
    expect(await world.subject.disk.list(world.subject.folder)).toEqual(await world.model.list(folder));
    for (const [file, { real }] of world.handles) {
      expect(Buffer.from(await real.read(0, 10_000)).equals(world.model.bytesOf(`${folder}/${file}`))).toBe(true);
    }
    await check(world);
  } finally {
    await world.subject.clean();
  }
}

const contentOf = ({ subject }: World, file: string): Uint8Array => readFileSync(path.join(subject.folder, file));

describe('the shim of the disk', () => {
  it.each([
    ['without failures', operation],
    ['with syncs that fail', failing],
  ])('a power failure leaves exactly what was synced, %s', async (_, arbitrary) => {
    await fc.assert(
      fc.asyncProperty(fc.array(arbitrary, { maxLength: 40, size: 'max' }), (operations) =>
        play(1, operations, async (world) => {
          const unsynced = world.subject.shim.unsynced();
          const lost = await world.subject.failPower();
          expect(lost).toMatchObject({ lostBytes: unsynced.bytes, keptBytes: 0, names: unsynced.names });
          const crashed = world.model.crash(() => false);
          expect(readdirSync(world.subject.folder).toSorted()).toEqual(await crashed.list(folder));
          for (const file of await crashed.list(folder)) {
            expect(contentOf(world, file)).toEqual(Buffer.from(crashed.bytesOf(`${folder}/${file}`)));
          }
        }),
      ),
      { numRuns: 300 },
    );
  });

  it('a power failure that tears leaves a state that a disk may be in', async () => {
    const torn = fc.constantFrom<Torn>(true, 'prefix', 'sectors');
    let kept = 0;
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.array(failing, { maxLength: 40, size: 'max' }), torn, (seed, operations, mode) =>
        play(seed, operations, async (world) => {
          const unsynced = world.subject.shim.unsynced();
          const { lostBytes, keptBytes } = await world.subject.failPower(mode);
          expect(lostBytes + keptBytes).toBe(unsynced.bytes);
          kept += keptBytes;
          expectLegal(world);
        }),
      ),
      { numRuns: 400 },
    );
    expect(kept).toBeGreaterThan(0);
  });
});

function expectLegal(world: World): void {
  const found = readdirSync(world.subject.folder).toSorted();
  const candidates = world.names.filter((names) => [...names.keys()].toSorted().join() === found.join());
  expect(candidates, `names ${found.join()}`).not.toEqual([]);
  const fits = (names: ReadonlyMap<string, Handle>): boolean =>
    [...names].every(([file, handle]) => isLegalContent(contentOf(world, file), handle.states));
  expect(candidates.some(fits)).toBe(true);
}

function isLegalContent(content: Uint8Array, states: readonly Uint8Array[]): boolean {
  const sizes = states.map((state) => state.length);
  if (content.length < Math.min(...sizes) || content.length > Math.max(...sizes)) return false;
  const sectorOf = (bytes: Uint8Array, at: number): Buffer => {
    const sector = Buffer.alloc(sectorBytes);
    sector.set(bytes.subarray(at, at + sectorBytes));
    return sector;
  };
  for (let at = 0; at < content.length; at += sectorBytes) {
    const there = sectorOf(content, at);
    if (!states.some((state) => there.equals(sectorOf(state, at)))) return false;
  }
  return true;
}
