/**
 * What a disk in memory holds, with what a real disk keeps to itself made visible: which
 * operations are durable, and which a crash may still lose.
 *
 * Model
 *  - A file (inode) has a durable image and a list of pending operations since its last
 *    datasync. A folder has durable names and pending name operations since its last sync.
 *  - A crash keeps any subset of the pending fragments: a write falls apart at sector
 *    edges, every fragment is kept or lost on its own; size changes and name operations
 *    likewise. A rename is one operation: both names or neither.
 *  - Images are made of pages; a page that is not there is zeros, so that a
 *    preallocated segment costs nothing. The durable image shares its pages with the
 *    current one, so that a sync costs as much as was written since the last one.
 *  - Folders exist by having been made; they are durable at once.
 *
 * Synchronous, without clock and chance: memory-disk.ts makes it a Disk.
 */
import { DiskError, type OpenMode } from '../../ports/disk.ts';
import { applyDataOperation, cloneImage, type DataOperation, emptyImage, fragmentsOf, type Image, sharePages } from './memory-image.ts';

export interface MemoryFiles {
  readonly folders: Map<string, Folder>;
  readonly locks: Set<string>;
  /** Number of the last change, counted from 1 over the whole disk. */
  order: number;
}

interface Folder {
  current: Map<string, MemoryFile>;
  durable: Map<string, MemoryFile>;
  pending: Pending<NameOperation>[];
}

/** An inode. */
export interface MemoryFile {
  /** Which file it is, whatever its name; the same after a crash. */
  readonly inode: number;
  readonly current: Image;
  readonly durable: Image;
  pending: Pending<DataOperation>[];
}

/** A change that no sync has covered. */
export interface Pending<Operation> {
  /** Its number among all changes of the disk. */
  readonly order: number;
  readonly operation: Operation;
}

export type NameOperation =
  | { readonly op: 'create'; readonly name: string; readonly file: MemoryFile }
  | { readonly op: 'rename'; readonly from: string; readonly to: string; readonly file: MemoryFile }
  | { readonly op: 'remove'; readonly name: string };

/** Something that a crash may keep or lose; fragments of one operation have the same `order`. */
export type PendingFragment =
  | { readonly kind: 'data'; readonly order: number; readonly path: string; readonly operation: DataOperation }
  | { readonly kind: 'name'; readonly order: number; readonly folder: string; readonly operation: NameOperation };

/** `position` counts the fragments as pendingFragments lists them. */
export type Keeps = (fragment: PendingFragment, position: number) => boolean;

export const createMemoryFiles = (): MemoryFiles => ({ folders: new Map(), locks: new Set(), order: 0 });

export function splitPath(path: string): { readonly folder: string; readonly name: string } {
  const slash = path.lastIndexOf('/');
  return { folder: path.slice(0, slash), name: path.slice(slash + 1) };
}

export function listFolder(files: MemoryFiles, path: string): readonly string[] {
  return [...folderAt(files, path).current.keys()].sort();
}

export function lookUp(files: MemoryFiles, path: string): MemoryFile | undefined {
  const { folder, name } = splitPath(path);
  return files.folders.get(folder)?.current.get(name);
}

export function mustFind(files: MemoryFiles, path: string): MemoryFile {
  const file = lookUp(files, path);
  if (file === undefined) throw new DiskError('ENOENT', `${path}: no such file`);
  return file;
}

export const pathExists = (files: MemoryFiles, path: string): boolean => files.folders.has(path) || lookUp(files, path) !== undefined;

function folderAt(files: MemoryFiles, path: string): Folder {
  const folder = files.folders.get(path);
  if (folder === undefined) throw new DiskError('ENOENT', `${path}: no such folder`);
  return folder;
}

export function makeFolder(files: MemoryFiles, path: string): void {
  if (path === '' || files.folders.has(path)) return;
  makeFolder(files, splitPath(path).folder);
  files.folders.set(path, { current: new Map(), durable: new Map(), pending: [] });
}

export function openMemoryFile(files: MemoryFiles, path: string, mode: OpenMode): MemoryFile {
  if (mode !== 'create') return mustFind(files, path);
  const { folder, name } = splitPath(path);
  if (lookUp(files, path) !== undefined) throw new DiskError('EEXIST', `${path}: file exists`);
  const file: MemoryFile = { inode: files.order + 1, current: emptyImage(), durable: emptyImage(), pending: [] };
  changeName(files, folder, { op: 'create', name, file });
  return file;
}

export function renameFile(files: MemoryFiles, from: string, to: string): void {
  const file = mustFind(files, from);
  const source = splitPath(from);
  const target = splitPath(to);
  if (source.folder !== target.folder) throw new DiskError('EXDEV', `${from}: rename into another folder`);
  changeName(files, source.folder, { op: 'rename', from: source.name, to: target.name, file });
}

export function removeFile(files: MemoryFiles, path: string): void {
  mustFind(files, path);
  const { folder, name } = splitPath(path);
  changeName(files, folder, { op: 'remove', name });
}

function changeName(files: MemoryFiles, path: string, operation: NameOperation): void {
  const folder = folderAt(files, path);
  applyNameOperation(folder.current, operation);
  files.order++;
  folder.pending.push({ order: files.order, operation });
}

function applyNameOperation(names: Map<string, MemoryFile>, operation: NameOperation): void {
  if (operation.op === 'create') names.set(operation.name, operation.file);
  else if (operation.op === 'remove') names.delete(operation.name);
  else {
    names.delete(operation.from);
    names.set(operation.to, operation.file);
  }
}

export function changeFile(files: MemoryFiles, file: MemoryFile, operation: DataOperation): void {
  applyDataOperation(file.current, operation);
  files.order++;
  file.pending.push({ order: files.order, operation });
}

/** Bytes by which an operation makes the file longer. */
export function growth(file: MemoryFile, operation: DataOperation): number {
  const size = operation.op === 'resize' ? operation.bytes : operation.position + operation.bytes.length;
  return size - file.current.size;
}

/** Makes changes up to number `through` durable. */
export function syncFile(file: MemoryFile, through = Number.POSITIVE_INFINITY): void {
  const covered = takeCovered(file, through).map(({ operation }) => operation);
  // A page that was changed again later is not what this sync covers.
  if (file.pending.length === 0) sharePages(file.durable, file.current, covered);
  else for (const operation of covered) applyDataOperation(file.durable, operation);
}

export function syncFolder(files: MemoryFiles, path: string, through = Number.POSITIVE_INFINITY): void {
  const folder = folderAt(files, path);
  for (const { operation } of takeCovered(folder, through)) applyNameOperation(folder.durable, operation);
}

/**
 * A failed sync: changes up to number `through` are taken for clean. They can be read, and no later
 * sync writes them, unless their page is changed again.
 */
export function forgetFile(file: MemoryFile, through: number): readonly DataOperation[] {
  return takeCovered(file, through).map(({ operation }) => operation);
}

export function forgetFolder(files: MemoryFiles, path: string, through: number): void {
  takeCovered(folderAt(files, path), through);
}

function takeCovered<Operation>(owner: { pending: Pending<Operation>[] }, through: number): readonly Pending<Operation>[] {
  const { pending } = owner;
  const firstLeft = pending.findIndex(({ order }) => order > through);
  owner.pending = firstLeft === -1 ? [] : pending.slice(firstLeft);
  return firstLeft === -1 ? pending : pending.slice(0, firstLeft);
}

export function lockPath(files: MemoryFiles, path: string): { readonly release: () => Promise<void> } {
  if (files.locks.has(path)) throw new DiskError('ELOCKED', `${path} is held`);
  files.locks.add(path);
  return {
    release: async () => {
      files.locks.delete(path);
    },
  };
}

export function usedBytes(files: MemoryFiles): number {
  let used = 0;
  for (const folder of files.folders.values()) for (const file of folder.current.values()) used += file.current.size;
  return used;
}

/** All files that a name leads to, now or after a crash, with one of their paths. */
function filesOf(files: MemoryFiles): Map<MemoryFile, string> {
  const paths = new Map<MemoryFile, string>();
  for (const [path, folder] of files.folders) {
    for (const [name, file] of [...folder.current, ...folder.durable]) if (!paths.has(file)) paths.set(file, `${path}/${name}`);
    for (const { operation } of folder.pending) {
      if (operation.op !== 'remove' && !paths.has(operation.file)) paths.set(operation.file, `${path}/${nameOf(operation)}`);
    }
  }
  return paths;
}

const nameOf = (operation: NameOperation): string => (operation.op === 'rename' ? operation.to : operation.name);

export function pendingFragments(files: MemoryFiles, sectorBytes: number): readonly PendingFragment[] {
  const fragments: PendingFragment[] = [];
  for (const [file, path] of filesOf(files)) fragments.push(...dataFragments(file, path, sectorBytes));
  for (const [path, folder] of files.folders) fragments.push(...nameFragments(folder, path));
  return fragments;
}

function* dataFragments(file: MemoryFile, path: string, sectorBytes: number): Iterable<PendingFragment & { readonly kind: 'data' }> {
  for (const { order, operation } of file.pending) {
    for (const fragment of fragmentsOf(operation, sectorBytes)) yield { kind: 'data', order, path, operation: fragment };
  }
}

function* nameFragments(folder: Folder, path: string): Iterable<PendingFragment & { readonly kind: 'name' }> {
  for (const { order, operation } of folder.pending) yield { kind: 'name', order, folder: path, operation };
}

/** What is there after a crash; shares no state with `files`. Locks are gone. */
export function crashFiles(files: MemoryFiles, keeps: Keeps, sectorBytes: number): MemoryFiles {
  let position = 0;
  const survivors = new Map<MemoryFile, MemoryFile>();
  for (const [file, path] of filesOf(files)) {
    const image = cloneImage(file.durable);
    for (const fragment of dataFragments(file, path, sectorBytes)) {
      if (keeps(fragment, position++)) applyDataOperation(image, fragment.operation);
    }
    survivors.set(file, { inode: file.inode, current: image, durable: cloneImage(image), pending: [] });
  }
  const after: MemoryFiles = { ...createMemoryFiles(), order: files.order };
  for (const [path, folder] of files.folders) {
    const names = new Map(folder.durable);
    for (const fragment of nameFragments(folder, path)) {
      if (keeps(fragment, position++)) applyNameOperation(names, fragment.operation);
    }
    const durable = new Map([...names].flatMap(([name, file]) => survivorEntry(survivors, name, file)));
    after.folders.set(path, { current: new Map(durable), durable, pending: [] });
  }
  return after;
}

function survivorEntry(survivors: Map<MemoryFile, MemoryFile>, name: string, file: MemoryFile): [string, MemoryFile][] {
  const survivor = survivors.get(file);
  return survivor === undefined ? [] : [[name, survivor]];
}
