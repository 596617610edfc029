/** Topics: created, deleted and altered on the metadata leader. */
import type { NodeId } from '../core/ids.ts';
import { metadataGroup } from '../core/ids.ts';
import type { TopicRecord } from '../core/machines/metadata/state.ts';
import type { LeaderHint } from './broker-error.ts';
import { viaHost } from './broker-error.ts';
import type { BrokerState } from './broker-state.ts';
import { leaderOf } from './leadership.ts';
import { findPartition, metadataSubject } from './metadata-replica.ts';
import { writeMetadata } from './metadata-write.ts';
import { waitUntil } from './pause.ts';

/** How long a creation waits for the leaders of its partitions; it succeeds anyway. */
const leadersTimeoutMs = 5000;

export interface TopicToCreate {
  readonly name: string;
  /** 0: the default. */
  readonly partitions: number;
  /** 0: the default. */
  readonly replicationFactor: number;
  readonly config: Readonly<Record<string, string>>;
}

export interface PartitionDescription {
  readonly number: number;
  readonly group: number;
  readonly replicas: readonly NodeId[];
  readonly hint: LeaderHint;
}

export interface TopicDescription {
  readonly topic: TopicRecord;
  readonly partitions: readonly PartitionDescription[];
}

/** The topic, once its partitions that live here have leaders, so that producing works at once. */
export async function createTopic(broker: BrokerState, wanted: TopicToCreate): Promise<TopicDescription> {
  const { topicDefaults, limits } = broker;
  const partitions = wanted.partitions || topicDefaults.partitions;
  const replicationFactor = wanted.replicationFactor || topicDefaults.replicationFactor;
  const { topic } = await writeMetadata(
    broker,
    { type: 'create-topic', ...wanted, partitions, replicationFactor },
    limits.requestTimeoutMs,
  );
  await waitForLeaders(broker, topic);
  return describeTopic(broker, topic);
}

export async function deleteTopic(broker: BrokerState, name: string): Promise<void> {
  await writeMetadata(broker, { type: 'delete-topic', name }, broker.limits.requestTimeoutMs);
}

export async function alterTopic(
  broker: BrokerState,
  change: { readonly name: string; readonly partitions: number; readonly config: Readonly<Record<string, string>> },
): Promise<TopicDescription> {
  const { topic } = await writeMetadata(broker, { type: 'alter-topic', ...change }, broker.limits.requestTimeoutMs);
  await waitForLeaders(broker, topic);
  return describeTopic(broker, topic);
}

/** Accepted, not yet done: the leader of the partition moves towards it (placement.ts). */
export async function setReplicas(
  broker: BrokerState,
  name: string,
  number: number,
  replicas: readonly number[],
): Promise<TopicDescription> {
  const timeoutMs = broker.limits.requestTimeoutMs;
  // Elsewhere than on the metadata leader the newest topics may not be known, and nothing is to be said about them.
  await viaHost(metadataSubject, broker.host.confirmRead(metadataGroup, timeoutMs));
  const { partition } = findPartition(broker.metadata, name, number);
  await writeMetadata(broker, { type: 'set-replicas', group: partition.groupId, replicas }, timeoutMs);
  return describeTopic(broker, findPartition(broker.metadata, name, number).topic);
}

async function waitForLeaders(broker: BrokerState, topic: TopicRecord): Promise<void> {
  const { nodeId } = broker.facts;
  const mine = topic.partitions.filter(({ replicas }) => replicas.includes(nodeId));
  await waitUntil(broker.clock, leadersTimeoutMs, () => mine.every(({ groupId }) => leaderOf(broker, groupId).leader !== 0));
}

/** Leaders of partitions without a replica here are unknown here: clients then ask the replicas. */
export function describeTopic(broker: BrokerState, topic: TopicRecord): TopicDescription {
  const partitions = topic.partitions.map(({ groupId, replicas }, number) => ({
    number,
    group: groupId,
    replicas,
    hint: leaderOf(broker, groupId),
  }));
  return { topic, partitions };
}
