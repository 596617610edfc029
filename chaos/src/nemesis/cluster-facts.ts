/** Asks a cluster who leads what, for the resolution of targets. */
import type { RaftGroup } from '@balsa/client';
import type { PartitionRef } from '../record/timeline.ts';
import type { FaultContext } from './fault.ts';
import type { ClusterFacts } from './targets.ts';

export interface SeenCluster {
  readonly facts: ClusterFacts;
  /** Leader by partition. */
  readonly led: readonly (PartitionRef & { readonly leader: number })[];
}

const metadataGroup = 0;

/** Rejects with the client's error if nobody answers in time. */
export async function seeCluster(
  { cluster, admin, partition }: Pick<FaultContext, 'cluster' | 'admin' | 'partition'>,
  timeoutMs: number,
): Promise<SeenCluster> {
  const [topic, { groups }] = await Promise.all([
    admin.admin.topics.describe(partition.topic, { timeout: timeoutMs }),
    admin.admin.raft.status({}, { timeout: timeoutMs }),
  ]);
  const running = cluster.nodes.filter((node) => node.state() === 'running').map(({ id }) => id);
  // Of a node that has just ended the others say for a while that it leads.
  const leaderOf = (group: RaftGroup | undefined): number | undefined =>
    group?.leader !== undefined && running.includes(group.leader) ? group.leader : undefined;
  const own = topic.partitions.find((each) => each.partition === partition.partition);
  const facts = {
    nodes: cluster.nodes.map(({ id }) => id),
    running,
    replicas: own?.replicas ?? [],
    leader: leaderOf(groups.find(({ groupId }) => groupId === own?.groupId)),
    metadataLeader: leaderOf(groups.find(({ groupId }) => groupId === metadataGroup)),
  };
  const led = groups.flatMap((group) => {
    const leader = leaderOf(group);
    return group.topic === '' || leader === undefined ? [] : [{ topic: group.topic, partition: group.partition, leader }];
  });
  return { facts, led };
}
