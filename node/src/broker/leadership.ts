/** Finds the replica that serves a request, or says who does. */
import type { GroupId } from '../core/ids.ts';
import type { LeaderHint } from './broker-error.ts';
import { brokerError, noLeaderHint, notLeader } from './broker-error.ts';
import type { BrokerState } from './broker-state.ts';
import type { FoundPartition } from './metadata-replica.ts';
import { findPartition, partitionName } from './metadata-replica.ts';
import type { PartitionReplica } from './partition-replica.ts';

export interface ServedPartition extends FoundPartition {
  readonly group: GroupId;
  readonly replica: PartitionReplica;
  /** For messages: topic-number. */
  readonly subject: string;
}

/** The replica of a partition that this broker believes to lead; a cheap check, to be confirmed by what follows. */
export function ledPartition(broker: BrokerState, topic: string, number: number): ServedPartition {
  const found = findPartition(broker.metadata, topic, number);
  const group = found.partition.groupId;
  const subject = partitionName(found);
  const replica = broker.replicas.get(group);
  const known = broker.leaders.get(group);
  if (broker.stopping) throw brokerError('SHUTTING_DOWN', 'This broker is stopping.');
  if (replica === undefined) throw notHosted(broker, found, subject);
  if (known?.role !== 'leader') throw notLeader(subject, known ?? noLeaderHint);
  return { ...found, group, replica, subject };
}

function notHosted(broker: BrokerState, { partition }: FoundPartition, subject: string): Error {
  const { nodeId } = broker.facts;
  if (partition.replicas.includes(nodeId)) return brokerError('LEADER_NOT_AVAILABLE', `The replica of ${subject} is being opened here.`);
  return brokerError('NOT_LEADER', `This broker holds no replica of ${subject}; nodes ${partition.replicas.join(', ')} do.`);
}

/** Leader of a group as this broker knows it; none for groups that it does not hold. */
export function leaderOf(broker: BrokerState, group: GroupId): LeaderHint {
  return broker.leaders.get(group) ?? noLeaderHint;
}

/** Time that a request may take. */
export function timeLimitMs({ limits }: BrokerState, asked: number): number {
  return asked === 0 ? limits.requestTimeoutMs : Math.min(asked, limits.requestTimeoutMsMax);
}
