/**
 * Linearizable reads without a log entry (ReadIndex). A read sees every write that
 * was committed before it arrived: its index is the commit index at a time when a
 * quorum still followed this leader.
 *
 * Before the first commit of its own term a leader does not know what is committed;
 * reads wait for it (Raft dissertation, section 6.4 step 1).
 */
import type { NodeId, RaftIndex } from '../ids.ts';
import type { Draft } from './draft.ts';
import type { Leadership } from './leadership.ts';
import { termOf } from './log.ts';
import { hasQuorum } from './quorum.ts';
import { pendingReads, type ReadQueue } from './read-queue.ts';
import { sendHeartbeats } from './replicate.ts';
import { currentMembership, type RaftState } from './state.ts';

export function takeRead<Payload>(state: RaftState, leading: Leadership, context: number, draft: Draft<Payload>): void {
  const { reads } = leading;
  if (pendingReads(reads) >= state.config.readsMax) {
    draft.readsRefused.push({ context, refusal: 'reads-max' });
    return;
  }
  reads.waiting.push(context);
  startReadRound(state, leading, draft);
}

/** Whether an entry of the leader's own term is committed. */
export const hasOwnCommit = (state: RaftState): boolean => termOf(state.log, state.commit) === state.term;

/** Starts a round for the waiting reads, unless one is under way. */
export function startReadRound<Payload>(state: RaftState, leading: Leadership, draft: Draft<Payload>): void {
  const { reads } = leading;
  if (reads.roundIndex !== undefined || reads.waiting.length === 0 || !hasOwnCommit(state)) return;
  reads.round += 1;
  reads.roundIndex = state.commit;
  reads.inRound = reads.waiting;
  reads.waiting = [];
  reads.echoes = new Set([state.config.self]);
  if (!finishReadRound(state, reads, draft)) sendHeartbeats(state, leading, draft);
}

/** `node` follows this leader and has seen `round`. */
export function echoReadRound<Payload>(state: RaftState, leading: Leadership, node: NodeId, round: number, draft: Draft<Payload>): void {
  const { reads } = leading;
  if (reads.roundIndex === undefined || round !== reads.round) return;
  reads.echoes.add(node);
  if (finishReadRound(state, reads, draft)) startReadRound(state, leading, draft);
}

function finishReadRound<Payload>(state: RaftState, reads: ReadQueue, draft: Draft<Payload>): boolean {
  const index: RaftIndex | undefined = reads.roundIndex;
  if (index === undefined || !hasQuorum(currentMembership(state), (node) => reads.echoes.has(node))) return false;
  for (const context of reads.inRound) draft.reads.push({ context, index });
  reads.inRound = [];
  reads.roundIndex = undefined;
  return true;
}

/** Leadership is lost: nothing can be proved any more. */
export function giveUpReads<Payload>(reads: ReadQueue, draft: Draft<Payload>): void {
  for (const context of [...reads.inRound, ...reads.waiting]) draft.readsRefused.push({ context, refusal: 'not-leader' });
  reads.inRound = [];
  reads.waiting = [];
  reads.roundIndex = undefined;
}
