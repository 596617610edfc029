/**
 * What is kept in memory of one group's log: where every entry lies, 16 bytes per
 * entry in typed arrays, terms as runs, and the facts that are not entries.
 *
 * Invariants
 *  - The log holds the indexes first..last without gaps; last = first - 1 if it is empty.
 *  - snapshot.index + 1 = first, except while recovery still replays.
 *  - segment 0 means: not on disk. Of an appended entry: not yet, it is in `recent`. Of a
 *    recovered entry: lost (a hole), part of the faulty range.
 *  - `recent` holds the entries recentFirst..last, or nothing.
 */
import { assert } from '../../core/assert.ts';
import { asGroupId, asRaftIndex, asTerm } from '../../core/ids.ts';
import type { Entry, HardState, Snapshot } from '../../core/raft/entry.ts';
import type { Membership } from '../../core/raft/membership.ts';
import type { FrameHead } from './frame.ts';
import type { GroupKey } from './vocabulary.ts';

/** Live frames per segment sequence: entries of logs, newest hard states, newest log starts. */
export type LiveCounts = Map<number, number>;

/** Where a single fact of a group lies; 0 if nowhere yet. */
export interface FactPlace {
  segment: number;
  offset: number;
}

export interface TermRun {
  /** Index of its first entry. */
  readonly first: number;
  readonly term: number;
}

export interface MembershipAt {
  readonly index: number;
  readonly membership: Membership;
}

export interface GroupLog {
  readonly key: GroupKey;
  first: number;
  count: number;
  /** Slot of `first` in the columns. */
  head: number;
  segment: Uint32Array;
  offset: Uint32Array;
  /** Payload bytes in the frame. */
  length: Uint32Array;
  /** Entry.size. */
  size: Uint32Array;
  terms: TermRun[];
  /** Memberships in the log, ascending by index. */
  memberships: MembershipAt[];
  hardState: HardState;
  readonly hardStatePlace: FactPlace;
  snapshot: Snapshot<Uint8Array>;
  readonly snapshotPlace: FactPlace;
  /** Entries kept in memory; recentHead is the slot of the oldest one, recentFirst its index. */
  recent: (Entry<Uint8Array> | undefined)[];
  recentHead: number;
  recentFirst: number;
  removed: boolean;
  /** The log start is known but its state is damaged on disk. */
  snapshotLost: boolean;
  /** Damaged on disk, both inclusive. */
  faulty: { readonly first: number; readonly last: number } | undefined;
}

const initialHardState: HardState = { term: asTerm(0), votedFor: 0, commit: asRaftIndex(0) };
const emptyState = new Uint8Array(0);
/** Start of a log that was never given one. */
export const noSnapshot: Snapshot<Uint8Array> = {
  index: asRaftIndex(0),
  term: asTerm(0),
  membership: { voters: [], outgoing: [], learners: [], learnersNext: [], autoLeave: false },
  state: emptyState,
};

export function createGroupLog(group: number, generation: number): GroupLog {
  const capacity = 16;
  return {
    key: { group: asGroupId(group), generation },
    first: 1,
    count: 0,
    head: 0,
    segment: new Uint32Array(capacity),
    offset: new Uint32Array(capacity),
    length: new Uint32Array(capacity),
    size: new Uint32Array(capacity),
    terms: [],
    memberships: [],
    hardState: initialHardState,
    hardStatePlace: { segment: 0, offset: 0 },
    snapshot: noSnapshot,
    snapshotPlace: { segment: 0, offset: 0 },
    recent: [],
    recentHead: 0,
    recentFirst: 1,
    removed: false,
    snapshotLost: false,
    faulty: undefined,
  };
}

export const lastIndex = (log: GroupLog): number => log.first + log.count - 1;
export const hasIndex = (log: GroupLog, index: number): boolean => index >= log.first && index < log.first + log.count;

/** Slot of `index` in the columns. */
export function slotOf(log: GroupLog, index: number): number {
  assert(hasIndex(log, index), 'index is in the log', { ...log.key, index, first: log.first, count: log.count });
  return log.head + index - log.first;
}

/** A column's value; the slot comes from slotOf. */
export const columnAt = (column: Uint32Array, slot: number): number => column[slot] ?? 0;

export function termAt(log: GroupLog, index: number): number {
  if (index === log.snapshot.index) return log.snapshot.term;
  if (!hasIndex(log, index)) return 0;
  return log.terms[runOf(log.terms, index)]?.term ?? 0;
}

/** Position of the run that holds `index`: the last one that begins at or before it. */
export function runOf(terms: readonly TermRun[], index: number): number {
  let low = 0;
  let high = terms.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if ((terms[middle]?.first ?? 0) <= index) low = middle;
    else high = middle - 1;
  }
  return low;
}

export function addLive(live: LiveCounts, segment: number, change: number): void {
  if (segment === 0) return;
  const count = (live.get(segment) ?? 0) + change;
  assert(count >= 0, 'live frames of a segment are counted once', { segment, count });
  live.set(segment, count);
}

/** Adds the entry after the last one; its place comes later (setPlace). */
export function pushEntry(log: GroupLog, term: number, length: number, size: number): void {
  const slot = log.head + log.count;
  if (slot === log.segment.length) makeRoom(log);
  const at = log.head + log.count;
  log.segment[at] = 0;
  log.offset[at] = 0;
  log.length[at] = length;
  log.size[at] = size;
  if (log.terms.at(-1)?.term !== term) log.terms.push({ first: log.first + log.count, term });
  log.count++;
}

const columns = ['segment', 'offset', 'length', 'size'] as const;

/** Moves the columns to the front, into arrays of the right size: twice what is used. */
function makeRoom(log: GroupLog): void {
  const capacity = Math.max(16, log.count * 2);
  for (const name of columns) {
    const next = new Uint32Array(capacity);
    next.set(log[name].subarray(log.head, log.head + log.count));
    log[name] = next;
  }
  log.head = 0;
}

export function setPlace(log: GroupLog, index: number, segment: number, offset: number, live: LiveCounts): void {
  const slot = slotOf(log, index);
  addLive(live, columnAt(log.segment, slot), -1);
  addLive(live, segment, 1);
  log.segment[slot] = segment;
  log.offset[slot] = offset;
}

export function moveFact(place: FactPlace, segment: number, offset: number, live: LiveCounts): void {
  addLive(live, place.segment, -1);
  addLive(live, segment, 1);
  place.segment = segment;
  place.offset = offset;
}

/** Drops the entries from `index` (inclusive) to the end. */
export function cutFrom(log: GroupLog, index: number, live: LiveCounts): void {
  if (index > lastIndex(log)) return;
  const keep = Math.max(0, index - log.first);
  for (let slot = log.head + keep; slot < log.head + log.count; slot++) addLive(live, columnAt(log.segment, slot), -1);
  log.count = keep;
  while (log.terms.length > 0 && (log.terms.at(-1)?.first ?? 0) >= log.first + keep) log.terms.pop();
  while ((log.memberships.at(-1)?.index ?? -1) >= log.first + keep) log.memberships.pop();
  if (log.faulty !== undefined && index <= log.faulty.last) {
    log.faulty = index <= log.faulty.first ? undefined : { first: log.faulty.first, last: index - 1 };
  }
}

/** Whether the log goes on behind this start, or conflicts with it and must go. */
export function continuesAfter(log: GroupLog, snapshot: Snapshot<Uint8Array>): boolean {
  return snapshot.index <= lastIndex(log) && snapshot.index >= log.first - 1 && termAt(log, snapshot.index) === snapshot.term;
}

/** Installs a log start: drops the entries up to and including it, and all others too unless `keep`. */
export function startAfter(log: GroupLog, snapshot: Snapshot<Uint8Array>, keep: boolean, live: LiveCounts): void {
  if (!keep || snapshot.index > lastIndex(log)) cutFrom(log, log.first, live);
  const drop = Math.min(log.count, Math.max(0, snapshot.index + 1 - log.first));
  for (let slot = log.head; slot < log.head + drop; slot++) addLive(live, columnAt(log.segment, slot), -1);
  log.head += drop;
  log.count -= drop;
  log.first = log.count === 0 ? snapshot.index + 1 : log.first + drop;
  log.snapshot = snapshot;
  log.snapshotLost = false;
  log.terms = log.count === 0 ? [] : log.terms.slice(runOf(log.terms, log.first));
  log.memberships = log.memberships.filter(({ index }) => index > snapshot.index);
  if (log.segment.length > 1024 && log.count * 4 < log.segment.length) makeRoom(log);
  if (log.faulty !== undefined) {
    const first = Math.max(log.faulty.first, log.first);
    log.faulty = first > log.faulty.last ? undefined : { first, last: log.faulty.last };
  }
}

/** Adds `count` holes before the first entry (recovery only). */
export function prependHoles(log: GroupLog, count: number): void {
  for (const name of columns) {
    const next = new Uint32Array((log.count + count) * 2);
    next.set(log[name].subarray(log.head, log.head + log.count), count);
    log[name] = next;
  }
  log.head = 0;
  log.first -= count;
  log.count += count;
  log.terms.unshift({ first: log.first, term: 0 });
}

/** Fills the hole at `index`. */
export function fillHole(log: GroupLog, index: number, term: number, length: number, size: number): void {
  const slot = slotOf(log, index);
  assert(columnAt(log.segment, slot) === 0, 'only holes are filled', { ...log.key, index });
  log.length[slot] = length;
  log.size[slot] = size;
  const after = termAt(log, index + 1);
  const before = log.terms.filter((run) => run.first < index);
  const behind = log.terms.filter((run) => run.first > index + 1);
  if (before.at(-1)?.term !== term) before.push({ first: index, term });
  if (index < lastIndex(log) && after !== term) before.push({ first: index + 1, term: after });
  log.terms = [...before, ...behind];
}

/** Notes the membership of an entry that is in the log. */
export function noteMembership(log: GroupLog, index: number, membership: Membership): void {
  const others = log.memberships.filter((other) => other.index !== index);
  log.memberships = [...others, { index, membership }].sort((a, b) => a.index - b.index);
}

/** Whether the entry is lost: in the faulty range and nowhere on disk. */
export function isHole(log: GroupLog, index: number): boolean {
  const { faulty } = log;
  if (faulty === undefined || index < faulty.first || index > faulty.last || !hasIndex(log, index)) return false;
  return columnAt(log.segment, slotOf(log, index)) === 0;
}

/** The entry at this place turned out to be damaged: from now on it is a hole. */
export function loseEntry(log: GroupLog, index: number, place: FactPlace, live: LiveCounts): void {
  if (log.removed || !hasIndex(log, index)) return;
  const slot = slotOf(log, index);
  if (columnAt(log.segment, slot) !== place.segment || columnAt(log.offset, slot) !== place.offset) return;
  setPlace(log, index, 0, 0, live);
  log.faulty = { first: Math.min(index, log.faulty?.first ?? index), last: Math.max(index, log.faulty?.last ?? index) };
}

/** A restored entry is on disk: it takes the place of the same one written earlier, or fills its hole. */
export function placeRestored(log: GroupLog, head: FrameHead, segment: number, offset: number, live: LiveCounts): void {
  if (!hasIndex(log, head.index)) return;
  const lost = columnAt(log.segment, slotOf(log, head.index)) === 0;
  if (lost) fillHole(log, head.index, head.term, head.length, head.extra);
  if (termAt(log, head.index) === head.term) setPlace(log, head.index, segment, offset, live);
}

/** Narrows the faulty range to what is still lost. */
export function settleFaulty(log: GroupLog): void {
  if (log.faulty === undefined) return;
  let { first, last } = log.faulty;
  const lost = (index: number): boolean => (log.snapshotLost && index === log.snapshot.index) || isHole(log, index);
  while (first <= last && !lost(first)) first++;
  while (last >= first && !lost(last)) last--;
  log.faulty = first > last ? undefined : { first, last };
}

/** Drops everything: the group left this node. */
export function clearLog(log: GroupLog, live: LiveCounts): void {
  cutFrom(log, log.first, live);
  moveFact(log.hardStatePlace, 0, 0, live);
  moveFact(log.snapshotPlace, 0, 0, live);
  log.faulty = undefined;
  log.removed = true;
}
