/**
 * A cluster of brokers in memory with the semantics of the data and admin services:
 * leaders, idempotence, long polls, lagging metadata; and hooks that make it misbehave
 * in the ways that a real one can. Replication is not simulated: an append is committed
 * at once, by whoever leads.
 */
import { AdminServiceService } from '@balsa/proto/admin';
import type * as admin from '@balsa/proto/admin';
import { DataServiceService, OffsetPosition } from '@balsa/proto/client';
import type * as data from '@balsa/proto/client';
import type { ErrorCode } from '@balsa/proto/errors';
import type { Clock } from '@balsa/client';
import { append, createFakePartition, endOffset, type FakePartition } from './fake-log.ts';
import type { ServerPeer, ServerStream, Service } from './memory-transport.ts';

/** What happens to one produce request. */
export type ProduceFault =
  | { readonly kind: 'refuse'; readonly code: ErrorCode }
  /** Appends, then answers with this code instead of an acknowledgement. */
  | { readonly kind: 'append-then-fail'; readonly code: ErrorCode }
  /** Handles the request later, behind others of its stream: as if its broker had slept with the request in its buffers. */
  | { readonly kind: 'delay-request'; readonly ms: number }
  | { readonly kind: 'drop-reply' }
  | { readonly kind: 'drop-request' }
  | { readonly kind: 'close-before-append' }
  | { readonly kind: 'close-after-append' }
  /** Delays the reply only: replies of one stream overtake each other. */
  | { readonly kind: 'delay-reply'; readonly ms: number };

export interface FakeNode {
  readonly nodeId: number;
  address: string;
  /** Leaders as this node believes; lags behind the truth. */
  readonly believed: Map<string, { readonly leader: number; readonly term: number }>;
}

export interface FakeHooks {
  onProduce: (request: data.ProduceRequest, nodeId: number) => ProduceFault | undefined;
  /** Changes a fetch answer, for example to break its order. */
  onFetch: (answer: data.FetchResponse, request: data.FetchRequest) => data.FetchResponse | undefined;
  onUnary: (path: string, nodeId: number) => data.Error | undefined;
}

export interface FakeCluster {
  readonly clock: Clock;
  readonly nodes: Map<number, FakeNode>;
  readonly topics: Map<string, FakePartition[]>;
  readonly config: Map<string, Record<string, string>>;
  readonly hooks: FakeHooks;
  controller: number;
  nextGroupId: number;
  nextProducerId: number;
  /** Every produce request that reached a broker, in order. */
  readonly produced: { readonly nodeId: number; readonly partition: number; readonly bytes: Buffer; readonly acks: number }[];
  readonly calls: string[];
  /** How many records the replicas of a node lack. */
  readonly lags: Map<number, number>;
  /** Moves of replicas are accepted and not done before `finishMove`; until then the new ones learn, those with a lag in reach of their leader. */
  holdsMoves: boolean;
  onAppended: Set<() => void>;
}

export function createFakeCluster(clock: Clock, nodeCount = 3): FakeCluster {
  const nodes = new Map<number, FakeNode>();
  for (let nodeId = 1; nodeId <= nodeCount; nodeId++) nodes.set(nodeId, { nodeId, address: `node${nodeId}:7070`, believed: new Map() });
  return {
    clock,
    nodes,
    topics: new Map(),
    config: new Map(),
    hooks: { onProduce: () => undefined, onFetch: () => undefined, onUnary: () => undefined },
    controller: 1,
    nextGroupId: 1,
    nextProducerId: 100,
    produced: [],
    calls: [],
    lags: new Map(),
    holdsMoves: false,
    onAppended: new Set(),
  };
}

export function addTopic(cluster: FakeCluster, name: string, partitions: number): FakePartition[] {
  const made = Array.from({ length: partitions }, (_, number) => {
    return createFakePartition(cluster.nextGroupId++, (number % cluster.nodes.size) + 1);
  });
  cluster.topics.set(name, made);
  for (const node of cluster.nodes.values()) made.forEach((_, number) => learn(cluster, node, name, number));
  return made;
}

/** Elects `leader`; the other nodes hear of it after `lagMs`. */
export function moveLeader(cluster: FakeCluster, topic: string, number: number, leader: number, lagMs = 0): void {
  const partition = partitionOf(cluster, topic, number);
  if (partition === undefined) throw new Error(`no ${topic}/${number}`);
  partition.leader = leader;
  partition.term++;
  for (const node of cluster.nodes.values()) {
    if (node.nodeId === leader || lagMs === 0) learn(cluster, node, topic, number);
    else cluster.clock.after(lagMs, () => learn(cluster, node, topic, number));
  }
}

function learn(cluster: FakeCluster, node: FakeNode, topic: string, number: number): void {
  const partition = partitionOf(cluster, topic, number);
  if (partition !== undefined) node.believed.set(`${topic}/${number}`, { leader: partition.leader, term: partition.term });
}

export function partitionOf(cluster: FakeCluster, topic: string, number: number): FakePartition | undefined {
  return cluster.topics.get(topic)?.[number];
}

/** The services of one node, for the memory network or a gRPC server. */
export function fakeService(cluster: FakeCluster, nodeId: number): Service {
  const unary = new Map<string, (request: unknown) => Promise<unknown>>();
  const on = <Request, Response>(method: { readonly path: string }, answer: (request: Request) => Response) => {
    unary.set(method.path, async (request) => {
      cluster.calls.push(`${nodeId}:${method.path.split('/').at(-1)}`);
      const error = cluster.hooks.onUnary(method.path, nodeId);
      return error === undefined ? answer(request as Request) : { ...answer(request as Request), error };
    });
  };
  on(DataServiceService.getMetadata, (request: data.GetMetadataRequest) => metadata(cluster, nodeId, request));
  on(DataServiceService.listOffsets, (request: data.ListOffsetsRequest) => listOffsets(cluster, nodeId, request));
  on(DataServiceService.readReplica, (request: data.ReadReplicaRequest) => readReplica(cluster, nodeId, request));
  on(DataServiceService.initProducer, () => ({ error: undefined, producerId: cluster.nextProducerId++, producerEpoch: 0 }));
  on(AdminServiceService.createTopic, (request: admin.CreateTopicRequest) => createTopic(cluster, nodeId, request));
  on(AdminServiceService.alterTopic, (request: admin.AlterTopicRequest) => alterTopic(cluster, nodeId, request));
  on(AdminServiceService.setReplicas, (request: admin.SetReplicasRequest) => setReplicas(cluster, nodeId, request));
  on(AdminServiceService.deleteTopic, (request: admin.DeleteTopicRequest) => deleteTopic(cluster, nodeId, request));
  on(AdminServiceService.getNodeStatus, () => nodeStatus(nodeId));
  on(AdminServiceService.getRaftStatus, (request: admin.GetRaftStatusRequest) => raftStatus(cluster, nodeId, request));
  on(AdminServiceService.transferLeadership, (request: admin.TransferLeadershipRequest) => transfer(cluster, nodeId, request));
  const streams = new Map<string, (peer: ServerPeer) => ServerStream>([
    [DataServiceService.produce.path, (peer) => serveProduce(cluster, nodeId, peer)],
    [DataServiceService.fetch.path, (peer) => serveFetch(cluster, nodeId, peer)],
  ]);
  return { unary, streams };
}

function errorOf(code: ErrorCode, believed?: { readonly leader: number; readonly term: number }): data.Error {
  return { code, message: '', leaderNodeId: believed?.leader ?? 0, leaderTerm: believed?.term ?? 0 };
}

/** Why `nodeId` may not serve the partition; undefined if it leads it. */
function refusal(cluster: FakeCluster, nodeId: number, topic: string, number: number): data.Error | undefined {
  const partition = partitionOf(cluster, topic, number);
  if (!cluster.topics.has(topic)) return errorOf('UNKNOWN_TOPIC');
  if (partition === undefined) return errorOf('UNKNOWN_PARTITION');
  if (partition.leader === nodeId) return undefined;
  const believed = cluster.nodes.get(nodeId)?.believed.get(`${topic}/${number}`);
  return errorOf('NOT_LEADER', believed?.leader === nodeId ? undefined : believed);
}

function serveProduce(cluster: FakeCluster, nodeId: number, peer: ServerPeer): ServerStream {
  return {
    onMessage: (message) => {
      const request = message as data.ProduceRequest;
      const fault = cluster.hooks.onProduce(request, nodeId);
      if (fault?.kind === 'drop-request') return;
      if (fault?.kind === 'delay-request') {
        cluster.clock.after(fault.ms, () => peer.send(produce(cluster, nodeId, request, undefined)));
        return;
      }
      if (fault?.kind === 'close-before-append') return peer.close();
      const answer = produce(cluster, nodeId, request, fault);
      if (fault?.kind === 'drop-reply') return;
      if (fault?.kind === 'close-after-append') return peer.close();
      if (fault?.kind === 'delay-reply') cluster.clock.after(fault.ms, () => peer.send(answer));
      else peer.send(answer);
    },
    onClosed: () => undefined,
  };
}

function produce(
  cluster: FakeCluster,
  nodeId: number,
  request: data.ProduceRequest,
  fault: ProduceFault | undefined,
): data.ProduceResponse {
  const { correlation, topic } = request;
  const bytes = Buffer.from(request.batch);
  cluster.produced.push({ nodeId, partition: request.partition, bytes, acks: request.acks });
  const none = { correlation, baseOffset: undefined, receipt: undefined, duplicate: false };
  const error = fault?.kind === 'refuse' ? errorOf(fault.code) : refusal(cluster, nodeId, topic, request.partition);
  const partition = partitionOf(cluster, topic, request.partition);
  if (error !== undefined || partition === undefined) return { ...none, error };
  const outcome = append(partition, bytes);
  if (outcome.kind === 'refused') return { ...none, error: errorOf(outcome.code) };
  for (const wake of new Set(cluster.onAppended)) wake();
  if (fault?.kind === 'append-then-fail') return { ...none, error: errorOf(fault.code) };
  const receipt = { groupId: partition.groupId, term: partition.term, index: partition.index, durableCopies: request.acks === 1 ? 2 : 0 };
  const baseOffset = request.acks === 1 ? outcome.baseOffset : undefined;
  return { correlation, error: undefined, baseOffset, receipt, duplicate: outcome.kind === 'duplicate' };
}

function serveFetch(cluster: FakeCluster, nodeId: number, peer: ServerPeer): ServerStream {
  const waits = new Set<() => void>();
  const serve = (request: data.FetchRequest) => {
    const answer = fetch(cluster, nodeId, request);
    peer.send(cluster.hooks.onFetch(answer, request) ?? answer);
  };
  return {
    onMessage: (message) => {
      const request = message as data.FetchRequest;
      const answer = fetch(cluster, nodeId, request);
      if (answer.error !== undefined || answer.batches.length > 0 || request.waitMsMax === 0) return serve(request);
      const wake = () => {
        const hasData = endOffset(partitionOf(cluster, request.topic, request.partition) ?? createFakePartition(0, 0)) > request.offset;
        if (hasData) finish();
      };
      const finish = () => {
        cancel();
        cluster.onAppended.delete(wake);
        waits.delete(drop);
        serve(request);
      };
      const drop = () => {
        cancel();
        cluster.onAppended.delete(wake);
      };
      const cancel = cluster.clock.after(request.waitMsMax, finish);
      cluster.onAppended.add(wake);
      waits.add(drop);
    },
    onClosed: () => {
      for (const drop of waits) drop();
    },
  };
}

function fetch(cluster: FakeCluster, nodeId: number, request: data.FetchRequest): data.FetchResponse {
  const { correlation } = request;
  const partition = partitionOf(cluster, request.topic, request.partition);
  const error = refusal(cluster, nodeId, request.topic, request.partition);
  if (error !== undefined || partition === undefined) return { correlation, error, highWatermark: 0, logStart: 0, batches: [] };
  const bounds = { correlation, highWatermark: endOffset(partition), logStart: partition.logStart };
  if (request.offset < partition.logStart || request.offset > bounds.highWatermark) {
    return { ...bounds, error: errorOf('OFFSET_OUT_OF_RANGE'), batches: [] };
  }
  const batches: Buffer[] = [];
  let bytes = 0;
  for (const batch of partition.log) {
    if (batch.baseOffset + batch.recordCount <= request.offset) continue;
    if (batches.length > 0 && bytes + batch.bytes.length > request.bytesMax) break;
    batches.push(batch.bytes);
    bytes += batch.bytes.length;
  }
  return { ...bounds, error: undefined, batches };
}

function readReplica(cluster: FakeCluster, nodeId: number, { topic, partition: number, offset }: data.ReadReplicaRequest) {
  const partition = partitionOf(cluster, topic, number);
  if (partition === undefined) return { error: errorOf('UNKNOWN_TOPIC'), highWatermark: 0, logStart: 0, batches: [] };
  const highWatermark = Math.max(partition.logStart, endOffset(partition) - (cluster.lags.get(nodeId) ?? 0));
  const bounds = { highWatermark, logStart: partition.logStart };
  if (offset < partition.logStart || offset > highWatermark) return { ...bounds, error: errorOf('OFFSET_OUT_OF_RANGE'), batches: [] };
  const end = (batch: FakePartition['log'][number]): number => batch.baseOffset + batch.recordCount;
  const held = partition.log.filter((batch) => end(batch) > offset && end(batch) <= highWatermark);
  return { ...bounds, error: undefined, batches: held.map(({ bytes }) => bytes) };
}

function listOffsets(cluster: FakeCluster, nodeId: number, request: data.ListOffsetsRequest): data.ListOffsetsResponse {
  const partition = partitionOf(cluster, request.topic, request.partition);
  const error = refusal(cluster, nodeId, request.topic, request.partition);
  if (error !== undefined || partition === undefined) return { error, offset: 0 };
  if (request.position === OffsetPosition.OFFSET_POSITION_EARLIEST) return { error: undefined, offset: partition.logStart };
  if (request.position === OffsetPosition.OFFSET_POSITION_LATEST) return { error: undefined, offset: endOffset(partition) };
  const found = partition.log.find((batch) => Number(batch.bytes.readBigInt64BE(35)) >= request.timeMs);
  return { error: undefined, offset: found?.baseOffset ?? endOffset(partition) };
}

function describeTopic(cluster: FakeCluster, node: FakeNode, name: string): data.TopicInfo {
  const partitions = (cluster.topics.get(name) ?? []).map((partition, number) => {
    const believed = node.believed.get(`${name}/${number}`) ?? { leader: 0, term: 0 };
    const replicaNodeIds = [...cluster.nodes.keys()];
    return { partition: number, groupId: partition.groupId, replicaNodeIds, leaderNodeId: believed.leader, leaderTerm: believed.term };
  });
  return { name, partitions, replicationFactor: cluster.nodes.size, config: cluster.config.get(name) ?? {} };
}

function metadata(cluster: FakeCluster, nodeId: number, request: data.GetMetadataRequest): data.GetMetadataResponse {
  const answering = cluster.nodes.get(nodeId);
  if (answering === undefined) throw new Error(`no node ${nodeId}`);
  const names = [...cluster.topics.keys()].filter((name) => request.topics.length === 0 || request.topics.includes(name));
  const nodes = [...cluster.nodes.values()].map((node) => {
    return { nodeId: node.nodeId, clientAddress: node.address, peerAddress: '', httpAddress: '', zone: '', connected: true };
  });
  const topics = names.map((name) => describeTopic(cluster, answering, name));
  return { clusterId: 'fake', nodes, topics, controllerNodeId: cluster.controller, answeringNodeId: nodeId };
}

function notController(cluster: FakeCluster, nodeId: number): data.Error | undefined {
  return cluster.controller === nodeId ? undefined : errorOf('NOT_LEADER', { leader: cluster.controller, term: 1 });
}

function createTopic(cluster: FakeCluster, nodeId: number, request: admin.CreateTopicRequest): admin.CreateTopicResponse {
  const error = notController(cluster, nodeId) ?? (cluster.topics.has(request.name) ? errorOf('TOPIC_EXISTS') : undefined);
  const node = cluster.nodes.get(nodeId);
  if (error !== undefined || node === undefined) return { error, topic: undefined };
  addTopic(cluster, request.name, request.partitions === 0 ? 1 : request.partitions);
  cluster.config.set(request.name, request.config);
  return { error: undefined, topic: describeTopic(cluster, node, request.name) };
}

function alterTopic(cluster: FakeCluster, nodeId: number, request: admin.AlterTopicRequest): admin.AlterTopicResponse {
  const partitions = cluster.topics.get(request.name);
  const node = cluster.nodes.get(nodeId);
  const error = notController(cluster, nodeId) ?? (partitions === undefined ? errorOf('UNKNOWN_TOPIC') : undefined);
  if (error !== undefined || node === undefined || partitions === undefined) return { error, topic: undefined };
  if (request.partitions !== 0 && request.partitions < partitions.length) return { error: errorOf('INVALID_PARTITIONS'), topic: undefined };
  while (partitions.length < request.partitions) partitions.push(createFakePartition(cluster.nextGroupId++, 1));
  for (const each of cluster.nodes.values()) partitions.forEach((_, number) => learn(cluster, each, request.name, number));
  cluster.config.set(request.name, { ...cluster.config.get(request.name), ...request.config });
  return { error: undefined, topic: describeTopic(cluster, node, request.name) };
}

function setReplicas(cluster: FakeCluster, nodeId: number, request: admin.SetReplicasRequest): admin.SetReplicasResponse {
  const partition = partitionOf(cluster, request.topic, request.partition);
  const node = cluster.nodes.get(nodeId);
  const unknown = request.replicaNodeIds.some((id) => !cluster.nodes.has(id)) ? errorOf('INVALID_TARGET') : undefined;
  const error = notController(cluster, nodeId) ?? (partition === undefined ? errorOf('UNKNOWN_TOPIC') : unknown);
  if (error !== undefined || node === undefined || partition === undefined) return { error, topic: undefined };
  partition.wanted = request.replicaNodeIds;
  if (!cluster.holdsMoves) finishMove(cluster, request.topic, request.partition);
  return { error: undefined, topic: describeTopic(cluster, node, request.topic) };
}

export function finishMove(cluster: FakeCluster, topic: string, number: number): void {
  const partition = partitionOf(cluster, topic, number);
  const wanted = partition?.wanted;
  if (partition === undefined || wanted === undefined) throw new Error(`nothing moves in ${topic}/${number}`);
  partition.replicas = wanted;
  delete partition.wanted;
  const [preferred = 0] = wanted;
  if (!wanted.includes(partition.leader)) moveLeader(cluster, topic, number, preferred);
}

function deleteTopic(cluster: FakeCluster, nodeId: number, request: admin.DeleteTopicRequest): admin.DeleteTopicResponse {
  const error = notController(cluster, nodeId) ?? (cluster.topics.has(request.name) ? undefined : errorOf('UNKNOWN_TOPIC'));
  if (error === undefined) cluster.topics.delete(request.name);
  return { error };
}

function nodeStatus(nodeId: number): admin.GetNodeStatusResponse {
  const sizes = { uptimeMs: 1, memoryBytes: 2, journalBytes: 3, diskFreeBytes: 4 };
  return { nodeId, version: '0.0.0', ...sizes, groupsLed: 0, groupsHosted: 0, notReadyReasons: [] };
}

function raftStatus(cluster: FakeCluster, nodeId: number, request: admin.GetRaftStatusRequest): admin.GetRaftStatusResponse {
  const node = cluster.nodes.get(nodeId);
  const rows = [...cluster.topics].flatMap(([topic, partitions]) =>
    partitions.map((each, number) => raftRow(cluster, each, topic, number, nodeId, node?.believed.get(`${topic}/${number}`))),
  );
  const groups = request.allGroups ? rows : rows.filter((row) => row.groupId === request.groupId);
  return { error: groups.length === 0 && !request.allGroups ? errorOf('UNKNOWN_GROUP') : undefined, groups };
}

function raftRow(
  { lags }: FakeCluster,
  partition: FakePartition,
  topic: string,
  number: number,
  nodeId: number,
  believed: { readonly leader: number; readonly term: number } = { leader: 0, term: 0 },
): admin.RaftGroupStatus {
  const { index } = partition;
  const commit = index - (partition.uncommitted ?? 0);
  const log = { commit, applied: commit, durable: index, lastIndex: index, firstIndex: 1 };
  const offsets = { logStart: partition.logStart, highWatermark: endOffset(partition) };
  const role = believed.leader === nodeId ? 'leader' : 'follower';
  const voters = partition.replicas ?? [];
  const learners = (partition.wanted ?? []).filter((node) => !voters.includes(node));
  const progress = learners.map((node) => {
    const lag = lags.get(node) ?? index;
    return { nodeId: node, match: index - lag, state: 'replicate', lag, active: lags.has(node) };
  });
  const place = { groupId: partition.groupId, topic, partition: number, nodeId, role };
  return {
    ...place,
    leaderNodeId: believed.leader,
    term: believed.term,
    ...log,
    ...offsets,
    replicas: role === 'leader' ? progress : [],
    voters: [...voters],
    learners,
    faulty: false,
    outgoing: [],
  };
}

function transfer(cluster: FakeCluster, nodeId: number, request: admin.TransferLeadershipRequest): admin.TransferLeadershipResponse {
  for (const [topic, partitions] of cluster.topics) {
    const number = partitions.findIndex((each) => each.groupId === request.groupId);
    const partition = partitions[number];
    if (partition === undefined) continue;
    if (partition.leader !== nodeId) return { error: refusal(cluster, nodeId, topic, number), leaderNodeId: 0 };
    moveLeader(cluster, topic, number, request.targetNodeId === 0 ? (nodeId % cluster.nodes.size) + 1 : request.targetNodeId);
    return { error: undefined, leaderNodeId: partition.leader };
  }
  return { error: errorOf('UNKNOWN_GROUP'), leaderNodeId: 0 };
}
