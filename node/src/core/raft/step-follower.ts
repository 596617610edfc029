/**
 * Messages of the leader at a follower (in any role: whoever hears the leader of its
 * term follows it).
 *
 * Invariants: the log is cut only at a real conflict of terms, never at or below the
 * commit index; an acknowledgement names the last entry *of the message*, not of the
 * log; the commit index never passes what is known to equal the leader's log.
 */
import { assert } from '../assert.ts';
import { asRaftIndex, asTerm, noNode, type RaftIndex } from '../ids.ts';
import type { Draft } from './draft.ts';
import { limitDurable } from './durability.ts';
import type { Entry } from './entry.ts';
import { startElection } from './election.ts';
import { becomeFollower } from './follow.ts';
import { appendToLog, lastIndex, lastIndexWithin, matchesTerm, resetLog, termOf, truncateLog } from './log.ts';
import type { AppendRequest, HeartbeatRequest, SnapshotRequest, TimeoutNow } from './message.ts';
import { appendMembership, resetMemberships, truncateMemberships } from './membership-log.ts';
import { mayCampaign, type RaftState } from './state.ts';

type FromLeader<Payload> = AppendRequest<Payload> | HeartbeatRequest | SnapshotRequest<Payload>;

export function stepFollower<Payload>(state: RaftState, message: FromLeader<Payload>, draft: Draft<Payload>): void {
  assert(state.role !== 'leader', 'a term has one leader', { term: state.term, self: state.config.self, other: message.from });
  const isNew = state.leader === noNode;
  assert(isNew || state.leader === message.from, 'a term has one leader', { term: state.term, leader: state.leader, other: message.from });
  becomeFollower(state, draft, state.term, message.from);
  if (message.kind === 'append-request') takeAppend(state, message, draft);
  else if (message.kind === 'heartbeat-request') takeHeartbeat(state, message, draft);
  else takeSnapshot(state, message, draft);
}

/** Entries of the message up to the commit index are here already, whatever precedes them. */
function takeAppend<Payload>(state: RaftState, message: AppendRequest<Payload>, draft: Draft<Payload>): void {
  const last = asRaftIndex(message.index + message.entries.length);
  checkCommitted(state, message, asRaftIndex(Math.min(last, state.commit)));
  if (last <= state.commit) {
    acknowledgeAppend(state, message, state.commit, draft);
    return;
  }
  if (message.index >= state.commit && !matchesTerm(state.log, message.index, message.indexTerm)) {
    rejectAppend(state, message, draft);
    return;
  }
  appendNew(state, message.entries, draft);
  commitUpTo(state, asRaftIndex(Math.min(message.commit, last)));
  acknowledgeAppend(state, message, last, draft);
}

/** No leader may contradict what is committed: compares the newest committed entry that the message speaks of. */
function checkCommitted<Payload>({ log, commit }: RaftState, message: AppendRequest<Payload>, index: RaftIndex): void {
  if (index < message.index || index < log.start) return;
  const term = index === message.index ? message.indexTerm : message.entries[index - message.index - 1]?.term;
  const own = termOf(log, index);
  assert(own === term, 'no leader contradicts what is committed', { from: message.from, index, commit, term, own });
}

/** Appends what is not here yet. Entries that are here with the same term stay untouched: they may be newer than the message. */
function appendNew<Payload>(state: RaftState, entries: readonly Entry<Payload>[], draft: Draft<Payload>): void {
  const firstNew = entries.findIndex(({ index, term }) => index > state.commit && !matchesTerm(state.log, index, term));
  if (firstNew < 0) return;
  for (const entry of entries.slice(firstNew)) {
    if (entry.index <= lastIndex(state.log)) cutAfter(state, asRaftIndex(entry.index - 1));
    appendToLog(state.log, entry.index, entry.term, entry.size);
    if (entry.kind === 'membership') appendMembership(state.memberships, entry.index, entry.membership);
    draft.entries.push(entry);
  }
}

function cutAfter(state: RaftState, last: RaftIndex): void {
  truncateLog(state.log, last, state.commit);
  truncateMemberships(state.memberships, last);
  limitDurable(state.durability, last);
}

function commitUpTo(state: RaftState, index: RaftIndex): void {
  state.commit = asRaftIndex(Math.max(state.commit, index));
}

function acknowledgeAppend<Payload>(state: RaftState, { from: to }: AppendRequest<Payload>, index: RaftIndex, draft: Draft<Payload>): void {
  const { term, config } = state;
  const none = { hintIndex: asRaftIndex(0), hintTerm: asTerm(0) };
  draft.sendAfterWrite.push({ kind: 'append-response', from: config.self, to, term, reject: false, index, ...none });
}

/** Names the largest index that may match, so that the leader skips whole terms at a time. */
function rejectAppend<Payload>(state: RaftState, message: AppendRequest<Payload>, draft: Draft<Payload>): void {
  const { log, term, config } = state;
  const hintIndex = lastIndexWithin(log, message.index, message.indexTerm);
  const hintTerm = termOf(log, hintIndex);
  assert(hintTerm !== undefined && hintIndex >= state.commit, 'logs meet at the commit index at least', {
    hintIndex,
    commit: state.commit,
    indexTerm: message.indexTerm,
  });
  draft.send.push({
    kind: 'append-response',
    from: config.self,
    to: message.from,
    term,
    reject: true,
    index: message.index,
    hintIndex,
    hintTerm,
  });
}

/** A commit index beyond this log can only come from a disk that was rolled back: it is not believed. */
function takeHeartbeat<Payload>(state: RaftState, { from: to, commit, readRound }: HeartbeatRequest, draft: Draft<Payload>): void {
  if (commit <= lastIndex(state.log)) commitUpTo(state, commit);
  draft.send.push({ kind: 'heartbeat-response', from: state.config.self, to, term: state.term, readRound });
}

/** Installs a snapshot unless the log has all of it already. */
function takeSnapshot<Payload>(state: RaftState, { from, snapshot }: SnapshotRequest<Payload>, draft: Draft<Payload>): void {
  const { index, term, membership } = snapshot;
  if (index > state.commit && matchesTerm(state.log, index, term)) commitUpTo(state, index);
  if (index > state.commit) {
    limitDurable(state.durability, state.commit);
    resetLog(state.log, index, term);
    resetMemberships(state.memberships, index, membership);
    state.commit = index;
    state.handed = index;
    state.applied = index;
    draft.snapshot = snapshot;
  }
  const { term: own, config, commit } = state;
  draft.sendAfterWrite.push({ kind: 'snapshot-response', from: config.self, to: from, term: own, index: commit, reject: false });
}

/** The leader hands over: campaign without asking whether others still hear it. */
export function takeTimeoutNow<Payload>(state: RaftState, message: TimeoutNow, draft: Draft<Payload>): void {
  const isFromLeader = state.role === 'follower' && (state.leader === message.from || state.leader === noNode);
  if (isFromLeader && mayCampaign(state)) startElection(state, true, draft);
}
