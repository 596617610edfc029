/**
 * Replicas that were left behind: removed from their group while they were down or cut off.
 *
 * The members that are left do not send to them, and their own log still counts them as
 * members, so they would campaign in vain for ever. They are told by asking: a member
 * shows the committed entries behind this replica's own, or the start of its log if these
 * are gone, outside of Raft as for a repair (repair.ts).
 *
 * What proves the removal, both together, of the last committed entry that was shown:
 *  - The membership in force there names this node nowhere, not even in an outgoing half.
 *  - It does not end before this replica's log, in the order of logs by which elections go.
 *
 * Then nobody needs this copy. An acknowledgement counts under a membership that names this
 * node. One that is newer than what was shown lies behind it, of the same term or a later one;
 * this log does not reach there, so nothing there was ever acknowledged. What was acknowledged
 * before, a majority of the members that were shown holds. What this log has in place of what
 * was shown, or behind it of an older term, cannot become committed any more. How it voted is
 * remembered when it goes (retired.ts).
 *
 * It may have been taken back since then. The broker knows: it asks only for groups that the
 * metadata does not place on this node, and the metadata places a replica before its group does.
 *
 * Failure contract: false whenever anything is missing; the next question goes on where
 * this one ended. Never rejects.
 */
import { asRaftIndex, type NodeId } from '../core/ids.ts';
import { lastIndex, lastTerm } from '../core/raft/log.ts';
import type { Membership } from '../core/raft/membership.ts';
import { membershipAt, termAt } from '../core/raft/state.ts';
import { type EntriesAnswer, PeerUnavailable } from '../ports/network.ts';
import type { RecoveredGroup } from '../storage/journal/vocabulary.ts';
import type { CommittedLog, GroupState, HostState } from './state.ts';

/** Of one question. */
const entriesMax = 100_000;
const requestBytesMax = 1024 * 1024;

/** Whether `peer` proves that this node's replica was removed from the group. One question. */
export async function wasRemoved(host: HostState, group: GroupState, peer: NodeId): Promise<boolean> {
  const before = knownSoFar(host, group);
  const answer = await ask(host, group, peer, before);
  const found = host.options.journal.group(group.key);
  if (answer === undefined || found === undefined || group.removed) return false;
  const { membership, ...end } = goOn(before, answer);
  group.shownElsewhere = { membership, ...end };
  return membership !== undefined && !names(membership, host.options.self) && !endsBefore(end, ownEnd(host, group, found));
}

/** What was shown before, or what this replica itself knows to be committed, whichever goes further. */
function knownSoFar({ options }: HostState, { key, raft, shownElsewhere }: GroupState): CommittedLog {
  const { commit } = raft;
  if (shownElsewhere !== undefined && shownElsewhere.index >= commit) return shownElsewhere;
  // Of a log whose start was lost, the membership is not known (recover.ts).
  const isStartKnown = (options.journal.group(key)?.snapshot.membership.voters.length ?? 0) > 0;
  return { index: commit, term: termAt(raft, commit), membership: isStartKnown ? membershipAt(raft, commit) : undefined };
}

async function ask({ options }: HostState, { key }: GroupState, peer: NodeId, before: CommittedLog): Promise<EntriesAnswer | undefined> {
  const range = { first: asRaftIndex(before.index + 1), last: asRaftIndex(before.index + entriesMax) };
  try {
    return await options.network.readEntries(peer, { ...key, ...range, bytesMax: requestBytesMax });
  } catch (error) {
    if (error instanceof PeerUnavailable) return undefined;
    throw error;
  }
}

function goOn(before: CommittedLog, { entries, snapshot }: EntriesAnswer): CommittedLog {
  const end = entries.at(-1) ?? snapshot;
  if (end === undefined) return before;
  const changed = entries.findLast((entry) => entry.kind === 'membership') ?? snapshot;
  return { index: end.index, term: end.term, membership: changed === undefined ? before.membership : changed.membership };
}

const names = ({ voters, outgoing, learners, learnersNext }: Membership, node: NodeId): boolean =>
  [voters, outgoing, learners, learnersNext].some((nodes) => nodes.includes(node));

type LogEnd = Pick<CommittedLog, 'index' | 'term'>;

const endsBefore = (end: LogEnd, own: LogEnd): boolean => end.term < own.term || (end.term === own.term && end.index < own.index);

/** A damaged log goes further than the core was told; of an entry whose term was lost, none is newer than the replica's. */
function ownEnd({ options }: HostState, { key, raft, faulty }: GroupState, found: RecoveredGroup): LogEnd {
  if (!faulty) return { index: lastIndex(raft.log), term: lastTerm(raft.log) };
  const [newest] = options.journal.facts(key, found.last, found.last);
  const term = newest === undefined || newest.term === unknownTerm ? found.hardState.term : newest.term;
  return { index: found.last, term };
}
/** A term of the journal that means: not known what was here. */
const unknownTerm = 0;
