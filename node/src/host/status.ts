/** Views of a group for people and for decisions above the core. */
import type { NodeId, RaftIndex } from '../core/ids.ts';
import { statusOf } from '../core/raft/status.ts';
import type { GroupState } from './state.ts';
import type { GroupStatus } from './vocabulary.ts';

/** Durable index of every replica as the leader knows it; empty elsewhere. */
export function durableMatches(group: GroupState): readonly RaftIndex[] {
  return statusOf(group.raft).replicas.map((replica) => replica.match);
}

export const copiesAt = (matches: readonly RaftIndex[], index: RaftIndex): number => matches.filter((match) => match >= index).length;

/** The reachable voter that is furthest, or undefined. */
export function bestFollower(group: GroupState): NodeId | undefined {
  const status = statusOf(group.raft);
  const voters = status.replicas.filter(
    (replica) => replica.node !== group.raft.config.self && replica.active && status.membership.voters.includes(replica.node),
  );
  return voters.sort((a, b) => b.match - a.match || a.node - b.node)[0]?.node;
}

export function groupStatus(group: GroupState): GroupStatus {
  const raft = statusOf(group.raft);
  const isLearner = raft.membership.learners.includes(group.raft.config.self);
  return {
    ...group.key,
    role: isLearner && raft.role === 'follower' ? 'learner' : raft.role,
    leader: raft.leader,
    term: raft.term,
    commit: raft.commit,
    applied: group.applied,
    durable: raft.durable,
    first: raft.first,
    last: raft.last,
    membership: raft.membership,
    replicas: raft.replicas.map(({ node, match, state, active }) => ({ node, match, state, active })),
    faulty: group.faulty,
  };
}
