/**
 * The Disk port in memory, with what a real disk keeps to itself made visible: which
 * operations are durable, and which a crash may still lose.
 *
 * Model
 *  - A file (inode) has a durable image and a list of pending operations since its last
 *    datasync. A folder has durable names and pending name operations since its last sync.
 *  - A crash keeps any subset of the pending fragments: a write falls apart at sector
 *    edges, every fragment is kept or lost on its own; size changes and name operations
 *    likewise. A rename is one operation: both names or neither.
 *  - Images are made of pages; a page that is not there is zeros, so that a
 *    preallocated segment costs nothing.
 *
 * Deterministic: no clock, no randomness; whoever crashes the disk chooses what is kept.
 * Operations take a number of microtask turns (options.turns) and are done in the order in which
 * they were called; what a write holds is fixed when it is called.
 *
 * Folders exist by having been made; they are durable at once.
 */
import { type Disk, DiskError, type DiskFile, type OpenMode } from '../../ports/disk.ts';
import { applyDataOperation, cloneImage, type DataOperation, emptyImage, fragmentsOf, type Image, readImage } from './memory-image.ts';

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

/** Something that a crash may keep or lose. */
export type PendingFragment =
  | { readonly kind: 'data'; readonly path: string; readonly operation: DataOperation }
  | { readonly kind: 'name'; readonly folder: string; readonly operation: NameOperation };

export type NameOperation =
  | { readonly op: 'create'; readonly name: string; readonly file: MemoryFile }
  | { readonly op: 'rename'; readonly from: string; readonly to: string; readonly file: MemoryFile }
  | { readonly op: 'remove'; readonly name: string };

/** An inode. */
export interface MemoryFile {
  current: Image;
  durable: Image;
  pending: DataOperation[];
}

interface Folder {
  current: Map<string, MemoryFile>;
  durable: Map<string, MemoryFile>;
  pending: NameOperation[];
}

export interface MemoryDisk extends Disk {
  /** What a crash now may keep or lose, in the order in which it was done. */
  readonly pending: () => readonly PendingFragment[];
  /** The disk after a crash that keeps the fragments for which `keeps` says so (all else is lost). Locks are gone. */
  readonly crash: (keeps: (fragment: PendingFragment, position: number) => boolean, options?: MemoryDiskOptions) => MemoryDisk;
  /** Current bytes of a file, to be looked at. */
  readonly bytesOf: (path: string) => Uint8Array;
  readonly usedBytes: () => number;
  capacityBytes: number;
}

interface MemoryState {
  readonly folders: Map<string, Folder>;
  readonly locks: Set<string>;
  readonly options: MemoryDiskOptions;
  readonly sectorBytes: number;
}

export function createMemoryDisk(options: MemoryDiskOptions = {}): MemoryDisk {
  return diskOf({ folders: new Map(), locks: new Set(), options, sectorBytes: options.sectorBytes ?? 512 });
}

function diskOf(state: MemoryState): MemoryDisk {
  const act = <T>(operation: DiskOperation, action: () => T): Promise<T> => perform(state, operation, action);
  const disk: MemoryDisk = {
    capacityBytes: state.options.capacityBytes ?? Number.POSITIVE_INFINITY,
    openFile: (path, mode) => act({ kind: 'open', path }, () => fileHandle(state, disk, path, openMemoryFile(state, path, mode))),
    list: (folder) => act({ kind: 'list', path: folder }, () => [...folderAt(state, folder).current.keys()].sort()),
    exists: (path) => act({ kind: 'list', path }, () => state.folders.has(path) || lookUp(state, path) !== undefined),
    makeFolder: (folder) => act({ kind: 'list', path: folder }, () => makeFolder(state, folder)),
    rename: (from, to) => act({ kind: 'rename', path: from }, () => renameFile(state, from, to)),
    remove: (path) => act({ kind: 'remove', path }, () => removeFile(state, path)),
    syncFolder: (folder) => act({ kind: 'sync-folder', path: folder }, () => syncFolder(folderAt(state, folder))),
    freeBytes: (path) => act({ kind: 'list', path }, () => disk.capacityBytes - usedBytes(state)),
    lock: (path) => act({ kind: 'open', path }, () => lockPath(state, path)),
    pending: () => pendingFragments(state),
    crash: (keeps, options = {}) => diskOf(crashState(state, keeps, options)),
    bytesOf: (path) => readImage(mustFind(state, path).current, 0, Number.MAX_SAFE_INTEGER),
    usedBytes: () => usedBytes(state),
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
    const grows = sizeAfter(operation) - file.current.size;
    if (grows > 0 && usedBytes(state) + grows > disk.capacityBytes) throw new DiskError('ENOSPC', `${path}: no space left`);
    applyDataOperation(file.current, operation);
    file.pending.push(operation);
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
    datasync: () =>
      perform(state, { kind: 'datasync', path }, () => {
        file.durable = cloneImage(file.current);
        file.pending = [];
      }),
    close: async () => undefined,
  };
}

const sizeAfter = (operation: DataOperation): number =>
  operation.op === 'resize' ? operation.bytes : operation.position + operation.bytes.length;

function splitPath(path: string): { readonly folder: string; readonly name: string } {
  const slash = path.lastIndexOf('/');
  return { folder: path.slice(0, slash), name: path.slice(slash + 1) };
}

function folderAt(state: MemoryState, path: string): Folder {
  const folder = state.folders.get(path);
  if (folder === undefined) throw new DiskError('ENOENT', `${path}: no such folder`);
  return folder;
}

function lookUp(state: MemoryState, path: string): MemoryFile | undefined {
  const { folder, name } = splitPath(path);
  return state.folders.get(folder)?.current.get(name);
}

function mustFind(state: MemoryState, path: string): MemoryFile {
  const file = lookUp(state, path);
  if (file === undefined) throw new DiskError('ENOENT', `${path}: no such file`);
  return file;
}

function makeFolder(state: MemoryState, path: string): void {
  if (path === '' || state.folders.has(path)) return;
  makeFolder(state, splitPath(path).folder);
  state.folders.set(path, { current: new Map(), durable: new Map(), pending: [] });
}

function openMemoryFile(state: MemoryState, path: string, mode: OpenMode): MemoryFile {
  if (mode !== 'create') return mustFind(state, path);
  const { folder, name } = splitPath(path);
  if (lookUp(state, path) !== undefined) throw new DiskError('EEXIST', `${path}: file exists`);
  const file: MemoryFile = { current: emptyImage(), durable: emptyImage(), pending: [] };
  changeName(folderAt(state, folder), { op: 'create', name, file });
  return file;
}

function renameFile(state: MemoryState, from: string, to: string): void {
  const file = mustFind(state, from);
  const source = splitPath(from);
  const target = splitPath(to);
  if (source.folder !== target.folder) throw new DiskError('EXDEV', `${from}: rename into another folder`);
  changeName(folderAt(state, source.folder), { op: 'rename', from: source.name, to: target.name, file });
}

function removeFile(state: MemoryState, path: string): void {
  mustFind(state, path);
  const { folder, name } = splitPath(path);
  changeName(folderAt(state, folder), { op: 'remove', name });
}

function changeName(folder: Folder, operation: NameOperation): void {
  applyNameOperation(folder.current, operation);
  folder.pending.push(operation);
}

function applyNameOperation(names: Map<string, MemoryFile>, operation: NameOperation): void {
  if (operation.op === 'create') names.set(operation.name, operation.file);
  else if (operation.op === 'remove') names.delete(operation.name);
  else {
    names.delete(operation.from);
    names.set(operation.to, operation.file);
  }
}

function syncFolder(folder: Folder): void {
  folder.durable = new Map(folder.current);
  folder.pending = [];
}

function lockPath(state: MemoryState, path: string): { readonly release: () => Promise<void> } {
  if (state.locks.has(path)) throw new DiskError('ELOCKED', `${path} is held`);
  state.locks.add(path);
  return {
    release: async () => {
      state.locks.delete(path);
    },
  };
}

function usedBytes(state: MemoryState): number {
  let used = 0;
  for (const folder of state.folders.values()) for (const file of folder.current.values()) used += file.current.size;
  return used;
}

/** All files that a name leads to, now or after a crash, with one of their paths. */
function filesOf(state: MemoryState): Map<MemoryFile, string> {
  const files = new Map<MemoryFile, string>();
  for (const [path, folder] of state.folders) {
    for (const [name, file] of [...folder.current, ...folder.durable]) if (!files.has(file)) files.set(file, `${path}/${name}`);
    for (const operation of folder.pending) {
      if (operation.op !== 'remove' && !files.has(operation.file)) files.set(operation.file, `${path}/${nameOf(operation)}`);
    }
  }
  return files;
}

const nameOf = (operation: NameOperation): string => (operation.op === 'rename' ? operation.to : operation.name);

function pendingFragments(state: MemoryState): readonly PendingFragment[] {
  const fragments: PendingFragment[] = [];
  for (const [file, path] of filesOf(state)) {
    for (const operation of file.pending) {
      for (const fragment of fragmentsOf(operation, state.sectorBytes)) fragments.push({ kind: 'data', path, operation: fragment });
    }
  }
  for (const [folder, { pending }] of state.folders) for (const operation of pending) fragments.push({ kind: 'name', folder, operation });
  return fragments;
}

function crashState(
  state: MemoryState,
  keeps: (fragment: PendingFragment, position: number) => boolean,
  options: MemoryDiskOptions,
): MemoryState {
  let position = 0;
  const survivors = new Map<MemoryFile, MemoryFile>();
  for (const [file, path] of filesOf(state)) {
    const image = cloneImage(file.durable);
    for (const operation of file.pending) {
      for (const fragment of fragmentsOf(operation, state.sectorBytes)) {
        if (keeps({ kind: 'data', path, operation: fragment }, position++)) applyDataOperation(image, fragment);
      }
    }
    survivors.set(file, { current: image, durable: cloneImage(image), pending: [] });
  }
  const folders = new Map<string, Folder>();
  for (const [path, folder] of state.folders) {
    const names = new Map(folder.durable);
    for (const operation of folder.pending) {
      if (keeps({ kind: 'name', folder: path, operation }, position++)) applyNameOperation(names, operation);
    }
    const durable = new Map([...names].flatMap(([name, file]) => survivorEntry(survivors, name, file)));
    folders.set(path, { current: new Map(durable), durable, pending: [] });
  }
  return { folders, locks: new Set(), options: { ...state.options, ...options }, sectorBytes: options.sectorBytes ?? state.sectorBytes };
}

function survivorEntry(survivors: Map<MemoryFile, MemoryFile>, name: string, file: MemoryFile): [string, MemoryFile][] {
  const survivor = survivors.get(file);
  return survivor === undefined ? [] : [[name, survivor]];
}
