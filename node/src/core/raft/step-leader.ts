/**
 * The leader: answers of its replicas, and what clients and the operator ask of it.
 *
 * Invariant: `match` rises only by an acceptance of this term; a rejection or a late
 * answer never raises it, and never moves the commit index.
 */
import { assert } from '../assert.ts';
import { asRaftIndex, type NodeId } from '../ids.ts';
import type { Draft } from './draft.ts';
import type { MembershipTarget, ProposedCommand } from './input.ts';
import type { Leadership } from './leadership.ts';
import { lastIndex, lastIndexWithin } from './log.ts';
import { isJoint, nextMembership } from './membership-change.ts';
import { newestMembership } from './membership-log.ts';
import type { AppendResponse, HeartbeatResponse, SnapshotResponse } from './message.ts';
import { advanceCommit, appendOwn, appendOwnMembership, countOwnDisk } from './own-log.ts';
import { acknowledge, becomeProbe, type Progress, retreat } from './progress.ts';
import { echoReadRound, hasOwnCommit } from './read-index.ts';
import { replicate, replicateTo, resumeReplica } from './replicate.ts';
import type { RaftState } from './state.ts';
import { continueTransfer } from './transfer.ts';

type FromReplica = AppendResponse | HeartbeatResponse | SnapshotResponse;

export function stepLeader<Payload>(state: RaftState, leading: Leadership, message: FromReplica, draft: Draft<Payload>): void {
  const progress = leading.progress.get(message.from);
  if (progress === undefined) return;
  progress.active = true;
  if (message.kind === 'heartbeat-response') {
    resumeReplica(state, progress, draft);
    echoReadRound(state, leading, message.from, message.readRound, draft);
  } else if (!message.reject) takeAcceptance(state, leading, progress, message, draft);
  else if (message.kind === 'append-response') takeRejection(state, progress, message, draft);
  else failSnapshot(progress);
}

function takeAcceptance<Payload>(
  state: RaftState,
  leading: Leadership,
  progress: Progress,
  { kind, index }: AppendResponse | SnapshotResponse,
  draft: Draft<Payload>,
): void {
  const last = lastIndex(state.log);
  assert(index <= last, 'a replica acknowledges only what the leader has', { node: progress.node, index, last });
  acknowledge(progress, index, state.log.start);
  // Installed, but the log was cut meanwhile: what it needs now is a newer snapshot, at once.
  if (kind === 'snapshot-response' && progress.state === 'snapshot') becomeProbe(progress);
  advanceCommit(state, leading, draft);
  if (state.leading !== leading) return;
  replicateTo(state, progress, draft);
  continueTransfer(state, leading, progress.node, draft);
}

function takeRejection<Payload>(state: RaftState, progress: Progress, response: AppendResponse, draft: Draft<Payload>): void {
  const hint = lastIndexWithin(state.log, response.hintIndex, response.hintTerm);
  if (retreat(progress, response.index, hint)) replicateTo(state, progress, draft, true);
}

/** A snapshot did not arrive; the next sign of life of the replica starts a new attempt. */
export function failSnapshot(progress: Progress): void {
  if (progress.state === 'snapshot') pauseProbe(progress);
}

export function propose<Payload>(
  state: RaftState,
  leading: Leadership,
  commands: readonly ProposedCommand<Payload>[],
  draft: Draft<Payload>,
): void {
  const bytes = commands.reduce((sum, { size }) => sum + size, 0);
  if (leading.transfer !== undefined) {
    draft.refused = 'transferring';
    return;
  }
  if (leading.uncommittedBytes > 0 && leading.uncommittedBytes + bytes > state.config.uncommittedBytesMax) {
    draft.refused = 'uncommitted-bytes-max';
    return;
  }
  const first = asRaftIndex(lastIndex(state.log) + 1);
  for (const { payload, size } of commands) appendOwn(state, leading, { kind: 'command', payload }, size, draft);
  draft.accepted = { term: state.term, first, last: lastIndex(state.log) };
  countOwnDisk(state, leading);
  replicate(state, leading, draft);
}

/**
 * Starts a membership change. Refused while another one is under way, and before the
 * leader has committed an entry of its own term: until then it cannot know whether
 * the change of an earlier leader is (the flaw of the first published algorithm).
 */
export function changeMembership<Payload>(state: RaftState, leading: Leadership, target: MembershipTarget, draft: Draft<Payload>): void {
  const newest = newestMembership(state.memberships);
  const next = nextMembership(newest.membership, target);
  if (leading.transfer !== undefined) draft.refused = 'transferring';
  else if (next === undefined) draft.refused = 'invalid-membership';
  else if (newest.index > state.commit || isJoint(newest.membership) || !hasOwnCommit(state)) draft.refused = 'membership-change-pending';
  else {
    const index = appendOwnMembership(state, leading, next, draft);
    draft.accepted = { term: state.term, first: index, last: index };
    replicate(state, leading, draft);
    advanceCommit(state, leading, draft);
  }
}

/** Probes again, once the replica shows that it can be reached. */
function pauseProbe(progress: Progress): void {
  becomeProbe(progress);
  progress.paused = true;
}

/** The connection to a replica is gone, and with it all that was in flight. */
export function losePeer(leading: Leadership, node: NodeId): void {
  const progress = leading.progress.get(node);
  if (progress !== undefined) pauseProbe(progress);
  if (leading.transfer?.target === node) leading.transfer = undefined;
}
