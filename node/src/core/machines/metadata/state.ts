/**
 * The cluster as all nodes agree on it: nodes, topics, where partitions live.
 *
 * Records are immutable and replaced as a whole, so that a reader may keep one; the maps
 * and counters change in place. Ids are never reused: what was deleted cannot be taken
 * for what was created later under the same name.
 *
 * Invariants: every replica is a registered node; group ids are unique and below
 * nextGroupId; `version` grows with every change and with nothing else.
 */
import type { GroupId, NodeId } from '../../ids.ts';
import { asGroupId } from '../../ids.ts';
import type { TopicConfig } from './topic-settings.ts';

export interface NodeRecord {
  readonly nodeId: NodeId;
  /** Random identity of the node's data folder. */
  readonly storeId: string;
  readonly clientAddress: string;
  readonly peerAddress: string;
  /** Empty if the node serves no HTTP. */
  readonly httpAddress: string;
  readonly zone: string;
}

export interface PartitionRecord {
  readonly groupId: GroupId;
  /** Generation of the group's replica set: messages of another one are dropped. */
  readonly generation: number;
  /** Voters that the group was born with. A later replica starts with these too, so it cannot elect itself. */
  readonly birth: readonly NodeId[];
  /** Where the voting replicas shall be; the first is the preferred leader. */
  readonly replicas: readonly NodeId[];
  /** Where replicas that do not vote shall be, sorted. */
  readonly learners: readonly NodeId[];
}

export interface TopicRecord {
  readonly name: string;
  /** From 1, never reused. */
  readonly topicId: number;
  readonly replicationFactor: number;
  /** Settings that differ from the defaults. */
  readonly config: TopicConfig;
  /** By number, from 0. */
  readonly partitions: readonly PartitionRecord[];
}

export interface MetadataState {
  /** Counts changes: equal versions, equal states. */
  version: number;
  /** Empty until the cluster is initialised. */
  clusterId: string;
  featureLevel: number;
  nextGroupId: GroupId;
  nextTopicId: number;
  nextProducerId: number;
  readonly nodes: Map<NodeId, NodeRecord>;
  readonly topics: Map<string, TopicRecord>;
}

export function initialMetadataState(): MetadataState {
  return {
    version: 0,
    clusterId: '',
    featureLevel: 0,
    // Group 0 is the metadata itself.
    nextGroupId: asGroupId(1),
    nextTopicId: 1,
    nextProducerId: 1,
    nodes: new Map(),
    topics: new Map(),
  };
}

export function sortedNodes(state: MetadataState): readonly NodeRecord[] {
  return [...state.nodes.values()].toSorted((a, b) => a.nodeId - b.nodeId);
}

/** In the order of creation. */
export function sortedTopics(state: MetadataState): readonly TopicRecord[] {
  return [...state.topics.values()].toSorted((a, b) => a.topicId - b.topicId);
}

export interface PartitionPlace {
  readonly topic: TopicRecord;
  /** Number within the topic. */
  readonly number: number;
  readonly partition: PartitionRecord;
}

export function* allPartitions(state: MetadataState): Generator<PartitionPlace> {
  for (const topic of sortedTopics(state)) {
    for (const [number, partition] of topic.partitions.entries()) yield { topic, number, partition };
  }
}

/** The partition that a Raft group replicates. */
export function findGroup(state: MetadataState, groupId: GroupId): PartitionPlace | undefined {
  for (const place of allPartitions(state)) if (place.partition.groupId === groupId) return place;
  return undefined;
}
