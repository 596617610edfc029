/**
 * The metadata group as the host drives it, and the questions that the broker asks of the
 * cluster's picture. What a node reads here is applied, so committed, but may be old: a
 * write through the metadata leader decides, never this copy.
 */
import type { GroupId, NodeId } from '../core/ids.ts';
import { metadataGroup } from '../core/ids.ts';
import type { AppliedCommand } from '../core/machines/machine.ts';
import { metadataMachine } from '../core/machines/metadata/metadata-machine.ts';
import type { MetadataOutcome } from '../core/machines/metadata/outcome.ts';
import type { MetadataState, PartitionPlace, TopicRecord } from '../core/machines/metadata/state.ts';
import { allPartitions } from '../core/machines/metadata/state.ts';
import type { EffectiveTopicSettings } from '../core/machines/metadata/topic-settings.ts';
import { effectiveTopicSettings } from '../core/machines/metadata/topic-settings.ts';
import type { HostedMachine } from '../host/vocabulary.ts';
import type { GroupKey } from '../storage/journal/vocabulary.ts';
import { brokerError } from './broker-error.ts';

export interface MetadataReplica {
  state: MetadataState;
  /** Called after every apply that changed something. */
  readonly listeners: Set<() => void>;
  /** Partitions by Raft group, as of `placesVersion`. */
  places: ReadonlyMap<GroupId, PartitionPlace>;
  placesVersion: number;
  /** Records are immutable, so what is derived from one stays true. */
  readonly settings: WeakMap<TopicRecord, EffectiveTopicSettings>;
}

export const metadataKey: GroupKey = { group: metadataGroup, generation: 1 };
/** What messages call the metadata group. */
export const metadataSubject = 'the cluster metadata';

export function createMetadataReplica(): MetadataReplica {
  return { state: metadataMachine.initial(), listeners: new Set(), places: new Map(), placesVersion: -1, settings: new WeakMap() };
}

export function hostedMetadata(replica: MetadataReplica): HostedMachine {
  return {
    apply: (commands) => applyAll(replica, commands),
    encode: () => metadataMachine.encode(replica.state),
    restore: (bytes) => {
      replica.state = bytes === undefined ? metadataMachine.initial() : metadataMachine.decode(bytes);
      replica.placesVersion = -1;
      notify(replica);
    },
    mark: () => replica.state.version,
    takeRows: () => [],
    // The state is everything: the log may start at any checkpoint.
    mayStartAt: (checkpoints) => checkpoints.at(-1),
  };
}

function applyAll(replica: MetadataReplica, commands: readonly AppliedCommand[]): readonly MetadataOutcome[] {
  const before = replica.state.version;
  const outcomes = commands.map((command) => metadataMachine.apply(replica.state, command));
  if (replica.state.version !== before) notify(replica);
  return outcomes;
}

function notify(replica: MetadataReplica): void {
  for (const listener of replica.listeners) listener();
}

export interface FoundPartition extends PartitionPlace {
  readonly settings: EffectiveTopicSettings;
}

/** The partition, or UNKNOWN_TOPIC, or UNKNOWN_PARTITION. */
export function findPartition(replica: MetadataReplica, topicName: string, number: number): FoundPartition {
  const topic = replica.state.topics.get(topicName);
  if (topic === undefined) throw brokerError('UNKNOWN_TOPIC', `There is no topic ${JSON.stringify(topicName.slice(0, 80))} here.`);
  const partition = topic.partitions[number];
  if (partition === undefined) {
    throw brokerError(
      'UNKNOWN_PARTITION',
      `Topic ${topicName} has ${topic.partitions.length} partitions, numbered from 0; there is no ${number}.`,
    );
  }
  return { topic, number, partition, settings: settingsOf(replica, topic) };
}

export function settingsOf(replica: MetadataReplica, topic: TopicRecord): EffectiveTopicSettings {
  const known = replica.settings.get(topic);
  if (known !== undefined) return known;
  const settings = effectiveTopicSettings(topic.config);
  replica.settings.set(topic, settings);
  return settings;
}

/** What `group` replicates; undefined for the metadata group and for groups that are not known (any more). */
export function placeOfGroup(replica: MetadataReplica, group: GroupId): PartitionPlace | undefined {
  if (replica.placesVersion !== replica.state.version) {
    replica.places = new Map(Array.from(allPartitions(replica.state), (place) => [place.partition.groupId, place]));
    replica.placesVersion = replica.state.version;
  }
  return replica.places.get(group);
}

export const isReplica = ({ partition }: PartitionPlace, node: NodeId): boolean =>
  partition.replicas.includes(node) || partition.learners.includes(node);

/** How messages name what `group` replicates. */
export function subjectOf(replica: MetadataReplica, group: GroupId): string {
  const place = placeOfGroup(replica, group);
  return place === undefined ? metadataSubject : partitionName(place);
}

/** How messages name a partition. */
export const partitionName = ({ topic, number }: Pick<PartitionPlace, 'topic' | 'number'>): string => `${topic.name}-${number}`;
