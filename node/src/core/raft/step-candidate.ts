/** Answers to a candidate's and a pre-candidate's requests. */
import type { Draft } from './draft.ts';
import { castVote } from './election.ts';
import type { VoteResponse } from './message.ts';
import type { RaftState } from './state.ts';

/** Counts an answer if it belongs to the campaign under way. A granted pre-vote carries the term asked for, which is one ahead. */
export function stepCandidate<Payload>(state: RaftState, response: VoteResponse, draft: Draft<Payload>): void {
  if (state.role !== (response.preVote ? 'pre-candidate' : 'candidate')) return;
  const granted = !response.reject;
  const expected = response.preVote && granted ? state.term + 1 : state.term;
  if (response.term === expected) castVote(state, granted, response.from, draft);
}
