/**
 * The log as the core keeps it: which term each index has and how large the entry
 * is, no payloads. Terms are kept as runs (a term changes only at elections), sizes
 * take four bytes each.
 *
 * Invariants: `start` is the last index that is summed up in the snapshot, so the
 * first entry held is start + 1; terms never decrease with the index; nothing at or
 * below a commit index is ever truncated.
 */
import { assert } from '../assert.ts';
import { asRaftIndex, type RaftIndex, type Term } from '../ids.ts';
import { createSizeList, dropNewest, dropOldest, pushSize, type SizeList, sizeAt } from './size-list.ts';

/** Entries from `first` (inclusive) up to the next run have `term`. */
interface TermRun {
  readonly first: number;
  readonly term: Term;
}

export interface RaftLog {
  /** Index of the snapshot before the first entry (inclusive in the snapshot). */
  start: RaftIndex;
  startTerm: Term;
  /** Ascending in `first` and in `term`; covers (start, last]. */
  runs: TermRun[];
  sizes: SizeList;
}

export function createLog(start: RaftIndex, startTerm: Term): RaftLog {
  return { start, startTerm, runs: [], sizes: createSizeList() };
}

/** First index held (inclusive); last + 1 if the log is empty. */
export const firstIndex = (log: RaftLog): RaftIndex => asRaftIndex(log.start + 1);
/** Last index (inclusive); equals `start` if the log is empty. */
export const lastIndex = (log: RaftLog): RaftIndex => asRaftIndex(log.start + log.sizes.count);
export const lastTerm = (log: RaftLog): Term => log.runs.at(-1)?.term ?? log.startTerm;

/** Term of the entry at `index`; undefined before `start` and after the last entry. */
export function termOf(log: RaftLog, index: number): Term | undefined {
  if (index === log.start) return log.startTerm;
  if (index < log.start || index > lastIndex(log)) return undefined;
  return log.runs[runAt(log, index)]?.term;
}

/** Position of the run that covers `index`, which lies in (start, last]. */
function runAt(log: RaftLog, index: number): number {
  let low = 0;
  let high = log.runs.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if ((log.runs[middle]?.first ?? 0) <= index) low = middle;
    else high = middle - 1;
  }
  return low;
}

export const matchesTerm = (log: RaftLog, index: RaftIndex, term: Term): boolean => termOf(log, index) === term;

/** Whether a log that ends at (index, term) holds at least as much as this one (Raft paper, section 5.4.1). */
export function isUpToDate(log: RaftLog, index: RaftIndex, term: Term): boolean {
  const own = lastTerm(log);
  return term > own || (term === own && index >= lastIndex(log));
}

/**
 * Largest index at most `index` whose term here is at most `term`: the best place
 * where two logs may agree. An index before the log's start is returned as it is.
 */
export function lastIndexWithin(log: RaftLog, index: RaftIndex, term: Term): RaftIndex {
  const limit = Math.min(index, lastIndex(log));
  if (limit <= log.start) return asRaftIndex(limit);
  let run = runAt(log, limit);
  if ((log.runs[run]?.term ?? 0) <= term) return asRaftIndex(limit);
  while (run > 0 && (log.runs[run - 1]?.term ?? 0) > term) run -= 1;
  return asRaftIndex((log.runs[run]?.first ?? log.start + 1) - 1);
}

export function appendToLog(log: RaftLog, index: RaftIndex, term: Term, size: number): void {
  assert(index === lastIndex(log) + 1, 'entries are contiguous', { index, last: lastIndex(log) });
  const newest = lastTerm(log);
  assert(term >= newest, 'terms in the log never decrease', { index, term, newest });
  if (log.runs.length === 0 || term > newest) log.runs.push({ first: index, term });
  pushSize(log.sizes, size);
}

/** Cuts the log so that `last` is its last index. */
export function truncateLog(log: RaftLog, last: RaftIndex, commit: RaftIndex): void {
  assert(last >= commit && last >= log.start, 'nothing committed is truncated', { last, commit, start: log.start });
  dropNewest(log.sizes, lastIndex(log) - last);
  while ((log.runs.at(-1)?.first ?? 0) > last) log.runs.pop();
}

/** Forgets the entries up to `index` (inclusive). */
export function compactLog(log: RaftLog, index: RaftIndex): void {
  const term = termOf(log, index);
  assert(term !== undefined, 'compaction stays inside the log', { index, start: log.start, last: lastIndex(log) });
  const last = lastIndex(log);
  dropOldest(log.sizes, index - log.start);
  const kept = log.runs.slice(runAt(log, index));
  const head = kept[0];
  const next = kept[1]?.first ?? last + 1;
  log.runs = head === undefined || next <= index + 1 ? kept.slice(1) : [{ first: index + 1, term: head.term }, ...kept.slice(1)];
  log.start = index;
  log.startTerm = term;
}

/** Replaces the whole log by a snapshot. */
export function resetLog(log: RaftLog, start: RaftIndex, startTerm: Term): void {
  log.start = start;
  log.startTerm = startTerm;
  log.runs = [];
  log.sizes = createSizeList();
}

export const entrySize = (log: RaftLog, index: RaftIndex): number => sizeAt(log.sizes, index - log.start - 1);

/** Bytes of the entries first..last (both inclusive). */
export function bytesBetween(log: RaftLog, first: number, last: number): number {
  let bytes = 0;
  for (let index = first; index <= last; index++) bytes += entrySize(log, asRaftIndex(index));
  return bytes;
}
