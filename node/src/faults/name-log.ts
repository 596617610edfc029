/**
 * Names that a power failure would take back: files created, renamed or removed since the
 * last sync of their folder.
 *
 * So that it can be taken back, a removed file only gets another name, and one that a
 * rename replaces gets a second name (a hard link: the rename itself stays atomic). These
 * spare names are not listed, and go when the folder is synced; those of a process that
 * was killed go when the next one has taken the lock of the data folder. They end in
 * `.tmp`: a broker without this shim clears them away as well.
 *
 * After a sync of the folder that failed, none of its changes becomes durable any more.
 */
import { existsSync, linkSync, readdirSync, renameSync, rmSync, unlinkSync } from 'node:fs';
import path from 'node:path';
import { DiskError } from '../ports/disk.ts';
import type { Random } from '../ports/random.ts';
import type { Torn } from './command.ts';

export type NameChange =
  | { readonly change: 'create'; readonly path: string }
  /** `spare`: what was at `to` before. */
  | { readonly change: 'rename'; readonly from: string; readonly to: string; readonly spare: string | undefined }
  | { readonly change: 'remove'; readonly path: string; readonly spare: string };

export interface NameLog {
  /** By folder, oldest first. */
  readonly pending: Map<string, NameChange[]>;
  readonly spares: Set<string>;
  /** Folders of which a sync failed. */
  readonly failed: Set<string>;
}

const spareIdBytes = 6;
const sparePattern = /\.unsynced-[0-9a-f]+\.tmp$/;

export const createNameLog = (): NameLog => ({ pending: new Map(), spares: new Set(), failed: new Set() });

export const newSpare = (file: string, random: Random): string => `${file}.unsynced-${random.hex(spareIdBytes)}.tmp`;

export function noteName(log: NameLog, change: NameChange): void {
  const folder = path.dirname(change.change === 'rename' ? change.to : change.path);
  const changes = log.pending.get(folder) ?? [];
  log.pending.set(folder, changes);
  changes.push(change);
  const spare = spareOf(change);
  if (spare !== undefined) log.spares.add(spare);
}

/** Gives what is at `file` a second name, if there is something. */
export function keepReplaced(file: string, random: Random): string | undefined {
  if (!existsSync(file)) return undefined;
  const spare = newSpare(file, random);
  try {
    linkSync(file, spare);
  } catch (cause) {
    throw new DiskError('EIO', `${file}: no second name for what a rename replaces`, { cause });
  }
  return spare;
}

export const pendingCount = (log: NameLog, folder: string): number => log.pending.get(folder)?.length ?? 0;

export const unsyncedNames = (log: NameLog): number => [...log.pending.values()].reduce((sum, changes) => sum + changes.length, 0);

export const pendingNames = (log: NameLog, folder: string): readonly NameChange[] => [...(log.pending.get(folder) ?? [])];

/** A sync of the folder has succeeded: these changes are durable. Returns the spare names that nobody needs any more. */
export function settleNames(log: NameLog, folder: string, covered: readonly NameChange[]): readonly string[] {
  if (log.failed.has(folder)) return [];
  const settled = new Set(covered);
  const left = log.pending.get(folder)?.filter((change) => !settled.has(change)) ?? [];
  if (left.length > 0) log.pending.set(folder, left);
  else log.pending.delete(folder);
  const spares = covered.flatMap((change) => spareOf(change) ?? []);
  for (const spare of spares) log.spares.delete(spare);
  return spares;
}

/** The change that made this file, if nothing but that has happened to its name since the last sync. */
export function pendingCreate(log: NameLog, file: string): NameChange | undefined {
  const concerns = (change: NameChange): boolean =>
    change.change === 'rename' ? change.from === file || change.to === file : change.path === file;
  const last = log.pending.get(path.dirname(file))?.findLast(concerns);
  return last?.change === 'create' ? last : undefined;
}

/** As if it had never been. */
export function forgetName(log: NameLog, file: string, change: NameChange): void {
  const folder = path.dirname(file);
  log.pending.set(folder, log.pending.get(folder)?.filter((other) => other !== change) ?? []);
}

const spareOf = (change: NameChange): string | undefined => (change.change === 'create' ? undefined : change.spare);

/** Takes names back, newest first; torn: a random number of the oldest stays. Returns how many were lost. Synchronous. */
export function rollBackNames(log: NameLog, torn: Torn, random: Random): number {
  let lost = 0;
  for (const changes of log.pending.values()) {
    const kept = torn === false ? 0 : random.below(changes.length + 1);
    for (const change of changes.slice(kept).toReversed()) undoName(change);
    for (const spare of changes.slice(0, kept).flatMap((change) => spareOf(change) ?? [])) unlinkSync(spare);
    lost += changes.length - kept;
  }
  return lost;
}

function undoName(change: NameChange): void {
  if (change.change === 'create') return unlinkSync(change.path);
  if (change.change === 'remove') return renameSync(change.spare, change.path);
  renameSync(change.to, change.from);
  if (change.spare !== undefined) renameSync(change.spare, change.to);
}

/** Removes the spare names below `folder` that an earlier process has left there. */
export function clearSpares(folder: string): void {
  const found = readdirSync(folder, { recursive: true, withFileTypes: true });
  for (const { parentPath, name } of found.filter((entry) => sparePattern.test(entry.name))) {
    rmSync(path.join(parentPath, name), { recursive: true, force: true });
  }
}
