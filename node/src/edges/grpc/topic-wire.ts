/** Cluster and topic descriptions in the form of the wire. */
import type { GetMetadataResponse, TopicInfo } from '@balsa/proto/client';
import type { ClusterDescription } from '../../broker/describe-cluster.ts';
import type { TopicDescription } from '../../broker/topics.ts';
import type { NodeId } from '../../core/ids.ts';

export function topicToWire({ topic, partitions }: TopicDescription): TopicInfo {
  return {
    name: topic.name,
    replicationFactor: topic.replicationFactor,
    config: Object.fromEntries(topic.config),
    partitions: partitions.map(({ number, group, replicas, hint }) => ({
      partition: number,
      groupId: group,
      replicaNodeIds: [...replicas],
      leaderNodeId: hint.leader,
      leaderTerm: hint.term,
    })),
  };
}

export function clusterToWire(cluster: ClusterDescription, answeringNodeId: NodeId): GetMetadataResponse {
  return {
    clusterId: cluster.clusterId,
    nodes: cluster.nodes.map(({ nodeId, clientAddress, peerAddress, httpAddress, zone, connected }) => ({
      nodeId,
      clientAddress,
      peerAddress,
      httpAddress,
      zone,
      connected,
    })),
    topics: cluster.topics.map(topicToWire),
    controllerNodeId: cluster.controller,
    answeringNodeId,
  };
}
