/**
 * Topics: create, list, describe, alter, delete, ensure.
 *
 * A create or delete whose answer was lost may have been done. The retry then says
 * TOPIC_EXISTS or UNKNOWN_TOPIC, which is taken for success if an earlier try had an
 * unknown outcome (and, for a create, the topic has the wanted shape).
 */
import { AdminServiceService } from '@balsa/proto/admin';
import { DataServiceService, type GetMetadataResponse, type TopicInfo } from '@balsa/proto/client';
import { callBroker, withRetries } from '../cluster/broker-call.ts';
import { type CallOptions, type CallScope, openScope } from '../cluster/call-scope.ts';
import { absorbMetadata, isAuthoritative } from '../cluster/cluster-view.ts';
import type { ClientContext } from '../cluster/context.ts';
import { callController } from '../cluster/controller-call.ts';
import { brokersInTurn } from '../cluster/metadata.ts';
import { asBalsaError, BalsaError } from '../errors.ts';
import { readReplica, type ReplicaPlace, type ReplicaRecords } from './read-replica.ts';

export interface TopicSpec {
  /** Default: the broker's. */
  readonly partitions?: number | undefined;
  /** Replicas of each partition (default: 3, or the cluster's size if smaller). */
  readonly replicas?: number | undefined;
  /** Settings by name (docs/operations.md). */
  readonly config?: Readonly<Record<string, string>> | undefined;
}

export interface TopicChange {
  /** New total; it cannot shrink. */
  readonly partitions?: number | undefined;
  /** Settings to set; an empty value returns a setting to its default. */
  readonly config?: Readonly<Record<string, string>> | undefined;
}

export interface PartitionDescription {
  readonly partition: number;
  readonly groupId: number;
  readonly replicas: readonly number[];
  /** Undefined while there is none. */
  readonly leader: number | undefined;
  readonly term: number;
}

export interface TopicDescription {
  readonly name: string;
  readonly replicas: number;
  readonly config: Readonly<Record<string, string>>;
  readonly partitions: readonly PartitionDescription[];
}

export interface TopicsAdmin {
  readonly create: (name: string, spec?: TopicSpec, options?: CallOptions) => Promise<TopicDescription>;
  readonly list: (options?: CallOptions) => Promise<readonly TopicDescription[]>;
  /** UNKNOWN_TOPIC if there is none. */
  readonly describe: (name: string, options?: CallOptions) => Promise<TopicDescription>;
  readonly alter: (name: string, change: TopicChange, options?: CallOptions) => Promise<TopicDescription>;
  readonly delete: (name: string, options?: CallOptions) => Promise<void>;
  /** Where the replicas of a partition shall be, preferred leader first. Accepted at once; they move in the background. */
  readonly setReplicas: (name: string, partition: number, nodes: readonly number[], options?: CallOptions) => Promise<TopicDescription>;
  /** What one replica holds, for verification. */
  readonly readReplica: (place: ReplicaPlace, options?: CallOptions) => Promise<ReplicaRecords>;
  /** Creates the topic or, if it exists, adds the missing partitions and sets the settings that differ. */
  readonly ensure: (name: string, spec?: TopicSpec, options?: CallOptions) => Promise<TopicDescription>;
}

export function createTopicsAdmin(context: ClientContext): TopicsAdmin {
  const scoped = (options: CallOptions = {}) => openScope(context.ports.clock, options, context.requestTimeoutMs);
  return {
    create: (name, spec = {}, options) => create(context, name, spec, scoped(options)),
    list: (options) => list(context, scoped(options)),
    describe: (name, options) => describe(context, name, scoped(options)),
    alter: (name, change, options) => alter(context, name, change, scoped(options)),
    delete: (name, options) => remove(context, name, scoped(options)),
    setReplicas: (name, partition, nodes, options) => setReplicas(context, name, partition, nodes, scoped(options)),
    readReplica: (place, options) => readReplica(context, place, scoped(options)),
    ensure: (name, spec = {}, options) => ensure(context, name, spec, scoped(options)),
  };
}

async function create(context: ClientContext, name: string, spec: TopicSpec, scope: CallScope): Promise<TopicDescription> {
  const message = { name, partitions: spec.partitions ?? 0, replicationFactor: spec.replicas ?? 0, config: { ...spec.config } };
  let isUncertain = false;
  const onFailure = (error: BalsaError) => {
    isUncertain ||= error.effect === 'unknown';
    return false;
  };
  try {
    const { topic } = await callController(context, AdminServiceService.createTopic, message, scope, { onFailure });
    return topic === undefined ? await describe(context, name, scope) : toDescription(topic);
  } catch (thrown) {
    const error = asBalsaError(thrown);
    if (error.code !== 'TOPIC_EXISTS' || !isUncertain) throw error;
    const found = await describe(context, name, scope);
    if (!hasShape(found, spec)) throw error;
    return found;
  }
}

function hasShape(topic: TopicDescription, spec: TopicSpec): boolean {
  const isSized = spec.partitions === undefined || spec.partitions === topic.partitions.length;
  const isReplicated = spec.replicas === undefined || spec.replicas === topic.replicas;
  return isSized && isReplicated && Object.entries(spec.config ?? {}).every(([key, value]) => topic.config[key] === value);
}

async function alter(context: ClientContext, name: string, change: TopicChange, scope: CallScope): Promise<TopicDescription> {
  const message = { name, partitions: change.partitions ?? 0, config: { ...change.config } };
  const { topic } = await callController(context, AdminServiceService.alterTopic, message, scope);
  return topic === undefined ? await describe(context, name, scope) : toDescription(topic);
}

async function setReplicas(
  context: ClientContext,
  name: string,
  partition: number,
  nodes: readonly number[],
  scope: CallScope,
): Promise<TopicDescription> {
  const message = { topic: name, partition, replicaNodeIds: [...nodes] };
  const { topic } = await callController(context, AdminServiceService.setReplicas, message, scope);
  return topic === undefined ? await describe(context, name, scope) : toDescription(topic);
}

async function remove(context: ClientContext, name: string, scope: CallScope): Promise<void> {
  let isUncertain = false;
  const onFailure = (error: BalsaError) => {
    isUncertain ||= error.effect === 'unknown';
    return false;
  };
  try {
    await callController(context, AdminServiceService.deleteTopic, { name }, scope, { onFailure });
  } catch (thrown) {
    const error = asBalsaError(thrown);
    if (error.code !== 'UNKNOWN_TOPIC' || !isUncertain) throw error;
  }
  context.view.topics.delete(name);
  context.lookup.topics.delete(name);
}

async function ensure(context: ClientContext, name: string, spec: TopicSpec, scope: CallScope): Promise<TopicDescription> {
  try {
    return await create(context, name, spec, scope);
  } catch (thrown) {
    const error = asBalsaError(thrown);
    if (error.code !== 'TOPIC_EXISTS') throw error;
  }
  const found = await describe(context, name, scope);
  const differing = Object.entries(spec.config ?? {}).filter(([key, value]) => found.config[key] !== value);
  const lacksPartitions = spec.partitions !== undefined && spec.partitions > found.partitions.length;
  if (!lacksPartitions && differing.length === 0) return found;
  const change = { config: Object.fromEntries(differing), ...(lacksPartitions ? { partitions: spec.partitions } : {}) };
  return await alter(context, name, change, scope);
}

async function list(context: ClientContext, scope: CallScope): Promise<readonly TopicDescription[]> {
  const { topics } = await readMetadata(context, [], scope);
  return topics.map(toDescription).sort((left, right) => (left.name < right.name ? -1 : 1));
}

function describe(context: ClientContext, name: string, scope: CallScope): Promise<TopicDescription> {
  return withRetries(context, scope, async () => {
    const answer = await readMetadata(context, [name], scope);
    const topic = answer.topics.find((each) => each.name === name);
    if (topic !== undefined) return toDescription(topic);
    if (isAuthoritative(answer)) throw new BalsaError('UNKNOWN_TOPIC', { detail: `There is no topic "${name}".`, topic: name });
    throw new BalsaError('LEADER_NOT_AVAILABLE', { detail: 'The metadata leader cannot be asked for the topic.', topic: name });
  });
}

/**
 * Metadata as the metadata leader shows it or, if that cannot be reached, as any broker does: a
 * broker that has just started may show a past in which the newest topics do not exist.
 */
export function readMetadata(context: ClientContext, topics: readonly string[], scope: CallScope): Promise<GetMetadataResponse> {
  return withRetries(context, scope, async () => {
    const asked = new Set<string>();
    let anyAnswer: GetMetadataResponse | undefined;
    let last: BalsaError | undefined;
    for (let address = nextToAsk(context, asked); address !== undefined; address = nextToAsk(context, asked)) {
      asked.add(address);
      try {
        const answer = await callBroker(context, address, DataServiceService.getMetadata, { topics: [...topics] }, scope);
        absorbMetadata(context.view, answer, topics);
        if (isAuthoritative(answer)) return answer;
        anyAnswer ??= answer;
      } catch (thrown) {
        last = asBalsaError(thrown);
      }
    }
    if (anyAnswer !== undefined) return anyAnswer;
    throw last ?? new BalsaError('LEADER_NOT_AVAILABLE', { detail: 'No broker is known.' });
  });
}

/** The metadata leader, as soon as one is known; else the other brokers in turn. */
function nextToAsk(context: ClientContext, asked: ReadonlySet<string>): string | undefined {
  const controller = context.view.addresses.get(context.view.controllerNodeId);
  if (controller !== undefined && !asked.has(controller)) return controller;
  return brokersInTurn(context).find((address) => !asked.has(address));
}

export function toDescription(topic: TopicInfo): TopicDescription {
  const partitions = topic.partitions.map((each) => ({
    partition: each.partition,
    groupId: each.groupId,
    replicas: each.replicaNodeIds,
    leader: each.leaderNodeId === 0 ? undefined : each.leaderNodeId,
    term: each.leaderTerm,
  }));
  return { name: topic.name, replicas: topic.replicationFactor, config: topic.config, partitions };
}
