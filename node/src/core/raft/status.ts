/** A replica as its host and the operator see it: a copy, safe to keep. */
import type { NodeId, RaftIndex, Term } from '../ids.ts';
import type { Role } from './effects.ts';
import { firstIndex, lastIndex } from './log.ts';
import type { Membership } from './membership.ts';
import { isReachable, type ProgressState } from './progress.ts';
import { currentMembership, type RaftState } from './state.ts';

export interface ReplicaProgress {
  readonly node: NodeId;
  /** Last index known to be durable there (inclusive). */
  readonly match: RaftIndex;
  /** First index to send next. */
  readonly next: RaftIndex;
  readonly state: ProgressState;
  /** Heard from within the last one to two periods of the quorum check; the leader itself always is. */
  readonly active: boolean;
}

export interface RaftStatus {
  readonly role: Role;
  readonly leader: NodeId;
  readonly term: Term;
  readonly commit: RaftIndex;
  readonly applied: RaftIndex;
  /** The log is on this node's disk up to here (inclusive). */
  readonly durable: RaftIndex;
  /** First and last index of the log (both inclusive); last = first - 1 if it is empty. */
  readonly first: RaftIndex;
  readonly last: RaftIndex;
  readonly membership: Membership;
  /** Ascending by node, the leader included; empty unless this node leads. */
  readonly replicas: readonly ReplicaProgress[];
}

export function statusOf(state: RaftState): RaftStatus {
  const { role, leader, term, commit, applied, log, durability, leading, config } = state;
  const replicas = [...(leading?.progress.values() ?? [])].map((progress) => ({
    node: progress.node,
    match: progress.match,
    next: progress.next,
    state: progress.node === config.self ? 'replicate' : progress.state,
    active: progress.node === config.self || isReachable(progress),
  }));
  return {
    role,
    leader,
    term,
    commit,
    applied,
    durable: durability.durable,
    first: firstIndex(log),
    last: lastIndex(log),
    membership: currentMembership(state),
    replicas,
  };
}
