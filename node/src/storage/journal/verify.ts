/**
 * Verifying entries that nobody asks for: from the disk, also those that are in memory,
 * because it is the disk that is in question.
 */
import { asRaftIndex, type RaftIndex } from '../../core/ids.ts';
import { lastIndex } from './group-log.ts';
import { readWanted, type Wanted, wantedAt } from './read.ts';
import { findLog, type JournalState } from './state.ts';
import type { GroupKey } from './vocabulary.ts';

export interface Verified {
  /** Where to go on: the first index that was not looked at. */
  readonly next: RaftIndex;
  /** Bytes of the frames that were read. */
  readonly bytes: number;
}

/**
 * Checks written entries from `first` on, at most to `last` (inclusive), until `bytesMax` is
 * exceeded (at least one). What is no longer in the log is skipped. Rejects with
 * JournalCorrupt at the first one that is damaged.
 */
export async function verifyEntries(
  state: JournalState,
  key: GroupKey,
  first: RaftIndex,
  last: RaftIndex,
  bytesMax: number,
): Promise<Verified> {
  const log = findLog(state.groups, key);
  if (log === undefined) return { next: asRaftIndex(last + 1), bytes: 0 };
  const wanted: Wanted[] = [];
  let bytes = 0;
  let index = Math.max(first, log.first);
  for (const end = Math.min(last, lastIndex(log)); index <= end; index += 1) {
    const item = wantedAt(log, index);
    if (wanted.length > 0 && bytes + item.length > bytesMax) break;
    bytes += item.length;
    wanted.push(item);
  }
  await readWanted(state, key, wanted);
  return { next: asRaftIndex(wanted.length === 0 ? last + 1 : index), bytes };
}
