/**
 * Metadata state as bytes: UTF-8 JSON with a version, lists in the order of ids, fields in
 * the order written here, so that equal states have equal bytes.
 *
 * Decoding asserts: these bytes come from a journal that verified their checksum, so
 * damage means a bug, and a replica with a wrong state must not go on.
 */
import { assert } from '../../assert.ts';
import { decodeUtf8, encodeUtf8 } from '../../records/utf8.ts';
import type { MetadataState, NodeRecord, TopicRecord } from './state.ts';
import { sortedNodes, sortedTopics } from './state.ts';
import type { TopicSettingName } from './topic-settings.ts';

const version = 1;

type Scalars = Omit<MetadataState, 'nodes' | 'topics'>;

interface SavedTopic extends Omit<TopicRecord, 'config'> {
  /** Sorted by name. */
  readonly config: readonly (readonly [TopicSettingName, string])[];
}

interface SavedState {
  readonly v: number;
  readonly state: Scalars;
  readonly nodes: readonly NodeRecord[];
  readonly topics: readonly SavedTopic[];
}

export function encodeMetadataState(state: MetadataState): Uint8Array {
  const { clusterId, featureLevel, nextGroupId, nextTopicId, nextProducerId } = state;
  const saved: SavedState = {
    v: version,
    state: { version: state.version, clusterId, featureLevel, nextGroupId, nextTopicId, nextProducerId },
    nodes: sortedNodes(state).map(saveNode),
    topics: sortedTopics(state).map(saveTopic),
  };
  return encodeUtf8(JSON.stringify(saved));
}

export function decodeMetadataState(bytes: Uint8Array): MetadataState {
  const json = decodeUtf8(bytes);
  assert(json !== undefined, 'the metadata state is UTF-8');
  const saved = JSON.parse(json) as SavedState;
  assert(saved.v === version, 'the metadata state has a known version', { found: saved.v, version });
  return {
    ...saved.state,
    nodes: new Map(saved.nodes.map((node) => [node.nodeId, node])),
    topics: new Map(saved.topics.map((topic) => [topic.name, { ...topic, config: new Map(topic.config) }])),
  };
}

function saveNode(node: NodeRecord): NodeRecord {
  const { nodeId, storeId, clientAddress, peerAddress, httpAddress, zone } = node;
  return { nodeId, storeId, clientAddress, peerAddress, httpAddress, zone };
}

function saveTopic(topic: TopicRecord): SavedTopic {
  const { name, topicId, replicationFactor } = topic;
  const config = [...topic.config].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const partitions = topic.partitions.map(({ groupId, generation, birth, replicas, learners }) => ({
    groupId,
    generation,
    birth,
    replicas,
    learners,
  }));
  return { name, topicId, replicationFactor, config, partitions };
}
