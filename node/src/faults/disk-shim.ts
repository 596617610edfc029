/**
 * The Disk port with faults, over a real disk.
 *
 * Two things in one: errors, delays and stalls as the fault board says; and a memory of
 * what no sync has covered (undo-log.ts, name-log.ts), so that a power failure can take
 * it back. That makes one real for a process without any rights: what was written and not
 * synced is gone afterwards, though the operating system had it.
 *
 * Invariants
 *  - The power is switched off first (power.ts), then what was not synced is rolled back.
 *  - The memory is bounded (`heldBytesMax`, `changesMax`, `namesMax`): beyond it the file or folder
 *    is synced early. A disk may do that at any time.
 *  - What a failed sync should have covered stays lost, whatever syncs follow.
 *  - New folders are durable at once.
 */
import path from 'node:path';
import { type Disk, DiskError, type DiskFile, type OpenMode } from '../ports/disk.ts';
import type { Torn } from './command.ts';
import { faultsNamed, strike } from './fault-board.ts';
import * as names from './name-log.ts';
import { shimFile } from './shim-file.ts';
import { perform, pointsOfName, type ShimState } from './shim-state.ts';
import { isUnsyncedAt, rollBackFile, trackFile, unsyncedBytes } from './undo-log.ts';

/** Changes of names in one folder that wait for its sync. */
const namesMax = 1_000;

/** What a power failure now would take. */
export interface Unsynced {
  readonly bytes: number;
  readonly files: number;
  readonly names: number;
  readonly writeBacks: number;
}

export interface LostFiles {
  readonly lostBytes: number;
  /** Of torn writes. */
  readonly keptBytes: number;
  /** Files that had something to lose. */
  readonly files: number;
  readonly names: number;
}

export interface DiskShim {
  readonly disk: Disk;
  readonly unsynced: () => Unsynced;
  readonly isUnsyncedAt: (file: string, position: number) => boolean;
  /** Takes back what was not synced. Synchronous; the power must be off and the process is to end. */
  readonly rollBack: (torn: Torn) => LostFiles;
}

export function createDiskShim(inner: Disk, parts: Pick<ShimState, 'board' | 'points' | 'power'>): DiskShim {
  const shim: ShimState = { ...parts, inner, files: new Map(), names: names.createNameLog(), writeBacks: 0 };
  return {
    disk: diskOf(shim),
    unsynced: () => unsynced(shim),
    isUnsyncedAt: (file, position) => {
      const tracked = shim.files.get(file);
      return tracked !== undefined && isUnsyncedAt(tracked, position);
    },
    rollBack: (torn) => rollBack(shim, torn),
  };
}

function unsynced({ files, names: log, writeBacks }: ShimState): Unsynced {
  const dirty = [...files.values()].filter((file) => file.undo.length > 0);
  const bytes = dirty.reduce((sum, file) => sum + unsyncedBytes(file), 0);
  return { bytes, files: dirty.length, names: names.unsyncedNames(log), writeBacks };
}

function rollBack({ files, names: log, board }: ShimState, torn: Torn): LostFiles {
  const dirty = [...files.values()].filter((file) => file.undo.length > 0);
  let lostBytes = 0;
  let keptBytes = 0;
  for (const file of dirty) {
    const lost = rollBackFile(file, torn, board.random);
    lostBytes += lost.lostBytes;
    keptBytes += lost.keptBytes;
  }
  return { lostBytes, keptBytes, files: dirty.length, names: names.rollBackNames(log, torn, board.random) };
}

function diskOf(shim: ShimState): Disk {
  const { inner, power } = shim;
  return {
    openFile: (file, mode) => perform(shim, 'name', file, () => openFile(shim, file, mode)),
    list: (folder) => perform(shim, 'name', folder, () => list(shim, folder)),
    exists: (file) => perform(shim, 'name', file, () => inner.exists(file)),
    makeFolder: (folder) => perform(shim, 'name', folder, () => inner.makeFolder(folder)),
    rename: (from, to) => perform(shim, 'name', from, () => rename(shim, from, to), pointsOfName(to, 'naming')),
    remove: (file) => perform(shim, 'name', file, () => remove(shim, file), pointsOfName(file, 'removal')),
    syncFolder: (folder) => perform(shim, 'sync-folder', folder, () => syncFolder(shim, folder)),
    freeBytes: (file) => power.device(() => freeBytes(shim, file)),
    lock: async (file) => {
      const lock = await inner.lock(file);
      names.clearSpares(path.dirname(file));
      return lock;
    },
  };
}

async function freeBytes({ inner, board }: ShimState, file: string): Promise<number> {
  return Math.min(await inner.freeBytes(file), ...faultsNamed(board, 'disk-full').map(({ roomBytes }) => roomBytes));
}

async function openFile(shim: ShimState, file: string, mode: OpenMode): Promise<DiskFile> {
  const opened = await shim.inner.openFile(file, mode);
  let tracked = shim.files.get(file);
  if (tracked === undefined || mode === 'create') shim.files.set(file, (tracked = trackFile(file)));
  if (mode === 'create') await noteName(shim, path.dirname(file), { change: 'create', path: file });
  return shimFile(shim, opened, tracked);
}

async function list(shim: ShimState, folder: string): Promise<readonly string[]> {
  const found = await shim.inner.list(folder);
  return found.filter((name) => !shim.names.spares.has(path.join(folder, name)));
}

async function rename(shim: ShimState, from: string, to: string): Promise<void> {
  const spare = names.keepReplaced(to, shim.board.random);
  await shim.inner.rename(from, to);
  if (spare !== undefined) moveTracked(shim, to, spare);
  moveTracked(shim, from, to);
  await noteName(shim, path.dirname(to), { change: 'rename', from, to, spare });
}

async function remove(shim: ShimState, file: string): Promise<void> {
  if (faultsNamed(shim.board, 'disk-full').length > 0) await giveRoom(shim, file);
  const created = names.pendingCreate(shim.names, file);
  if (created !== undefined) {
    // A file that is made and given up again and again must not fill the disk.
    await shim.inner.remove(file);
    names.forgetName(shim.names, file, created);
    shim.files.delete(file);
    return;
  }
  const spare = names.newSpare(file, shim.board.random);
  await shim.inner.rename(file, spare);
  moveTracked(shim, file, spare);
  await noteName(shim, path.dirname(file), { change: 'remove', path: file, spare });
}

async function giveRoom({ inner, board }: ShimState, file: string): Promise<void> {
  const opened = await inner.openFile(file, 'read');
  const bytes = await opened.size();
  await opened.close();
  for (const fault of faultsNamed(board, 'disk-full')) fault.roomBytes += bytes;
}

function moveTracked(shim: ShimState, from: string, to: string): void {
  const tracked = shim.files.get(from);
  shim.files.delete(from);
  if (tracked === undefined) return;
  tracked.path = to;
  shim.files.set(to, tracked);
}

async function noteName(shim: ShimState, folder: string, change: names.NameChange): Promise<void> {
  names.noteName(shim.names, change);
  if (names.pendingCount(shim.names, folder) <= namesMax) return;
  if (shim.names.failed.has(folder)) throw new DiskError('EIO', `${folder}: an earlier sync failed, and there are too many changes since`);
  await settleFolder(shim, folder);
  shim.writeBacks++;
}

async function syncFolder(shim: ShimState, folder: string): Promise<void> {
  if (strike(shim.board, 'sync-error', folder) !== undefined) {
    shim.names.failed.add(folder);
    throw new DiskError('EIO', `${folder}: injected error of fsync`);
  }
  await settleFolder(shim, folder);
}

async function settleFolder(shim: ShimState, folder: string): Promise<void> {
  const covered = names.pendingNames(shim.names, folder);
  await shim.inner.syncFolder(folder);
  for (const spare of names.settleNames(shim.names, folder, covered)) {
    shim.files.delete(spare);
    await shim.inner.remove(spare);
  }
}
