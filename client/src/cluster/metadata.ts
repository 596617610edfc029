/**
 * Keeps the view of the cluster fresh. Refreshes are coalesced: whoever asks while one
 * runs gets that one. A refresh asks brokers one after the other, starting at another
 * one each time, until one answers; so a broker with an old view is not asked twice in a row.
 */
import { DataServiceService } from '@balsa/proto/client';
import { asBalsaError, BalsaError } from '../errors.ts';
import { callBroker, withRetries } from './broker-call.ts';
import { type CallScope, openScope, withinScope } from './call-scope.ts';
import { absorbHint, absorbMetadata, forgetLeader, isAuthoritative, type Leader, leaderOf, type PartitionView } from './cluster-view.ts';
import type { ClientContext } from './context.ts';
import { isSuspect } from './silence.ts';

/** Time for one broker to answer before the next one is asked. */
const brokerTimeoutMs = 1_000;

/**
 * Asks for all topics in use (and `topic`); rejects if no broker answers. Resolves to
 * whether the metadata leader answered this question, as it alone knows that a topic does
 * not exist; the answer to one that was asked before may be older than the topic.
 */
export function refreshMetadata(context: ClientContext, topic?: string): Promise<boolean> {
  const { lookup } = context;
  if (topic !== undefined) lookup.topics.add(topic);
  const { running } = lookup;
  if (running !== undefined) {
    const isCovered = topic === undefined || running.topics.length === 0 || running.topics.includes(topic);
    return running.done.then(() => (isCovered ? false : refreshMetadata(context, topic)));
  }
  const topics = [...lookup.topics];
  const done = askInTurn(context, topics).finally(() => {
    lookup.running = undefined;
  });
  lookup.running = { topics, done };
  return done;
}

/** Refreshes and ignores that it may fail: for callers that try again anyway. */
export async function tryRefresh(context: ClientContext): Promise<void> {
  try {
    await refreshMetadata(context);
  } catch {
    // Nobody answered now; the caller's next failure refreshes again.
  }
}

async function askInTurn(context: ClientContext, topics: readonly string[]): Promise<boolean> {
  const addresses = brokersInTurn(context);
  let last: BalsaError | undefined;
  for (const address of addresses) {
    try {
      return await askOne(context, address, topics);
    } catch (thrown) {
      last = asBalsaError(thrown);
      if (last.code === 'CLOSED') throw last;
    }
  }
  throw new BalsaError('CONNECTION_LOST', {
    detail: `None of ${addresses.join(', ')} answered; last: ${last?.message ?? ''}`,
    cause: last,
  });
}

async function askOne(context: ClientContext, address: string, topics: readonly string[]): Promise<boolean> {
  const { clock } = context.ports;
  const scope = openScope(clock, {}, Math.min(brokerTimeoutMs, context.requestTimeoutMs));
  const answer = await callBroker(context, address, DataServiceService.getMetadata, { topics: [...topics] }, scope);
  absorbMetadata(context.view, answer, topics);
  for (const notify of context.onViewChanged) notify();
  const isMissing = topics.some((name) => !context.view.topics.has(name));
  const controller = context.view.addresses.get(context.view.controllerNodeId);
  if (!isMissing || isAuthoritative(answer) || controller === undefined || controller === address) return isAuthoritative(answer);
  // A new topic may be unknown to this broker; the metadata leader knows it.
  return await askOne(context, controller, topics).catch(() => false);
}

/** Addresses of all brokers, known ones first, both from a place that moves on with each call; those that are silent last. */
export function brokersInTurn(context: ClientContext): string[] {
  const turn = context.lookup.rotation++;
  const known = [...new Set(context.view.addresses.values())];
  const seeds = context.seeds.filter((seed) => !known.includes(seed));
  const all = [...rotated(known, turn), ...rotated(seeds, turn)];
  const silent = (address: string): boolean => isSuspect(context.silence, address);
  return [...all.filter((address) => !silent(address)), ...all.filter(silent)];
}

function rotated(addresses: readonly string[], turn: number): string[] {
  const start = addresses.length === 0 ? 0 : turn % addresses.length;
  return [...addresses.slice(start), ...addresses.slice(0, start)];
}

/** Partitions of a topic, asking for it if needed; UNKNOWN_TOPIC if the metadata leader does not know it. */
export function topicPartitions(context: ClientContext, topic: string, scope: CallScope): Promise<readonly PartitionView[]> {
  const known = context.view.topics.get(topic);
  if (known !== undefined) {
    context.lookup.topics.add(topic);
    return Promise.resolve(known);
  }
  return withRetries(context, scope, async () => {
    const isCertain = await withinScope(context.ports.clock, scope, refreshMetadata(context, topic));
    const found = context.view.topics.get(topic);
    if (found !== undefined) return found;
    if (!isCertain) throw new BalsaError('LEADER_NOT_AVAILABLE', { detail: 'The metadata leader cannot be asked for the topic.', topic });
    context.lookup.topics.delete(topic);
    throw new BalsaError('UNKNOWN_TOPIC', { detail: `There is no topic "${topic}".`, topic });
  });
}

/** The partition's leader, waiting for one to be known. */
export function findLeader(context: ClientContext, topic: string, partition: number, scope: CallScope): Promise<Leader> {
  const known = leaderOf(context.view, topic, partition);
  if (known !== undefined) return Promise.resolve(known);
  return withRetries(context, scope, async () => {
    const partitions = await topicPartitions(context, topic, scope);
    if (partition >= partitions.length) {
      throw new BalsaError('UNKNOWN_PARTITION', { detail: `The topic has ${partitions.length} partitions.`, topic, partition });
    }
    const present = leaderOf(context.view, topic, partition);
    if (present !== undefined) return present;
    await withinScope(context.ports.clock, scope, refreshMetadata(context, topic));
    const found = leaderOf(context.view, topic, partition);
    if (found === undefined) throw new BalsaError('LEADER_NOT_AVAILABLE', { topic, partition });
    return found;
  });
}

/** Learns from the failure of a request to `asked`; returns whether another leader is now known. */
export function learnFromFailure(context: ClientContext, topic: string, partition: number, asked: Leader, error: BalsaError): boolean {
  const hint = error.leader;
  const isNews = hint !== undefined && hint.nodeId !== asked.nodeId && absorbHint(context.view, topic, partition, hint);
  if (!isNews && error.code === 'NOT_LEADER') forgetLeader(context.view, topic, partition, asked.nodeId);
  const now = leaderOf(context.view, topic, partition);
  return now !== undefined && now.nodeId !== asked.nodeId;
}
