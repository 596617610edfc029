/**
 * Recent entries in memory, bounded in bytes over all groups. The oldest appended one
 * goes first; an entry that is not yet on disk is never dropped, because it can be
 * read from nowhere else.
 *
 * Each group's recent entries lie in its own log (GroupLog.recent), the order over
 * all groups in `queue`. An item of the queue whose entry is gone from its group (cut by
 * a truncation or a log start) is skipped.
 */
import type { Entry } from '../../core/raft/entry.ts';
import { type GroupLog, lastIndex } from './group-log.ts';

/** What an entry costs besides its payload. */
const entryOverheadBytes = 128;

interface QueueItem {
  readonly log: GroupLog;
  readonly entry: Entry<Uint8Array>;
}

export interface EntryCache {
  readonly bytesMax: number;
  bytes: number;
  queue: (QueueItem | undefined)[];
  /** Slot of the oldest item. */
  head: number;
  /** Items added so far; the item at `head` has the number added - (queue.length - head). */
  added: number;
  /** Items with a lower number are on disk. */
  written: number;
}

export const createEntryCache = (bytesMax: number): EntryCache => ({ bytesMax, bytes: 0, queue: [], head: 0, added: 0, written: 0 });

const costOf = (entry: Entry<Uint8Array>): number => entryOverheadBytes + (entry.kind === 'command' ? entry.payload.length : 0);
const recentCount = (log: GroupLog): number => log.recent.length - log.recentHead;

/** Adds the entry that was just pushed to the end of the log. */
export function cacheEntry(cache: EntryCache, log: GroupLog, entry: Entry<Uint8Array>): void {
  if (recentCount(log) === 0) log.recentFirst = entry.index;
  log.recent.push(entry);
  cache.queue.push({ log, entry });
  cache.added++;
  cache.bytes += costOf(entry);
}

/** Takes what the log no longer holds out of the cache: call after every cut. */
export function syncCache(cache: EntryCache, log: GroupLog): void {
  while (recentCount(log) > 0 && log.recentFirst < log.first) dropOldest(cache, log);
  const last = log.removed ? 0 : lastIndex(log);
  while (recentCount(log) > 0 && log.recentFirst + recentCount(log) - 1 > last) {
    const entry = log.recent.pop();
    if (entry !== undefined) cache.bytes -= costOf(entry);
  }
}

function dropOldest(cache: EntryCache, log: GroupLog): void {
  const entry = log.recent[log.recentHead];
  log.recent[log.recentHead] = undefined;
  log.recentHead++;
  log.recentFirst++;
  if (entry !== undefined) cache.bytes -= costOf(entry);
  if (log.recentHead > 64 && log.recentHead * 2 > log.recent.length) {
    log.recent = log.recent.slice(log.recentHead);
    log.recentHead = 0;
  }
}

/** All items numbered below `added` at the time of the write are on disk now. */
export function cacheWritten(cache: EntryCache, written: number): void {
  cache.written = Math.max(cache.written, written);
  let number = cache.added - (cache.queue.length - cache.head);
  while (cache.bytes > cache.bytesMax && number < cache.written && cache.head < cache.queue.length) {
    const item = cache.queue[cache.head];
    cache.queue[cache.head] = undefined;
    cache.head++;
    number++;
    if (item !== undefined && item.log.recent[item.log.recentHead] === item.entry) dropOldest(cache, item.log);
  }
  if (cache.head > 1024 && cache.head * 2 > cache.queue.length) {
    cache.queue = cache.queue.slice(cache.head);
    cache.head = 0;
  }
}

export function cachedEntry(log: GroupLog, index: number): Entry<Uint8Array> | undefined {
  if (recentCount(log) === 0 || index < log.recentFirst) return undefined;
  return log.recent[log.recentHead + index - log.recentFirst];
}
