/** What an operator asks: the Raft state of groups, and whether this broker is ready. */
import type { GroupId, NodeId, Offset } from '../core/ids.ts';
import { asOffset, metadataGroup, noNode } from '../core/ids.ts';
import { allPartitions } from '../core/machines/metadata/state.ts';
import type { GroupStatus } from '../host/vocabulary.ts';
import { brokerError, viaHost } from './broker-error.ts';
import type { BrokerState } from './broker-state.ts';
import { isReplica, placeOfGroup, subjectOf } from './metadata-replica.ts';

/** Entries that may be committed and not applied on a broker that is ready. */
const applyLagMax = 1000;

export interface GroupReport extends GroupStatus {
  /** Empty for the metadata group. */
  readonly topic: string;
  readonly partition: number;
  /** First offset still kept (inclusive). */
  readonly logStart: Offset;
  /** First offset not yet readable (exclusive). */
  readonly highWatermark: Offset;
}

/** One row for `group`, or for all groups hosted here. */
export function raftStatus(broker: BrokerState, group: GroupId | 'all'): readonly GroupReport[] {
  const asked = group === 'all' ? broker.host.groups() : [group];
  const reports = asked.flatMap((id) => report(broker, id));
  if (group !== 'all' && reports.length === 0) throw brokerError('UNKNOWN_GROUP', `This broker hosts no Raft group ${group}.`);
  return reports;
}

function report(broker: BrokerState, group: GroupId): readonly GroupReport[] {
  const status = broker.host.status(group);
  if (status === undefined) return [];
  const place = placeOfGroup(broker.metadata, group);
  const state = broker.replicas.get(group)?.state;
  return [
    {
      ...status,
      topic: place?.topic.name ?? '',
      partition: place?.number ?? 0,
      logStart: state?.logStart ?? asOffset(0),
      highWatermark: state?.nextOffset ?? asOffset(0),
    },
  ];
}

/** Leader afterwards. `target` 0 lets the leader choose. */
export async function transferLeadership(broker: BrokerState, group: GroupId, target: NodeId): Promise<NodeId> {
  if (broker.host.status(group) === undefined) throw brokerError('UNKNOWN_GROUP', `This broker hosts no Raft group ${group}.`);
  return viaHost(
    subjectOf(broker.metadata, group),
    broker.host.transfer(group, target === noNode ? undefined : target, broker.limits.requestTimeoutMs),
  );
}

export interface ReadinessCheck {
  readonly name: string;
  /** Why it is not met; undefined if it is. */
  readonly problem: string | undefined;
}

/** What must hold before clients are sent here. */
export function readiness(broker: BrokerState): readonly ReadinessCheck[] {
  const { nodeId } = broker.facts;
  const statuses = broker.host.groups().flatMap((group) => broker.host.status(group) ?? []);
  const assigned = [...allPartitions(broker.metadata.state)].filter((place) => isReplica(place, nodeId));
  const closed = assigned.filter(({ partition }) => !broker.replicas.has(partition.groupId)).length;
  const metadataLeader = broker.host.status(metadataGroup)?.leader ?? noNode;
  const check = (name: string, holds: boolean, problem: string): ReadinessCheck => ({ name, problem: holds ? undefined : problem });
  const count = (condition: (status: GroupStatus) => boolean): number => statuses.filter(condition).length;
  const leaderless = count((status) => status.leader === noNode);
  const behind = count((status) => status.commit - status.applied > applyLagMax);
  const faulty = count((status) => status.faulty);
  return [
    check('running', !broker.stopping, 'the broker is stopping'),
    check('metadata-leader', metadataLeader !== noNode, 'the metadata group has no leader: too few of its voters are up or reachable'),
    check('registered', broker.registered, 'this node is not registered with the cluster yet'),
    check('replicas-open', closed === 0, `${closed} partition replicas are not open yet`),
    check('group-leaders', leaderless === 0, `${leaderless} Raft groups on this node have no leader`),
    check('caught-up', behind === 0, `${behind} Raft groups on this node are catching up`),
    check('replicas-sound', faulty === 0, `${faulty} replicas on this node are damaged`),
  ];
}
