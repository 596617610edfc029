/**
 * Entries for a peer whose copy is damaged: only committed ones, because only these
 * prove something to a peer whose log has another entry in their place.
 *
 * A damaged replica answers too, with what is sound: two that are damaged in different
 * places heal each other.
 */
import type { RaftIndex } from '../core/ids.ts';
import type { Entry } from '../core/raft/entry.ts';
import type { EntriesAnswer, EntriesRequest } from '../ports/network.ts';
import { JournalCorrupt, type RecoveredGroup } from '../storage/journal/vocabulary.ts';
import { becomeFaulty } from './repair.ts';
import type { GroupState, HostState } from './state.ts';

/** Undefined if this node does not have the group. */
export async function serveEntries(host: HostState, request: EntriesRequest): Promise<EntriesAnswer | undefined> {
  const group = host.groups.get(request.group);
  if (group === undefined || host.failed || group.key.generation !== request.generation) return undefined;
  const found = host.options.journal.group(group.key);
  if (found === undefined) return undefined;
  const logStart = found.snapshot.index;
  const committed = Math.max(found.hardState.commit, logStart, group.applied, group.committed);
  const commit = Math.min(committed, Math.max(found.last, logStart)) as RaftIndex;
  if (request.first <= logStart) return { logStart, commit, entries: [], snapshot: host.options.journal.snapshot(group.key) };
  const last = Math.min(request.last, commit, lastSound(found, request.first)) as RaftIndex;
  const entries = last < request.first ? [] : await readSound(host, group, request, last);
  return { logStart, commit, entries, snapshot: undefined };
}

/** Up to where a read from `first` meets no known damage; inside the damaged range one entry is tried at a time. */
function lastSound({ faulty, last }: RecoveredGroup, first: RaftIndex): number {
  if (faulty === undefined || first > faulty.last) return last;
  return first < faulty.first ? faulty.first - 1 : first;
}

async function readSound(
  host: HostState,
  group: GroupState,
  { first, bytesMax }: EntriesRequest,
  last: RaftIndex,
): Promise<readonly Entry<Uint8Array>[]> {
  try {
    return await host.options.journal.read(group.key, first, last, bytesMax);
  } catch (error) {
    if (!(error instanceof JournalCorrupt)) throw error;
    becomeFaulty(host, group, error);
    return [];
  }
}
