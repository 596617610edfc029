/**
 * Reads that wait for the leader to prove that it still leads (ReadIndex, Raft
 * dissertation section 6.4). A proof is a *round*: heartbeats carry its number, and
 * a quorum that echoes it was led by this leader after the round began. Reads that
 * arrive during a round share the next one.
 *
 * Invariant: `inRound` is not empty exactly while a round is under way.
 */
import type { NodeId, RaftIndex } from '../ids.ts';

export interface ReadQueue {
  /** Number of the newest round; rounds count from 1 in each term. */
  round: number;
  /** Commit index when the round began: every read of the round sees at least this. */
  roundIndex: RaftIndex | undefined;
  inRound: number[];
  /** Contexts waiting for the next round, or for the first commit of the term. */
  waiting: number[];
  echoes: Set<NodeId>;
}

export const createReadQueue = (): ReadQueue => ({ round: 0, roundIndex: undefined, inRound: [], waiting: [], echoes: new Set() });

export const pendingReads = (reads: ReadQueue): number => reads.inRound.length + reads.waiting.length;
