/** Commands about topics. */
import type { GroupId } from '../../ids.ts';
import { asGroupId } from '../../ids.ts';
import type { AlterTopic, CreateTopic, DeleteTopic } from './command.ts';
import { metadataLimits } from './limits.ts';
import type { MetadataOutcome, Refused } from './outcome.ts';
import { refuse } from './outcome.ts';
import { placePartitions } from './placement.ts';
import type { MetadataState, PartitionRecord, TopicRecord } from './state.ts';
import { allPartitions, sortedNodes } from './state.ts';
import { isTopicName, topicNameRule } from './topic-name.ts';
import type { TopicConfig } from './topic-settings.ts';
import { changeTopicConfig } from './topic-settings.ts';

const birthGeneration = 1;
/** Topic names in messages are foreign text until they are checked. */
const quotedNameMax = 80;

export function applyCreateTopic(state: MetadataState, command: CreateTopic): MetadataOutcome {
  const { name } = command;
  const replicationFactor = command.replicationFactor || Math.min(metadataLimits.replicationFactorDefault, state.nodes.size);
  const refused =
    nameFault(state, name) ?? partitionsFault(state, name, 0, command.partitions) ?? replicationFault(state, name, replicationFactor);
  if (refused !== undefined) return refused;
  const settings = changeTopicConfig(new Map(), Object.entries(command.config));
  if (!settings.ok) return refuse('INVALID_CONFIG', settings.message);
  const blank: TopicRecord = { name, topicId: state.nextTopicId, replicationFactor, config: settings.config, partitions: [] };
  const topic = withPartitions(state, blank, command.partitions);
  state.nextTopicId++;
  state.topics.set(name, topic);
  return { kind: 'ok', command: 'create-topic', changed: true, topic };
}

export function applyDeleteTopic(state: MetadataState, command: DeleteTopic): MetadataOutcome {
  const topic = state.topics.get(command.name);
  if (topic === undefined) return refuseUnknown(command.name);
  state.topics.delete(topic.name);
  return { kind: 'ok', command: 'delete-topic', changed: true, topic };
}

export function applyAlterTopic(state: MetadataState, command: AlterTopic): MetadataOutcome {
  const topic = state.topics.get(command.name);
  if (topic === undefined) return refuseUnknown(command.name);
  const before = topic.partitions.length;
  const after = command.partitions || before;
  const refused = after === before ? undefined : growthFault(state, topic, after);
  if (refused !== undefined) return refused;
  const settings = changeTopicConfig(topic.config, Object.entries(command.config ?? {}));
  if (!settings.ok) return refuse('INVALID_CONFIG', settings.message);
  const changed = after !== before || !isSameConfig(topic.config, settings.config);
  if (!changed) return { kind: 'ok', command: 'alter-topic', changed, topic };
  const altered = withPartitions(state, { ...topic, config: settings.config }, after);
  state.topics.set(topic.name, altered);
  return { kind: 'ok', command: 'alter-topic', changed, topic: altered };
}

/** The topic grown to `total` partitions; takes group ids, changes nothing else. */
function withPartitions(state: MetadataState, topic: TopicRecord, total: number): TopicRecord {
  const placed = placePartitions({
    nodes: sortedNodes(state),
    partitions: total - topic.partitions.length,
    replicationFactor: topic.replicationFactor,
    ofTopic: topic.partitions.map((partition) => partition.replicas),
    ofCluster: Array.from(allPartitions(state), (place) => place.partition.replicas),
  });
  const added = placed.map(
    (replicas): PartitionRecord => ({
      groupId: takeGroupId(state),
      generation: birthGeneration,
      birth: replicas,
      replicas,
      learners: [],
    }),
  );
  return { ...topic, partitions: [...topic.partitions, ...added] };
}

function takeGroupId(state: MetadataState): GroupId {
  const groupId = state.nextGroupId;
  state.nextGroupId = asGroupId(groupId + 1);
  return groupId;
}

function nameFault(state: MetadataState, name: string): Refused | undefined {
  if (!isTopicName(name)) {
    return refuse('INVALID_TOPIC_NAME', `A topic cannot be named ${JSON.stringify(name.slice(0, quotedNameMax))}. Use ${topicNameRule}.`);
  }
  if (state.topics.has(name)) {
    return refuse('TOPIC_EXISTS', `Topic ${name} exists already. Choose another name or alter the existing topic.`);
  }
  if (state.topics.size < metadataLimits.topicsMax) return undefined;
  return refuse(
    'INVALID_REQUEST',
    `Topic ${name} was not created: the limit topicsMax (${metadataLimits.topicsMax}) is reached. Delete topics first.`,
  );
}

function growthFault(state: MetadataState, topic: TopicRecord, after: number): Refused | undefined {
  const before = topic.partitions.length;
  if (after < before) {
    return refuse(
      'INVALID_PARTITIONS',
      `Topic ${topic.name} has ${before} partitions and cannot shrink to ${after}: records would be lost. Create another topic instead.`,
    );
  }
  return partitionsFault(state, topic.name, before, after) ?? replicationFault(state, topic.name, topic.replicationFactor);
}

function partitionsFault(state: MetadataState, name: string, before: number, after: number): Refused | undefined {
  const { partitionsPerTopicMax, partitionsMax } = metadataLimits;
  if (after < 1 || after > partitionsPerTopicMax) {
    return refuse('INVALID_PARTITIONS', `Topic ${name} cannot have ${after} partitions. Use 1 to ${partitionsPerTopicMax}.`);
  }
  const others = partitionCount(state) - before;
  if (others + after <= partitionsMax) return undefined;
  return refuse(
    'INVALID_PARTITIONS',
    `Topic ${name} cannot have ${after} partitions: with the ${others} of other topics they pass the limit partitionsMax (${partitionsMax}). ` +
      'Use fewer, or delete topics first.',
  );
}

function partitionCount(state: MetadataState): number {
  let total = 0;
  for (const topic of state.topics.values()) total += topic.partitions.length;
  return total;
}

function replicationFault(state: MetadataState, name: string, replicationFactor: number): Refused | undefined {
  const { replicasMax } = metadataLimits;
  if (replicationFactor > replicasMax) {
    return refuse(
      'INVALID_REPLICATION',
      `Topic ${name} cannot have ${replicationFactor} replicas of each partition. Use 1 to ${replicasMax}.`,
    );
  }
  if (replicationFactor >= 1 && replicationFactor <= state.nodes.size) return undefined;
  return refuse(
    'INVALID_REPLICATION',
    `Topic ${name} needs ${Math.max(replicationFactor, 1)} nodes for its replicas but ${state.nodes.size} are registered. ` +
      'Lower the replication factor or add brokers.',
  );
}

function refuseUnknown(name: string): Refused {
  return refuse(
    'UNKNOWN_TOPIC',
    `There is no topic ${JSON.stringify(name.slice(0, quotedNameMax))}. Check the name (balsa topic list) or create it (balsa topic create).`,
  );
}

function isSameConfig(a: TopicConfig, b: TopicConfig): boolean {
  return a.size === b.size && [...a].every(([name, value]) => b.get(name) === value);
}
