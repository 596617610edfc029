/**
 * Invariants of the replicas across their lives.
 *
 *  - I-R1: at most one leader per (group, term), ever.
 *  - I-R5: the log that a process had reported as durable when it ended is there when
 *    the next one has recovered, unless its disk was damaged since.
 *  - I-L6: a process ends itself only for a fault that its disk or clock was given.
 */
import { InvariantViolation } from '@balsa/node/core/assert.ts';
import type { RunningHost } from '@balsa/node/host/host.ts';
import type { GroupStatus, LeaderChange } from '@balsa/node/host/vocabulary.ts';
import type { SimNode } from '../world/sim-node.ts';
import { groupName } from './commit-chain.ts';
import { require, SimFailure } from './sim-failure.ts';

/** What a process claimed to have on its disk when it ended. */
interface Claim {
  /** Raft index, inclusive. */
  readonly durable: number;
}

export interface ReplicaChecks {
  readonly onLeaderChange: (node: number, change: LeaderChange) => void;
  /** A group was opened by a new process. */
  readonly onOpened: (node: SimNode, status: GroupStatus | undefined) => void;
  /** Before a process ends in whatever way. */
  readonly beforeEnd: (node: SimNode) => void;
  /** The disk no longer holds what it held: nothing can be asked of the next life. */
  readonly onDamage: (node: SimNode) => void;
  /** The process ended itself; throws unless that is excused. */
  readonly onFatal: (node: SimNode, error: unknown, isExcused: boolean) => void;
  readonly leaders: () => number;
}

export function createReplicaChecks(): ReplicaChecks {
  const leaders = new Map<string, number>();
  const claims = new Map<number, Map<string, Claim>>();
  return {
    onLeaderChange: (node, change) => {
      if (change.role !== 'leader') return;
      const name = `${groupName(change)}@${change.term}`;
      const known = leaders.get(name);
      require(known === undefined || known === node, 'I-R1 one leader per term', () => ({ name, node, known }));
      leaders.set(name, node);
    },
    onOpened: (node, status) => {
      if (status === undefined) return;
      const own = claims.get(node.id);
      const claim = own?.get(groupName(status));
      // Opened again in the same life it was removed before, and begins anew.
      own?.delete(groupName(status));
      if (claim === undefined || status.faulty) return;
      const { last } = status;
      require(last >= claim.durable, 'I-R5 durable claims survive', () => ({ node: node.id, group: groupName(status), claim, last }));
    },
    beforeEnd: (node) => {
      const host = node.life?.host;
      if (host !== undefined) claims.set(node.id, claimsOf(host));
    },
    onDamage: (node) => {
      claims.delete(node.id);
    },
    onFatal: (node, error, isExcused) => {
      const facts = `node ${node.id}: ${error instanceof Error ? error.stack : String(error)}`;
      if (error instanceof SimFailure) throw error;
      if (error instanceof InvariantViolation) throw new SimFailure(`assertion: ${error.message.split(' {')[0]}`, facts);
      if (!isExcused) throw new SimFailure('I-L6 no unplanned exit', facts);
    },
    leaders: () => leaders.size,
  };
}

function claimsOf(host: RunningHost): Map<string, Claim> {
  const claims = new Map<string, Claim>();
  for (const group of host.groups()) {
    const status = host.status(group);
    if (status === undefined || status.faulty) continue;
    claims.set(groupName(status), { durable: status.durable });
  }
  return claims;
}
