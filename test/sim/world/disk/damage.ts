/**
 * Damage to what is durable, while a process runs or between two of them. Chance picks the
 * place within the files that `within` names; what was not synced is not touched.
 *
 * A page that is clean (the cache has nothing newer) is read from the disk: the damage is seen at once.
 * A dirty page hides it until the next start, or heals it with the next sync.
 */
import type { Random } from '@balsa/node/ports/random.ts';
import type { MemoryFile, MemoryFiles } from '@balsa/node/storage/disk/memory-files.ts';
import { applyDataOperation, pageBytes, setPage } from '@balsa/node/storage/disk/memory-image.ts';
import type { Damage, DamageKind } from './disk-fault.ts';
import type { PageHistory } from './page-history.ts';

export interface DamageTarget {
  readonly files: MemoryFiles;
  readonly random: Random;
  readonly history: PageHistory;
}

interface NamedFile {
  readonly path: string;
  readonly file: MemoryFile;
}

interface Place extends NamedFile {
  /** Page number. */
  readonly number: number;
}

const damages: Record<DamageKind, (target: DamageTarget, files: readonly NamedFile[]) => Damage | undefined> = {
  'bit-rot': rotBit,
  'zero-page': zeroPage,
  'stale-page': rollBackPage,
  'misdirected-write': copyPage,
  'truncated-file': truncateFile,
  'removed-file': removeName,
};

/** Undefined if there is nothing that could be damaged in this way. */
export function inflict(target: DamageTarget, kind: DamageKind, within: (path: string) => boolean): Damage | undefined {
  return damages[kind](
    target,
    namedFiles(target.files).filter(({ path }) => within(path)),
  );
}

/** Replaces a durable page, and the cached one if it is clean. */
export function overwritePage(file: MemoryFile, number: number, page: Uint8Array | undefined): void {
  const isClean = file.current.pages.get(number) === file.durable.pages.get(number);
  setPage(file.durable, number, page);
  if (isClean) setPage(file.current, number, page);
}

/** No page of the cache differs from the disk's. */
export function isCleanFile({ current, durable }: MemoryFile): boolean {
  const numbers = new Set([...current.pages.keys(), ...durable.pages.keys()]);
  return current.size === durable.size && [...numbers].every((number) => isSame(current.pages.get(number), durable.pages.get(number)));
}

export function namedFiles(files: MemoryFiles): readonly NamedFile[] {
  const named: NamedFile[] = [];
  for (const [folder, { current }] of files.folders) for (const [name, file] of current) named.push({ path: `${folder}/${name}`, file });
  return named.sort((one, other) => (one.path < other.path ? -1 : 1));
}

/** Durable pages that hold something. */
function fullPages(files: readonly NamedFile[]): readonly Place[] {
  return files.flatMap(({ path, file }) =>
    [...file.durable.pages].flatMap(([number, page]) => (page.some((byte) => byte !== 0) ? [{ path, file, number }] : [])),
  );
}

function pick<Item>({ random }: DamageTarget, items: readonly Item[]): Item | undefined {
  return items.length === 0 ? undefined : items[random.below(items.length)];
}

/** Within the bytes that hold something. */
function rotBit(target: DamageTarget, files: readonly NamedFile[]): Damage | undefined {
  const place = pick(target, fullPages(files));
  const page = place?.file.durable.pages.get(place.number)?.slice();
  if (place === undefined || page === undefined) return undefined;
  const first = page.findIndex((byte) => byte !== 0);
  const last = page.findLastIndex((byte) => byte !== 0);
  const at = first + target.random.below(last - first + 1);
  const bit = target.random.below(8);
  page[at] = (page[at] ?? 0) ^ (1 << bit);
  overwritePage(place.file, place.number, page);
  return { kind: 'bit-rot', path: place.path, position: place.number * pageBytes + at, bytes: 1, detail: `bit ${bit}` };
}

function zeroPage(target: DamageTarget, files: readonly NamedFile[]): Damage | undefined {
  const place = pick(target, fullPages(files));
  if (place === undefined) return undefined;
  overwritePage(place.file, place.number, undefined);
  return { kind: 'zero-page', path: place.path, position: place.number * pageBytes, bytes: pageBytes };
}

function rollBackPage(target: DamageTarget, files: readonly NamedFile[]): Damage | undefined {
  const byInode = new Map(files.map((named) => [named.file.inode, named]));
  const choices = target.history.versions.flatMap(({ inode, number, page }) => {
    const named = byInode.get(inode);
    return named === undefined || isSame(named.file.durable.pages.get(number), page) ? [] : [{ ...named, number, page }];
  });
  const choice = pick(target, choices);
  if (choice === undefined) return undefined;
  overwritePage(choice.file, choice.number, choice.page);
  return { kind: 'stale-page', path: choice.path, position: choice.number * pageBytes, bytes: pageBytes };
}

function isSame(one: Uint8Array | undefined, other: Uint8Array | undefined): boolean {
  if (one === undefined || other === undefined) return (one ?? other)?.every((byte) => byte === 0) ?? true;
  return one === other || Buffer.compare(one, other) === 0;
}

/** What should have been written elsewhere lands on a page as well. */
function copyPage(target: DamageTarget, files: readonly NamedFile[]): Damage | undefined {
  const source = pick(target, fullPages(files));
  if (source === undefined) return undefined;
  const page = source.file.durable.pages.get(source.number);
  const count = Math.ceil(source.file.durable.size / pageBytes);
  const places = Array.from({ length: count }, (_, number) => number).filter(
    (number) => !isSame(source.file.durable.pages.get(number), page),
  );
  const number = pick(target, places);
  if (number === undefined) return undefined;
  overwritePage(source.file, number, page);
  const detail = `page of ${source.number * pageBytes}`;
  return { kind: 'misdirected-write', path: source.path, position: number * pageBytes, bytes: pageBytes, detail };
}

/** Somewhere before the end of what it holds. */
function truncateFile(target: DamageTarget, files: readonly NamedFile[]): Damage | undefined {
  const place = pick(
    target,
    files.filter(({ file }) => file.durable.size > 0),
  );
  if (place === undefined) return undefined;
  const { file, path } = place;
  const numbers = [...file.durable.pages.keys()];
  const end = Math.min(file.durable.size, (Math.max(-1, ...numbers) + 1) * pageBytes);
  const size = target.random.below(Math.max(1, end));
  const bytes = file.durable.size - size;
  applyDataOperation(file.durable, { op: 'resize', bytes: size });
  if (size < file.current.size) applyDataOperation(file.current, { op: 'resize', bytes: size });
  file.pending = [];
  return { kind: 'truncated-file', path, position: size, bytes };
}

function removeName(target: DamageTarget, files: readonly NamedFile[]): Damage | undefined {
  const place = pick(target, files);
  if (place === undefined) return undefined;
  for (const folder of target.files.folders.values()) {
    for (const names of [folder.current, folder.durable]) {
      for (const [name, file] of names) if (file === place.file) names.delete(name);
    }
    folder.pending = folder.pending.filter(({ operation }) => operation.op === 'remove' || operation.file !== place.file);
  }
  return { kind: 'removed-file', path: place.path, position: 0, bytes: place.file.durable.size };
}
