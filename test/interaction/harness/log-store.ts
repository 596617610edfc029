/**
 * Log of one replica as its host keeps it, in memory and with a disk that can be
 * late: `view` holds every write that was ordered, `durable` only those that
 * reached the disk. A crash throws the difference away.
 *
 * Invariants: entries are contiguous and start right after the snapshot; pending
 * writes reach `durable` in the order in which the core ordered them.
 */
import { asRaftIndex, asTerm, type RaftIndex, type Term } from '@balsa/node/core/ids.ts';
import type { Write } from '@balsa/node/core/raft/effects.ts';
import type { Entry, HardState, Snapshot } from '@balsa/node/core/raft/entry.ts';
import type { EntryRange } from '@balsa/node/core/raft/message.ts';

export interface LogImage {
  snapshot: Snapshot<string>;
  /** entries[0].index = snapshot.index + 1. */
  entries: Entry<string>[];
  hardState: HardState;
}

export interface LogStore {
  view: LogImage;
  durable: LogImage;
  pending: Write<string>[];
}

export function createLogStore(image: LogImage): LogStore {
  return { view: copyOf(image), durable: image, pending: [] };
}

const copyOf = (image: LogImage): LogImage => ({ ...image, entries: [...image.entries] });

/** Takes a write into the view; the disk has it later, by persistOldest. */
export function orderWrite(store: LogStore, write: Write<string>): void {
  applyWrite(store.view, write);
  store.pending.push(write);
}

/** Brings the oldest pending write to disk. */
export function persistOldest(store: LogStore): Write<string> | undefined {
  const write = store.pending.shift();
  if (write !== undefined) applyWrite(store.durable, write);
  return write;
}

/** What a power failure leaves. */
export function losePending(store: LogStore): number {
  const lost = store.pending.length;
  store.pending = [];
  store.view = copyOf(store.durable);
  return lost;
}

export const lastIndexOf = (image: LogImage): RaftIndex => asRaftIndex(image.snapshot.index + image.entries.length);

/** Term of the entry at `index`, or undefined if the image does not reach it or starts after it. */
export function termAt(image: LogImage, index: RaftIndex): Term | undefined {
  if (index === image.snapshot.index) return image.snapshot.term;
  return entryAt(image, index)?.term;
}

export const entryAt = (image: LogImage, index: RaftIndex): Entry<string> | undefined =>
  index > image.snapshot.index ? image.entries[index - image.snapshot.index - 1] : undefined;

/** Entries of the range, or undefined if the log no longer (or not yet) holds all of them. */
export function entriesOf(image: LogImage, range: EntryRange): Entry<string>[] | undefined {
  if (range.last < range.first) return [];
  if (range.first <= image.snapshot.index || range.last > lastIndexOf(image)) return undefined;
  return image.entries.slice(range.first - image.snapshot.index - 1, range.last - image.snapshot.index);
}

/** Sums up the log through the snapshot's index; later entries stay. */
export function compactStore(store: LogStore, snapshot: Snapshot<string>): void {
  for (const image of [store.view, store.durable]) {
    image.entries = image.entries.filter((entry) => entry.index > snapshot.index);
    image.snapshot = snapshot;
  }
}

function applyWrite(image: LogImage, write: Write<string>): void {
  if (write.hardState !== undefined) image.hardState = write.hardState;
  if (write.snapshot !== undefined) {
    image.snapshot = write.snapshot;
    image.entries = [];
  }
  // A write may still be pending when the log start moves past its first entries.
  const entries = write.entries.filter((entry) => entry.index > image.snapshot.index);
  const first = entries[0]?.index;
  if (first === undefined) return;
  if (first > lastIndexOf(image) + 1) throw new Error(`write starts at ${first} after last index ${lastIndexOf(image)}`);
  image.entries.length = first - image.snapshot.index - 1;
  image.entries.push(...entries);
}

export const zeroHardState: HardState = { term: asTerm(0), votedFor: 0, commit: asRaftIndex(0) };
