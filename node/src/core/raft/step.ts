/**
 * The Raft core: step(state, input) -> effects.
 *
 * Synchronous and deterministic: the same state and input give the same effects. It
 * changes `state` and does nothing else; what has to happen in the world is in the
 * effects (effects.ts says in which order). The terms of messages are settled here,
 * the rest is in the role files.
 *
 * Failure contract: refusals are effects; an InvariantViolation means that the state
 * can no longer be trusted, and the node must stop.
 */
import { assert, unreachable } from '../assert.ts';
import { asRaftIndex, asTerm, type NodeId, noNode, type RaftIndex } from '../ids.ts';
import { type Draft, openDraft, seal } from './draft.ts';
import { reportWritten } from './durability.ts';
import type { Effects } from './effects.ts';
import { campaign, countOwnVote } from './election.ts';
import { becomeFollower } from './follow.ts';
import type { Input } from './input.ts';
import { checkInvariants, ratchetOf } from './invariants.ts';
import type { Leadership } from './leadership.ts';
import { compactLog } from './log.ts';
import { compactMemberships } from './membership-log.ts';
import type { Message, VoteRequest } from './message.ts';
import { advanceCommit, countOwnDisk } from './own-log.ts';
import { membersOf } from './quorum.ts';
import { drawBetween } from './random.ts';
import { takeRead } from './read-index.ts';
import { currentMembership, mayCampaign, type RaftState } from './state.ts';
import { stepCandidate } from './step-candidate.ts';
import { stepFollower, takeTimeoutNow } from './step-follower.ts';
import { changeMembership, failSnapshot, losePeer, propose, stepLeader } from './step-leader.ts';
import { tick } from './tick.ts';
import { startTransfer } from './transfer.ts';
import { answerVoteRequest, hurrySpreadTicks } from './vote.ts';

export function step<Payload>(state: RaftState, input: Input<Payload>): Effects<Payload> {
  const before = ratchetOf(state);
  const draft = openDraft<Payload>(state);
  take(state, input, draft);
  const effects = seal(state, draft);
  checkInvariants(state, before);
  return effects;
}

function take<Payload>(state: RaftState, input: Input<Payload>, draft: Draft<Payload>): void {
  switch (input.type) {
    case 'message':
      return receive(state, input.message, draft);
    case 'tick':
      return tick(state, input.now, draft);
    case 'persisted':
      return takePersisted(state, input.token, draft);
    case 'applied':
      return takeApplied(state, input.index);
    case 'compact':
      return compact(state, input.index);
    case 'campaign':
      return takeCampaign(state, draft);
    case 'peer-lost':
      return takePeerLost(state, input.node);
    case 'read':
      if (state.leading === undefined) draft.readsRefused.push({ context: input.context, refusal: 'not-leader' });
      else takeRead(state, state.leading, input.context, draft);
      return;
    case 'propose':
      return asLeader(state, draft, (leading) => propose(state, leading, input.commands, draft));
    case 'change-membership':
      return asLeader(state, draft, (leading) => changeMembership(state, leading, input.target, draft));
    case 'transfer':
      return asLeader(state, draft, (leading) => startTransfer(state, leading, input.target, draft));
    case 'snapshot-failed': {
      const progress = state.leading?.progress.get(input.node);
      if (progress !== undefined) failSnapshot(progress);
      return;
    }
    default:
      unreachable(input, 'kind of input');
  }
}

function asLeader<Payload>(state: RaftState, draft: Draft<Payload>, act: (leading: Leadership) => void): void {
  if (state.leading === undefined) draft.refused = 'not-leader';
  else act(state.leading);
}

/** Settles the term of a message, then gives it to whoever understands it. */
function receive<Payload>(state: RaftState, message: Message<Payload>, draft: Draft<Payload>): void {
  const { self } = state.config;
  assert(message.to === self && message.from !== self, 'a message reaches its addressee', { self, from: message.from, to: message.to });
  if (message.kind === 'vote-request') {
    answerVoteRequest(state, message, draft);
    return;
  }
  if (isAnswer(message) && !membersOf(currentMembership(state)).includes(message.from)) return;
  if (message.term < state.term) {
    correctStaleLeader(state, message, draft);
    return;
  }
  const isGrantedPreVote = message.kind === 'vote-response' && message.preVote && !message.reject;
  if (message.term > state.term && !isGrantedPreVote) becomeFollower(state, draft, message.term, noNode);
  dispatch(state, message, draft);
}

function dispatch<Payload>(state: RaftState, message: Exclude<Message<Payload>, VoteRequest>, draft: Draft<Payload>): void {
  switch (message.kind) {
    case 'append-request':
    case 'heartbeat-request':
    case 'snapshot-request':
      return stepFollower(state, message, draft);
    case 'timeout-now':
      return takeTimeoutNow(state, message, draft);
    case 'vote-response':
      return stepCandidate(state, message, draft);
    case 'append-response':
    case 'heartbeat-response':
    case 'snapshot-response':
      if (state.leading !== undefined) stepLeader(state, state.leading, message, draft);
      return;
    default:
      unreachable(message, 'kind of message');
  }
}

/** Answers of nodes that are not members (any more) are nothing to this replica, whatever their term. */
function isAnswer<Payload>({ kind }: Message<Payload>): boolean {
  return kind === 'vote-response' || kind === 'append-response' || kind === 'heartbeat-response' || kind === 'snapshot-response';
}

/**
 * A leader of a lower term learns the term of this node and steps down. Without it a
 * node that came back with a higher term would refuse the leader of the others for
 * ever, and they would refuse it their votes.
 */
function correctStaleLeader<Payload>(state: RaftState, message: Message<Payload>, draft: Draft<Payload>): void {
  if (message.kind !== 'append-request' && message.kind !== 'heartbeat-request' && message.kind !== 'snapshot-request') return;
  const nothing = asRaftIndex(0);
  draft.send.push({
    kind: 'append-response',
    from: state.config.self,
    to: message.from,
    term: state.term,
    reject: true,
    index: nothing,
    hintIndex: nothing,
    hintTerm: asTerm(0),
  });
}

function takePersisted<Payload>(state: RaftState, token: number, draft: Draft<Payload>): void {
  reportWritten(state.durability, token);
  if (state.role === 'candidate') countOwnVote(state, draft);
  else if (state.leading !== undefined) {
    countOwnDisk(state, state.leading);
    advanceCommit(state, state.leading, draft);
  }
}

function takeApplied(state: RaftState, index: RaftIndex): void {
  assert(index <= state.handed, 'only what was handed over is applied', { index, handed: state.handed });
  state.applied = asRaftIndex(Math.max(state.applied, index));
}

function compact(state: RaftState, index: RaftIndex): void {
  assert(index <= state.applied, 'a snapshot is of applied entries', { index, applied: state.applied });
  if (index <= state.log.start) return;
  compactLog(state.log, index);
  compactMemberships(state.memberships, index);
}

function takeCampaign<Payload>(state: RaftState, draft: Draft<Payload>): void {
  if (state.role === 'follower' && state.leader === noNode) campaign(state, draft);
}

/**
 * The leader's process may have died: forget it and campaign soon, but not at once,
 * because every other follower sees the same. A pre-vote tells whether they do.
 */
function takePeerLost(state: RaftState, node: NodeId): void {
  if (state.leading !== undefined) {
    losePeer(state.leading, node);
    return;
  }
  if (state.role !== 'follower' || node !== state.leader) return;
  state.leader = noNode;
  if (!mayCampaign(state)) return;
  state.hurried = true;
  state.electionTicks = state.electionElapsed + 1 + drawBetween(state.random, 0, hurrySpreadTicks);
}
