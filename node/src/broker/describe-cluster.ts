/**
 * The cluster as this broker knows it, and as it may tell clients.
 *
 * A client believes the metadata leader alone that a topic does not exist. So a broker names
 * itself as the leader only in an answer that is confirmed: a majority followed it after the
 * question came, and everything committed before is applied here. A leader that is new, or
 * was replaced without knowing it, would deny topics whose creation was acknowledged.
 */
import type { NodeId } from '../core/ids.ts';
import { metadataGroup, noNode } from '../core/ids.ts';
import type { NodeRecord } from '../core/machines/metadata/state.ts';
import { sortedNodes, sortedTopics } from '../core/machines/metadata/state.ts';
import { HostError } from '../host/vocabulary.ts';
import type { BrokerState } from './broker-state.ts';
import { leaderOf } from './leadership.ts';
import type { TopicDescription } from './topics.ts';
import { describeTopic } from './topics.ts';

/** Less than clients wait for one broker: without a majority an answer that claims less is better than none. */
const confirmTimeoutMs = 500;

export interface ClusterDescription {
  readonly clusterId: string;
  readonly nodes: readonly (NodeRecord & { readonly connected: boolean })[];
  readonly topics: readonly TopicDescription[];
  /** Leader of the metadata group; 0 if unknown. */
  readonly controller: NodeId;
}

/** The asked topics that exist, or all of them, as far as is known here; for this broker's own use. */
export function describeCluster(broker: BrokerState, names: readonly string[]): ClusterDescription {
  const { state } = broker.metadata;
  const topics = names.length === 0 ? sortedTopics(state) : [...new Set(names)].flatMap((name) => state.topics.get(name) ?? []);
  const isConnected = (node: NodeId): boolean => node === broker.facts.nodeId || broker.host.isConnected(node);
  return {
    clusterId: state.clusterId,
    nodes: sortedNodes(state).map((node) => ({ ...node, connected: isConnected(node.nodeId) })),
    topics: topics.map((topic) => describeTopic(broker, topic)),
    controller: leaderOf(broker, metadataGroup).leader,
  };
}

/** For clients: names this node as the controller only if nothing that was acknowledged is missing. */
export async function describeClusterConfirmed(broker: BrokerState, names: readonly string[]): Promise<ClusterDescription> {
  const { nodeId } = broker.facts;
  const claims = leaderOf(broker, metadataGroup).leader === nodeId;
  const isComplete = !claims || (await isConfirmed(broker));
  const seen = describeCluster(broker, names);
  return isComplete || seen.controller !== nodeId ? seen : { ...seen, controller: noNode };
}

async function isConfirmed({ host }: BrokerState): Promise<boolean> {
  try {
    await host.confirmRead(metadataGroup, confirmTimeoutMs);
    return true;
  } catch (error) {
    if (error instanceof HostError) return false;
    throw error;
  }
}
