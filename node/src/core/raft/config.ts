/** Fixed settings of a Raft group. All limits are named here. */
import type { NodeId } from '../ids.ts';

export interface RaftConfig {
  readonly self: NodeId;
  /** A heartbeat leaves on every tick whose number is a multiple of this. */
  readonly heartbeatTicks: number;
  /** Election time-out is drawn from [electionTicksMin, electionTicksMax] (both inclusive). */
  readonly electionTicksMin: number;
  readonly electionTicksMax: number;
  readonly preVote: boolean;
  readonly checkQuorum: boolean;
  /** Entry bytes in one append message (at least one entry goes out whatever its size). */
  readonly appendBytesMax: number;
  /** Append messages in flight to one follower. */
  readonly inflightMessagesMax: number;
  /** Entry bytes in flight to one follower. */
  readonly inflightBytesMax: number;
  /** Entry bytes that a leader holds uncommitted before it refuses proposals. */
  readonly uncommittedBytesMax: number;
  /** Reads waiting for confirmation or for the first commit of the term. */
  readonly readsMax: number;
  /** Seed of the election time-outs of this group on this node. */
  readonly seed: number;
}

export const defaultRaftConfig: Omit<RaftConfig, 'self' | 'seed'> = {
  heartbeatTicks: 2,
  electionTicksMin: 10,
  electionTicksMax: 20,
  preVote: true,
  checkQuorum: true,
  appendBytesMax: 1024 * 1024,
  inflightMessagesMax: 64,
  inflightBytesMax: 16 * 1024 * 1024,
  uncommittedBytesMax: 64 * 1024 * 1024,
  readsMax: 10_000,
};
