/**
 * Answering vote requests, in any role.
 *
 * Whether the candidate is a voter in *this* node's membership does not matter: the
 * membership here may be older than the candidate's, and the candidate counts only
 * the votes that its own membership asks for. For the same reason a learner votes.
 */
import { noNode } from '../ids.ts';
import type { Draft } from './draft.ts';
import { becomeFollower } from './follow.ts';
import { isUpToDate, lastIndex, lastTerm } from './log.ts';
import type { VoteRequest } from './message.ts';
import { drawBetween } from './random.ts';
import { type RaftState, reachesFloor, resetElectionTimer } from './state.ts';

/** Ticks for which a node that was about to campaign lets another one go first. */
const deferTicks = 3;
/** Spread of short waits, so that nodes that wait for the same thing do not all act on the same tick. */
export const hurrySpreadTicks = 2;

export function answerVoteRequest<Payload>(state: RaftState, request: VoteRequest, draft: Draft<Payload>): void {
  if (request.term < state.term || (hasRecentLeader(state) && !request.transfer)) {
    respond(state, request, false, draft);
    return;
  }
  if (!request.preVote && request.term > state.term) becomeFollower(state, draft, request.term, noNode);
  const granted = isFree(state, request) && isLongEnough(state, request) && !standsBefore(state, request);
  respond(state, request, granted, draft);
  if (!granted) return;
  if (request.preVote) {
    deferCampaign(state);
    return;
  }
  state.votedFor = request.from;
  resetElectionTimer(state);
}

/** A leader was heard within the minimum election time-out: whoever campaigns now does not hear it, that is all. */
function hasRecentLeader(state: RaftState): boolean {
  return state.config.checkQuorum && state.leader !== noNode && state.electionElapsed < state.config.electionTicksMin;
}

/** Whether the vote of the request's term is still to be given, or was given to this candidate. */
function isFree(state: RaftState, request: VoteRequest): boolean {
  if (request.preVote && request.term > state.term) return true;
  return state.votedFor === request.from || (state.votedFor === noNode && state.leader === noNode);
}

/** Not shorter than this node's log, nor than the one that an earlier replica here has left. */
function isLongEnough(state: RaftState, { index, indexTerm }: VoteRequest): boolean {
  return isUpToDate(state.log, index, indexTerm) && reachesFloor(state, { index, term: indexTerm });
}

/**
 * Two nodes that lost the same leader and ask for pre-votes at the same moment would
 * both get them, and split the votes. With equal logs the smaller id gives way; only in
 * the first pre-vote, so that a node that nobody else hears cannot hold up the other.
 */
function standsBefore({ role, hurried, log, config }: RaftState, { preVote, index, indexTerm, from }: VoteRequest): boolean {
  if (!preVote || role !== 'pre-candidate' || !hurried) return false;
  return from < config.self && index === lastIndex(log) && indexTerm === lastTerm(log);
}

/** A node that is about to campaign for the same reason lets the one that asks first go ahead, once. */
function deferCampaign(state: RaftState): void {
  if (!state.hurried || state.role !== 'follower') return;
  state.hurried = false;
  state.electionTicks = state.electionElapsed + deferTicks + drawBetween(state.random, 0, hurrySpreadTicks);
}

/** A vote leaves after it is on disk; a pre-vote or a refusal binds nobody and leaves at once. */
function respond<Payload>(state: RaftState, request: VoteRequest, granted: boolean, draft: Draft<Payload>): void {
  const { preVote, from: to } = request;
  const term = granted ? request.term : state.term;
  const queue = granted && !preVote ? draft.sendAfterWrite : draft.send;
  queue.push({ kind: 'vote-response', from: state.config.self, to, term, preVote, reject: !granted });
}
