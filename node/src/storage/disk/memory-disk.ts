/**
 * The Disk port in memory, over the model of memory-files.ts: what a crash may keep or lose is
 * visible, and whoever crashes the disk chooses.
 *
 * Deterministic: no clock, no randomness. Operations take a number of microtask turns
 * (options.turns) and are done in the order in which they were called; what a write
 * holds is fixed when it is called.
 */
import { type Disk, DiskError, type DiskFile } from '../../ports/disk.ts';
import {
  changeFile,
  crashFiles,
  createMemoryFiles,
  growth,
  type Keeps,
  listFolder,
  lockPath,
  makeFolder,
  type MemoryFile,
  type MemoryFiles,
  mustFind,
  openMemoryFile,
  pathExists,
  type PendingFragment,
  pendingFragments,
  removeFile,
  renameFile,
  syncFile,
  syncFolder,
  usedBytes,
} from './memory-files.ts';
import { type DataOperation, readImage } from './memory-image.ts';

export type { PendingFragment } from './memory-files.ts';

export interface MemoryDiskOptions {
  /** Unit of a torn write. Default: 512. */
  readonly sectorBytes?: number;
  /** Bytes of all files together. Default: without limit. */
  readonly capacityBytes?: number;
  /** Microtask turns that an operation takes. Default: 1. */
  readonly turns?: number;
  /** Called before each operation; what it throws is what the operation rejects with. */
  readonly onOperation?: (operation: DiskOperation) => void;
}

export interface DiskOperation {
  readonly kind: 'open' | 'read' | 'write' | 'resize' | 'datasync' | 'rename' | 'remove' | 'sync-folder' | 'list';
  readonly path: string;
  /** Position and bytes of a read or write. */
  readonly position?: number;
  readonly bytes?: number;
}

export interface MemoryDisk extends Disk {
  /** What a crash now may keep or lose, in the order in which it was done. */
  readonly pending: () => readonly PendingFragment[];
  /** The disk after a crash that keeps the fragments for which `keeps` says so (all else is lost). Locks are gone. */
  readonly crash: (keeps: Keeps, options?: MemoryDiskOptions) => MemoryDisk;
  /** Current bytes of a file, to be looked at. */
  readonly bytesOf: (path: string) => Uint8Array;
  readonly usedBytes: () => number;
  capacityBytes: number;
}

interface MemoryState {
  readonly files: MemoryFiles;
  readonly options: MemoryDiskOptions;
}

const defaultSectorBytes = 512;

export function createMemoryDisk(options: MemoryDiskOptions = {}): MemoryDisk {
  return diskOf({ files: createMemoryFiles(), options });
}

function diskOf(state: MemoryState): MemoryDisk {
  const { files } = state;
  const { sectorBytes = defaultSectorBytes, capacityBytes = Number.POSITIVE_INFINITY } = state.options;
  const act = <T>(operation: DiskOperation, action: () => T): Promise<T> => perform(state, operation, action);
  const disk: MemoryDisk = {
    capacityBytes,
    openFile: (path, mode) => act({ kind: 'open', path }, () => fileHandle(state, disk, path, openMemoryFile(files, path, mode))),
    list: (folder) => act({ kind: 'list', path: folder }, () => listFolder(files, folder)),
    exists: (path) => act({ kind: 'list', path }, () => pathExists(files, path)),
    makeFolder: (folder) => act({ kind: 'list', path: folder }, () => makeFolder(files, folder)),
    rename: (from, to) => act({ kind: 'rename', path: from }, () => renameFile(files, from, to)),
    remove: (path) => act({ kind: 'remove', path }, () => removeFile(files, path)),
    syncFolder: (folder) => act({ kind: 'sync-folder', path: folder }, () => syncFolder(files, folder)),
    freeBytes: (path) => act({ kind: 'list', path }, () => disk.capacityBytes - usedBytes(files)),
    lock: (path) => act({ kind: 'open', path }, () => lockPath(files, path)),
    pending: () => pendingFragments(files, sectorBytes),
    crash: (keeps, options = {}) => diskOf({ files: crashFiles(files, keeps, sectorBytes), options: { ...state.options, ...options } }),
    bytesOf: (path) => readImage(mustFind(files, path).current, 0, Number.MAX_SAFE_INTEGER),
    usedBytes: () => usedBytes(files),
  };
  return disk;
}

async function perform<T>(state: MemoryState, operation: DiskOperation, action: () => T): Promise<T> {
  state.options.onOperation?.(operation);
  const result = action();
  for (let turn = 0; turn < (state.options.turns ?? 1); turn++) await Promise.resolve();
  return result;
}

function fileHandle(state: MemoryState, disk: MemoryDisk, path: string, file: MemoryFile): DiskFile {
  const change = (operation: DataOperation): void => {
    const grows = growth(file, operation);
    if (grows > 0 && usedBytes(state.files) + grows > disk.capacityBytes) throw new DiskError('ENOSPC', `${path}: no space left`);
    changeFile(state.files, file, operation);
  };
  const resize = (bytes: number): Promise<void> => perform(state, { kind: 'resize', path, bytes }, () => change({ op: 'resize', bytes }));
  return {
    size: async () => file.current.size,
    read: (position, length) =>
      perform(state, { kind: 'read', path, position, bytes: length }, () => readImage(file.current, position, length)),
    write: (position, parts) => {
      const bytes = Buffer.concat(parts);
      return perform(state, { kind: 'write', path, position, bytes: bytes.length }, () => change({ op: 'write', position, bytes }));
    },
    preallocate: resize,
    truncate: resize,
    datasync: () => perform(state, { kind: 'datasync', path }, () => syncFile(file)),
    close: async () => undefined,
  };
}
