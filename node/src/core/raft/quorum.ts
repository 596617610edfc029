/**
 * Quorum mathematics of simple and joint memberships. A joint membership needs a
 * majority in *each* half, never a majority of the union (Raft dissertation,
 * section 4.3). Every decision of the core goes through here: votes, commit,
 * reads and the leader's own right to stay.
 */
import { asRaftIndex, type NodeId, type RaftIndex } from '../ids.ts';
import type { Membership } from './membership.ts';

export type VoteResult = 'won' | 'lost' | 'pending';

const majorityOf = (voters: number): number => Math.floor(voters / 2) + 1;

/** Whether `node` has a vote in any half. */
export const isVoter = (membership: Membership, node: NodeId): boolean =>
  membership.voters.includes(node) || membership.outgoing.includes(node);

/** Every node that takes part in the group, ascending. */
export function membersOf(membership: Membership): readonly NodeId[] {
  const all = new Set([...membership.voters, ...membership.outgoing, ...membership.learners]);
  return [...all].sort((a, b) => a - b);
}

/** Whether the nodes that satisfy `has` form a quorum. */
export function hasQuorum(membership: Membership, has: (node: NodeId) => boolean): boolean {
  return halves(membership).every((half) => half.filter(has).length >= majorityOf(half.length));
}

/** Result of an election; nodes without an entry in `votes` have not answered. */
export function voteResult(membership: Membership, votes: ReadonlyMap<NodeId, boolean>): VoteResult {
  if (hasQuorum(membership, (node) => votes.get(node) === true)) return 'won';
  return hasQuorum(membership, (node) => votes.get(node) !== false) ? 'pending' : 'lost';
}

/** Largest index that a quorum has reached. */
export function quorumIndex(membership: Membership, reached: (node: NodeId) => RaftIndex): RaftIndex {
  const incoming = majorityIndex(membership.voters, reached);
  if (membership.outgoing.length === 0) return incoming;
  return asRaftIndex(Math.min(incoming, majorityIndex(membership.outgoing, reached)));
}

function majorityIndex(voters: readonly NodeId[], reached: (node: NodeId) => RaftIndex): RaftIndex {
  const sorted = voters.map(reached).sort((a, b) => b - a);
  return sorted[majorityOf(voters.length) - 1] ?? asRaftIndex(0);
}

function halves({ voters, outgoing }: Membership): readonly (readonly NodeId[])[] {
  return outgoing.length === 0 ? [voters] : [voters, outgoing];
}
