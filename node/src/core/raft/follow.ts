/** Becoming a follower: from any role, by a higher term, a leader's message or a lost quorum. */
import { assert } from '../assert.ts';
import { type NodeId, noNode, type Term } from '../ids.ts';
import type { Draft } from './draft.ts';
import { giveUpReads } from './read-index.ts';
import { type RaftState, resetElectionTimer } from './state.ts';

/**
 * Follows `leader` (noNode if unknown) in `term`. A mere follower that learns a higher
 * term from a candidate keeps its election timer: a candidate that cannot win must not
 * hold back those that can.
 */
export function becomeFollower<Payload>(state: RaftState, draft: Draft<Payload>, term: Term, leader: NodeId): void {
  assert(term >= state.term, 'terms never decrease', { term, own: state.term });
  if (term > state.term) state.votedFor = noNode;
  if (state.role !== 'follower' || leader !== noNode) resetElectionTimer(state);
  if (state.leading !== undefined) giveUpReads(state.leading.reads, draft);
  state.term = term;
  state.role = 'follower';
  state.leader = leader;
  state.leading = undefined;
  if (state.votes.size > 0) state.votes = new Map();
}
