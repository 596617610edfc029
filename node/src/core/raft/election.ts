/**
 * Elections: pre-vote, vote, and the first acts of a new leader.
 *
 * A vote request leaves only after everything before it is on disk: term, own vote
 * and the log that it speaks of. Were it to leave earlier, a candidate could crash,
 * forget the end of its log, campaign in the same term again and count votes that
 * were given to the longer log. A pre-vote changes nothing and leaves at once.
 */
import { assert } from '../assert.ts';
import { asRaftIndex, asTerm, type NodeId, noNode, type Term } from '../ids.ts';
import { holdsVote } from './durability.ts';
import type { Draft } from './draft.ts';
import { becomeFollower } from './follow.ts';
import { createLeadership } from './leadership.ts';
import { bytesBetween, lastIndex, lastTerm } from './log.ts';
import type { OutgoingMessage } from './message.ts';
import { appendOwn, countOwnDisk } from './own-log.ts';
import { isVoter, membersOf, voteResult } from './quorum.ts';
import { replicate } from './replicate.ts';
import { currentMembership, mayCampaign, type RaftState, resetElectionTimer } from './state.ts';

/** Campaigns if this node may: with a pre-vote, if so configured. */
export function campaign<Payload>(state: RaftState, draft: Draft<Payload>): void {
  if (!mayCampaign(state)) return;
  if (!state.config.preVote) {
    startElection(state, false, draft);
    return;
  }
  enterCampaign(state, 'pre-candidate');
  draft.send.push(...voteRequests(state, asTerm(state.term + 1), true, false));
  castVote(state, true, state.config.self, draft);
}

/** Stands for election in the next term. `transfer`: the leader asked for it. */
export function startElection<Payload>(state: RaftState, transfer: boolean, draft: Draft<Payload>): void {
  state.term = asTerm(state.term + 1);
  state.votedFor = state.config.self;
  enterCampaign(state, 'candidate');
  draft.sendAfterWrite.push(...voteRequests(state, state.term, false, transfer));
}

function enterCampaign(state: RaftState, role: 'pre-candidate' | 'candidate'): void {
  assert(state.role !== 'leader', 'a leader does not campaign', { term: state.term });
  const isHurried = state.hurried && state.role === 'follower' && role === 'pre-candidate';
  state.role = role;
  state.leader = noNode;
  state.votes = new Map();
  resetElectionTimer(state);
  state.hurried = isHurried;
}

function voteRequests(state: RaftState, term: Term, preVote: boolean, transfer: boolean): readonly OutgoingMessage[] {
  const { config, log } = state;
  const membership = currentMembership(state);
  return membersOf(membership)
    .filter((node) => node !== config.self && isVoter(membership, node))
    .map((to) => ({
      kind: 'vote-request',
      from: config.self,
      to,
      term,
      index: lastIndex(log),
      indexTerm: lastTerm(log),
      preVote,
      transfer,
    }));
}

/** Counts an answer; the first one of each voter is the one that counts. */
export function castVote<Payload>(state: RaftState, granted: boolean, voter: NodeId, draft: Draft<Payload>): void {
  if (state.votes.has(voter)) return;
  state.votes.set(voter, granted);
  tally(state, draft);
}

function tally<Payload>(state: RaftState, draft: Draft<Payload>): void {
  const result = voteResult(currentMembership(state), state.votes);
  if (result === 'lost') becomeFollower(state, draft, state.term, noNode);
  if (result !== 'won') return;
  if (state.role === 'pre-candidate') startElection(state, false, draft);
  else if (holdsVote(state.durability, state.term, state.config.self)) becomeLeader(state, draft);
}

/** A candidate counts its own vote once a crash could no longer make it forget it. */
export function countOwnVote<Payload>(state: RaftState, draft: Draft<Payload>): void {
  const { self } = state.config;
  if (holdsVote(state.durability, state.term, self)) castVote(state, true, self, draft);
}

function becomeLeader<Payload>(state: RaftState, draft: Draft<Payload>): void {
  assert(state.role === 'candidate', 'only a candidate becomes leader', { role: state.role });
  assert(holdsVote(state.durability, state.term, state.config.self), 'a leader has its own vote on disk', { term: state.term });
  const { log, commit } = state;
  const next = asRaftIndex(lastIndex(log) + 1);
  const leading = createLeadership(currentMembership(state), next, bytesBetween(log, commit + 1, lastIndex(log)));
  state.role = 'leader';
  state.leader = state.config.self;
  state.leading = leading;
  state.votes = new Map();
  resetElectionTimer(state);
  appendOwn(state, leading, { kind: 'noop' }, 0, draft);
  countOwnDisk(state, leading);
  replicate(state, leading, draft);
}
