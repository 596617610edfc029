/**
 * What a file would lose if the power failed now: per change since its last datasync the
 * bytes that were there before, so that the file can be rolled back to what was synced,
 * or to a torn state between that and what is in it now.
 *
 * After a datasync that failed nothing of the file becomes durable any more, whatever
 * syncs follow: the harshest of what the Disk port allows.
 *
 * Positions are byte offsets in the file. Changes of one file are undone newest first.
 * Contents that were zeros (preallocated space) take no memory.
 */
import { closeSync, fstatSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import type { DiskFile } from '../ports/disk.ts';
import type { Random } from '../ports/random.ts';
import type { Torn } from './command.ts';

export const sectorBytes = 512;

/** One change: bytes [position, position + length) were written or cut off. */
export interface Undo {
  /** Rises with every change of the file. */
  readonly order: number;
  readonly position: number;
  readonly length: number;
  /** Undefined: zeros. Shorter than `length` where the file ended. */
  readonly before: Uint8Array | undefined;
  readonly sizeBefore: number;
  readonly sizeAfter: number;
  /** Written by the caller, not by a change of the size: counts as lost bytes. */
  readonly isWrite: boolean;
}

/** A file, whatever its name. */
export interface TrackedFile {
  path: string;
  /** Oldest first. */
  undo: Undo[];
  /** Of the last change. */
  order: number;
  /** In `undo`. */
  heldBytes: number;
  syncFailed: boolean;
  /** Changes are done one after the other. */
  busy: Promise<unknown>;
}

export const trackFile = (path: string): TrackedFile => ({
  path,
  undo: [],
  order: 0,
  heldBytes: 0,
  syncFailed: false,
  busy: Promise.resolve(),
});

/** To be called before the bytes [position, position + length) are written. */
export async function noteWrite(tracked: TrackedFile, file: DiskFile, position: number, length: number): Promise<void> {
  const sizeBefore = await file.size();
  await note(tracked, file, { position, length, sizeBefore, sizeAfter: Math.max(sizeBefore, position + length), isWrite: true });
}

/** To be called before the file's size becomes `sizeAfter`. */
export async function noteResize(tracked: TrackedFile, file: DiskFile, sizeAfter: number): Promise<void> {
  const sizeBefore = await file.size();
  if (sizeBefore === sizeAfter) return;
  const length = Math.max(0, sizeBefore - sizeAfter);
  await note(tracked, file, { position: sizeAfter, length, sizeBefore, sizeAfter, isWrite: false });
}

async function note(tracked: TrackedFile, file: DiskFile, change: Omit<Undo, 'order' | 'before'>): Promise<void> {
  const there = change.length === 0 ? zeros.subarray(0, 0) : await file.read(change.position, change.length);
  const before = isZero(there) ? undefined : there;
  tracked.order++;
  tracked.undo.push({ ...change, order: tracked.order, before });
  tracked.heldBytes += before?.length ?? 0;
}

const zeros = new Uint8Array(1 << 20);

function isZero(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; at += zeros.length) {
    const piece = bytes.subarray(at, at + zeros.length);
    if (Buffer.compare(piece, zeros.subarray(0, piece.length)) !== 0) return false;
  }
  return true;
}

/** A datasync has succeeded: changes up to number `through` are durable. */
export function settleSync(tracked: TrackedFile, through: number): void {
  if (tracked.syncFailed) return;
  tracked.undo = tracked.undo.filter(({ order }) => order > through);
  tracked.heldBytes = tracked.undo.reduce((sum, { before }) => sum + (before?.length ?? 0), 0);
}

/** Bytes written that no datasync has covered. */
export const unsyncedBytes = ({ undo }: TrackedFile): number => undo.reduce((sum, { isWrite, length }) => sum + (isWrite ? length : 0), 0);

/** Whether a change that is not durable covers the byte at `position`. */
export const isUnsyncedAt = ({ undo }: TrackedFile, position: number): boolean =>
  undo.some((change) => position >= change.position && position < change.position + change.length);

export interface RolledBack {
  readonly lostBytes: number;
  readonly keptBytes: number;
}

/** Synchronous: nothing of this process may come in between. The file must be there. */
export function rollBackFile(tracked: TrackedFile, torn: Torn, random: Random): RolledBack {
  const descriptor = openSync(tracked.path, 'r+');
  try {
    const mode = torn === true ? (['prefix', 'sectors'] as const)[random.below(2)] : torn;
    const resized = tracked.undo.some(({ sizeBefore, sizeAfter }) => sizeBefore !== sizeAfter);
    if (mode === 'sectors' && !resized) return undoSectors(descriptor, tracked.undo, random);
    return undoAfter(descriptor, tracked.undo, mode === false ? 0 : random.below(weightOf(tracked.undo) + 1));
  } finally {
    closeSync(descriptor);
  }
}

/** Of one change; those that write nothing count too. */
const weight = ({ length, isWrite }: Undo): number => (isWrite ? Math.max(1, length) : 1);
const weightOf = (undo: readonly Undo[]): number => undo.reduce((sum, change) => sum + weight(change), 0);

/** Keeps the first changes up to a weight of `keep`, the one that it falls into up to an edge of a sector. */
function undoAfter(descriptor: number, undo: readonly Undo[], keep: number): RolledBack {
  let before = weightOf(undo);
  let lostBytes = 0;
  let keptBytes = 0;
  for (const change of undo.toReversed()) {
    before -= weight(change);
    const room = keep - before;
    const isKept = room >= weight(change);
    const kept = isKept ? change.length : change.isWrite ? toSectorEdge(change.position, room) : 0;
    if (!isKept) undoChange(descriptor, change, kept);
    if (!change.isWrite) continue;
    keptBytes += kept;
    lostBytes += change.length - kept;
  }
  return { lostBytes, keptBytes };
}

/** At most `bytes` from `position` on, ending at an edge of a sector. */
const toSectorEdge = (position: number, bytes: number): number =>
  bytes <= 0 ? 0 : Math.max(0, Math.floor((position + bytes) / sectorBytes) * sectorBytes - position);

/** Undoes a change except for its first `kept` bytes. */
function undoChange(descriptor: number, { position, length, before, sizeBefore }: Undo, kept: number): void {
  const size = kept === 0 ? sizeBefore : Math.max(sizeBefore, position + kept);
  if (fstatSync(descriptor).size !== size) ftruncateSync(descriptor, size);
  restore(descriptor, { position, length, before }, position + kept, Math.min(position + length, size));
}

/** Puts back what was in [from, to). */
function restore(
  descriptor: number,
  { position, before, length }: Pick<Undo, 'position' | 'before' | 'length'>,
  from: number,
  to: number,
): void {
  if (to <= from) return;
  const bytes = new Uint8Array(to - from);
  if (before !== undefined) bytes.set(before.subarray(from - position, Math.min(to - position, length)));
  for (let done = 0; done < bytes.length; ) done += writeSync(descriptor, bytes, done, bytes.length - done, from + done);
}

/** Every sector keeps its newest content or falls back, by chance; one that keeps it is not touched by older changes. */
function undoSectors(descriptor: number, undo: readonly Undo[], random: Random): RolledBack {
  const kept = new Set<number>();
  let lostBytes = 0;
  let keptBytes = 0;
  for (const change of undo.toReversed()) {
    const end = change.position + change.length;
    for (let at = change.position; at < end; ) {
      const sector = Math.floor(at / sectorBytes);
      const to = Math.min(end, (sector + 1) * sectorBytes);
      if (kept.has(sector) || random.below(2) === 0) {
        kept.add(sector);
        keptBytes += to - at;
      } else {
        restore(descriptor, change, at, to);
        lostBytes += to - at;
      }
      at = to;
    }
  }
  return { lostBytes, keptBytes };
}
