/** State that exists only while a node leads: created at its election, dropped when it steps down. */
import { asRaftIndex, type NodeId, type RaftIndex } from '../ids.ts';
import type { Membership } from './membership.ts';
import { createProgress, type Progress } from './progress.ts';
import { membersOf } from './quorum.ts';
import { createReadQueue, type ReadQueue } from './read-queue.ts';

export interface Transfer {
  readonly target: NodeId;
  ticks: number;
}

export interface Leadership {
  /** One per member, the leader included; in ascending order of the node ids. */
  progress: Map<NodeId, Progress>;
  readonly reads: ReadQueue;
  /** While set, nothing new is accepted. */
  transfer: Transfer | undefined;
  /** Bytes of the entries after the commit index. */
  uncommittedBytes: number;
  /** Ticks since the quorum was last checked. */
  quorumTicks: number;
}

export function createLeadership(membership: Membership, next: RaftIndex, uncommittedBytes: number): Leadership {
  const leading: Leadership = { progress: new Map(), reads: createReadQueue(), transfer: undefined, uncommittedBytes, quorumTicks: 0 };
  followMembership(leading, membership, next);
  return leading;
}

/** Drops the progress of nodes that left, adds nodes that came; `next` is where those are probed first. */
export function followMembership(leading: Leadership, membership: Membership, next: RaftIndex): void {
  const known = leading.progress;
  leading.progress = new Map(membersOf(membership).map((node) => [node, known.get(node) ?? createProgress(node, next)]));
}

export const matchOf = (leading: Leadership, node: NodeId): RaftIndex => leading.progress.get(node)?.match ?? asRaftIndex(0);
