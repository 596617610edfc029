/**
 * Membership of a Raft group: who votes, who only listens.
 *
 * While `outgoing` is not empty the group is in a joint configuration (Raft
 * dissertation, section 4.3): every decision needs a majority of `voters` and a
 * majority of `outgoing`. A membership takes effect when it is appended, and is
 * rolled back when its entry is truncated.
 *
 * Invariants: arrays are sorted and free of duplicates; no node is both a voter
 * (of either half) and a learner; `voters` is never empty; `learnersNext` is a
 * subset of `outgoing` (voters that become learners when the joint phase ends).
 */
import type { NodeId } from '../ids.ts';

export interface Membership {
  readonly voters: readonly NodeId[];
  readonly outgoing: readonly NodeId[];
  readonly learners: readonly NodeId[];
  readonly learnersNext: readonly NodeId[];
  /** The leader leaves the joint configuration by itself once it is committed. */
  readonly autoLeave: boolean;
}
