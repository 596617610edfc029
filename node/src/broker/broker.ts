/**
 * The broker: everything that the edges may call, bound to one state. It knows topics,
 * not sockets; all failures are BrokerError.
 */
import type { GroupId, NodeId, Offset, Term } from '../core/ids.ts';
import { metadataGroup } from '../core/ids.ts';
import type { LeaderChange } from '../host/vocabulary.ts';
import type { BrokerOptions, BrokerState, NodeFacts } from './broker-state.ts';
import { createBrokerState } from './broker-state.ts';
import { initialiseCluster, joinCluster, openMetadata, registerNode } from './cluster.ts';
import type { ClusterDescription } from './describe-cluster.ts';
import { describeCluster, describeClusterConfirmed } from './describe-cluster.ts';
import type { Fetched, FetchInput } from './fetch.ts';
import { fetch } from './fetch.ts';
import { balanceOnce } from './leader-balance.ts';
import { findLeftBehind, leftBehindCheckMs } from './left-behind.ts';
import type { OffsetQuestion } from './list-offsets.ts';
import { listOffset } from './list-offsets.ts';
import { subjectOf } from './metadata-replica.ts';
import { wakeWaiters } from './partition-replica.ts';
import { createPlacementMemory, followLearners, followPlacement, learningCheckMs } from './placement.ts';
import type { Produced, ProduceInput } from './produce.ts';
import { produce } from './produce.ts';
import { readReplica, type ReplicaReadInput } from './read-replica.ts';
import { allocateProducerIds, nextProducerId } from './producer-ids.ts';
import { startReconcile } from './reconcile.ts';
import { retainOnce } from './retention.ts';
import type { GroupReport, ReadinessCheck } from './status.ts';
import { raftStatus, readiness, transferLeadership } from './status.ts';
import type { TopicDescription, TopicToCreate } from './topics.ts';
import { alterTopic, createTopic, deleteTopic, setReplicas } from './topics.ts';

export interface Broker {
  /** Opens the metadata group and starts working; does not wait for the cluster. `joined` rejects if this node can never join. */
  readonly start: () => Promise<{ readonly joined: Promise<void> }>;
  /** Refuses new work and ends maintenance; the host is stopped by its owner. */
  readonly stop: () => void;
  readonly produce: (input: ProduceInput) => Promise<Produced>;
  readonly fetch: (input: FetchInput) => Promise<Fetched>;
  readonly readReplica: (input: ReplicaReadInput) => Promise<Fetched>;
  readonly listOffset: (topic: string, partition: number, question: OffsetQuestion) => Promise<Offset>;
  readonly nextProducerId: () => Promise<number>;
  /** As far as is known here; names this node as the controller as soon as it believes to be it. */
  readonly describeCluster: (topics: readonly string[]) => ClusterDescription;
  /** For clients: an answer that names this node as the controller lacks nothing that was acknowledged. */
  readonly describeClusterConfirmed: (topics: readonly string[]) => Promise<ClusterDescription>;
  readonly createTopic: (wanted: TopicToCreate) => Promise<TopicDescription>;
  readonly deleteTopic: (name: string) => Promise<void>;
  readonly alterTopic: (change: Parameters<typeof alterTopic>[1]) => Promise<TopicDescription>;
  readonly setReplicas: (topic: string, partition: number, replicas: readonly number[]) => Promise<TopicDescription>;
  readonly raftStatus: (group: GroupId | 'all') => readonly GroupReport[];
  readonly transferLeadership: (group: GroupId, target: NodeId) => Promise<NodeId>;
  readonly readiness: () => readonly ReadinessCheck[];
  /** Calls of other nodes; answered on the metadata leader only. */
  readonly registerNode: (facts: NodeFacts) => Promise<void>;
  readonly allocateProducerIds: (count: number) => Promise<number>;
  /** Bytes that the broker holds for requests in work. */
  readonly bytesInflight: () => { readonly produce: number; readonly fetch: number };
  readonly facts: NodeFacts;
  /** Empty until the cluster has an identity that is known here. */
  readonly clusterId: () => string;
  /** Client address of a registered node. */
  readonly clientAddressOf: (node: NodeId) => string | undefined;
  /** 'ok', or why messages of the holder of this data folder must not be taken. */
  readonly verifyPeer: (node: NodeId, storeId: string) => string;
  /** Called after every applied change of the cluster metadata. */
  readonly onMetadataChange: (listener: () => void) => void;
}

export function createBroker(options: BrokerOptions): Broker {
  const broker = createBrokerState(options);
  return {
    start: () => start(broker),
    stop: () => stop(broker),
    produce: (input) => produce(broker, input),
    fetch: (input) => fetch(broker, input),
    readReplica: (input) => readReplica(broker, input),
    listOffset: (topic, partition, question) => listOffset(broker, topic, partition, question),
    nextProducerId: () => nextProducerId(broker),
    describeCluster: (topics) => describeCluster(broker, topics),
    describeClusterConfirmed: (topics) => describeClusterConfirmed(broker, topics),
    createTopic: (wanted) => createTopic(broker, wanted),
    deleteTopic: (name) => deleteTopic(broker, name),
    alterTopic: (change) => alterTopic(broker, change),
    setReplicas: (topic, partition, replicas) => setReplicas(broker, topic, partition, replicas),
    raftStatus: (group) => raftStatus(broker, group),
    transferLeadership: (group, target) => transferLeadership(broker, group, target),
    readiness: () => readiness(broker),
    registerNode: (facts) => registerNode(broker, facts, broker.limits.requestTimeoutMs),
    allocateProducerIds: (count) => allocateProducerIds(broker, count),
    bytesInflight: () => ({ produce: broker.produceBudget.used, fetch: broker.fetchBudget.used }),
    facts: broker.facts,
    clusterId: () => broker.metadata.state.clusterId,
    clientAddressOf: (node) => broker.metadata.state.nodes.get(node)?.clientAddress,
    verifyPeer: (node, storeId) => verifyPeer(broker, node, storeId),
    onMetadataChange: (listener) => {
      broker.metadata.listeners.add(listener);
    },
  };
}

/** A node that was registered keeps its data folder: with another one it has forgotten its votes. */
function verifyPeer({ metadata }: BrokerState, node: NodeId, storeId: string): string {
  const known = metadata.state.nodes.get(node);
  if (known === undefined || known.storeId === storeId) return 'ok';
  return `node ${node} is registered with data folder ${known.storeId}, not ${storeId}`;
}

async function start(broker: BrokerState): Promise<{ readonly joined: Promise<void> }> {
  const reconcile = startReconcile(broker);
  broker.metadata.listeners.add(reconcile);
  broker.host.onLeaderChange((change) => {
    const { group, role, term } = change;
    const replica = broker.replicas.get(group);
    if (role === 'leader' && !isLeadingIn(broker.leaders.get(group), term)) {
      broker.observer.onEvent({ kind: 'leads', group, subject: subjectOf(broker.metadata, group), term });
    }
    broker.leaders.set(group, change);
    if (replica !== undefined) wakeWaiters(replica);
    if (group === metadataGroup && role === 'leader' && !broker.stopping)
      attempt(broker, 'naming the cluster', () => initialiseCluster(broker));
  });
  await openMetadata(broker);
  reconcile();
  startMaintenance(broker, reconcile);
  return { joined: joinCluster(broker) };
}

const isLeadingIn = (known: LeaderChange | undefined, term: Term): boolean => known?.role === 'leader' && known.term === term;

function startMaintenance(broker: BrokerState, reconcile: () => void): void {
  const since = new Map<GroupId, number>();
  const placement = createPlacementMemory();
  const leftBehind = { asked: 0 };
  repeat(broker, 'retention', broker.maintenance.retentionCheckMs, () => retainOnce(broker));
  repeat(broker, 'balance', broker.maintenance.balanceCheckMs, async () => {
    await balanceOnce(broker, since);
    await followPlacement(broker, placement);
  });
  repeat(broker, 'placement', learningCheckMs, () => followLearners(broker, placement));
  repeat(broker, 'replicas left behind', leftBehindCheckMs, () => findLeftBehind(broker, leftBehind, reconcile));
}

/** Runs `task` every `periodMs`, never twice at once. */
function repeat(broker: BrokerState, name: string, periodMs: number, task: () => Promise<void>): void {
  let running = false;
  const stopTimer = broker.clock.every(periodMs, () => {
    if (running || broker.stopping) return;
    running = true;
    attempt(broker, name, () =>
      task().finally(() => {
        running = false;
      }),
    );
  });
  broker.cleanups.push(stopTimer);
}

function attempt(broker: BrokerState, task: string, action: () => Promise<void>): void {
  action().catch((error: unknown) => broker.observer.onEvent({ kind: 'maintenance-failed', task, error }));
}

function stop(broker: BrokerState): void {
  broker.stopping = true;
  for (const cleanup of broker.cleanups) cleanup();
  for (const replica of broker.replicas.values()) wakeWaiters(replica);
}
