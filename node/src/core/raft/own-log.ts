/** The leader's own log: appending to it, and what of it is committed. */
import { assert } from '../assert.ts';
import { asRaftIndex, type NodeId, noNode, type RaftIndex } from '../ids.ts';
import type { Draft } from './draft.ts';
import type { Entry } from './entry.ts';
import { becomeFollower } from './follow.ts';
import { followMembership, type Leadership, matchOf } from './leadership.ts';
import { appendToLog, bytesBetween, lastIndex, termOf } from './log.ts';
import type { Membership } from './membership.ts';
import { membershipBytes } from './membership-codec.ts';
import { isJoint, leaveJoint } from './membership-change.ts';
import { appendMembership, newestMembership } from './membership-log.ts';
import { isReachable } from './progress.ts';
import { isVoter, quorumIndex } from './quorum.ts';
import { startReadRound } from './read-index.ts';
import { replicate } from './replicate.ts';
import { currentMembership, type RaftState } from './state.ts';

/** Content of an entry; index and term are the leader's to give. */
type Content<Payload> =
  | { readonly kind: 'noop' }
  | { readonly kind: 'command'; readonly payload: Payload }
  | { readonly kind: 'membership'; readonly membership: Membership };

export function appendOwn<Payload>(
  state: RaftState,
  leading: Leadership,
  content: Content<Payload>,
  size: number,
  draft: Draft<Payload>,
): RaftIndex {
  const index = asRaftIndex(lastIndex(state.log) + 1);
  const entry: Entry<Payload> = { index, term: state.term, size, ...content };
  appendToLog(state.log, index, state.term, size);
  leading.uncommittedBytes += size;
  draft.entries.push(entry);
  return index;
}

/** Appends a membership, which is in force from here on. */
export function appendOwnMembership<Payload>(
  state: RaftState,
  leading: Leadership,
  membership: Membership,
  draft: Draft<Payload>,
): RaftIndex {
  const { index: pending } = newestMembership(state.memberships);
  assert(pending <= state.commit, 'at most one membership is uncommitted', { pending, commit: state.commit });
  const index = appendOwn(state, leading, { kind: 'membership', membership }, membershipBytes(membership), draft);
  appendMembership(state.memberships, index, membership);
  followMembership(leading, membership, index);
  countOwnDisk(state, leading);
  return index;
}

/** The leader is one of its replicas: it counts as far as its own disk, no further. */
export function countOwnDisk(state: RaftState, leading: Leadership): void {
  const own = leading.progress.get(state.config.self);
  if (own === undefined) return;
  own.match = state.durability.durable;
  own.next = asRaftIndex(lastIndex(state.log) + 1);
}

/**
 * Moves the commit index to what a quorum has durable. Only an entry of the leader's
 * own term commits by counting; older ones commit with it (Raft paper, section 5.4.2).
 */
export function advanceCommit<Payload>(state: RaftState, leading: Leadership, draft: Draft<Payload>): void {
  const reached = quorumIndex(currentMembership(state), (node) => matchOf(leading, node));
  if (reached <= state.commit || termOf(state.log, reached) !== state.term) return;
  leading.uncommittedBytes -= bytesBetween(state.log, state.commit + 1, reached);
  state.commit = reached;
  const newest = newestMembership(state.memberships);
  if (newest.index <= state.commit) settleMembership(state, leading, newest.membership, draft);
  else replicate(state, leading, draft);
  if (state.leading !== undefined) startReadRound(state, leading, draft);
}

/** What follows from the commit of the newest membership. */
function settleMembership<Payload>(state: RaftState, leading: Leadership, membership: Membership, draft: Draft<Payload>): void {
  if (isJoint(membership) && membership.autoLeave) {
    appendOwnMembership(state, leading, leaveJoint(membership), draft);
    replicate(state, leading, draft);
    advanceCommit(state, leading, draft);
    return;
  }
  replicate(state, leading, draft);
  if (!isVoter(membership, state.config.self)) abdicate(state, leading, draft);
}

/** A leader that is no longer a voter steps down once that is committed, and names the best successor. */
function abdicate<Payload>(state: RaftState, leading: Leadership, draft: Draft<Payload>): void {
  const successor = leading.transfer?.target ?? bestSuccessor(state, leading);
  if (successor !== noNode) draft.send.push({ kind: 'timeout-now', from: state.config.self, to: successor, term: state.term });
  becomeFollower(state, draft, state.term, noNode);
}

/** The active voter with the longest log; the smallest id among equals. */
function bestSuccessor(state: RaftState, leading: Leadership): NodeId {
  const { voters } = currentMembership(state);
  const candidates = [...leading.progress.values()].filter((progress) => isReachable(progress) && voters.includes(progress.node));
  return candidates.reduce<{ node: NodeId; match: number }>((best, each) => (each.match > best.match ? each : best), {
    node: noNode,
    match: -1,
  }).node;
}
