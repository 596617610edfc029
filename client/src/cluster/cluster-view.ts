/**
 * What the client believes about the cluster: pure state, fed by metadata answers and by
 * leader hints in errors.
 *
 * Answers come from brokers that may lag behind each other, so news is ordered by Raft
 * term: a leader of a lower term never replaces one of a higher term. A topic that was
 * deleted and made again has other groups, whose terms start anew; group ids are never
 * reused, so a higher group id wins before terms are compared.
 */
import type { GetMetadataResponse, PartitionInfo, TopicInfo } from '@balsa/proto/client';
import { BalsaError, type LeaderHint } from '../errors.ts';

export interface PartitionView {
  readonly groupId: number;
  /** 0 if no leader is known. */
  readonly leaderNodeId: number;
  /** Term of that leader, or of the last one known. */
  readonly leaderTerm: number;
}

export interface Leader {
  readonly nodeId: number;
  readonly term: number;
  readonly address: string;
}

export interface ClusterView {
  clusterId: string;
  /** Leader of the metadata group; 0 if unknown. */
  controllerNodeId: number;
  /** Client address of every registered broker, by node id. */
  readonly addresses: Map<number, string>;
  /** Partitions of known topics, by number. */
  readonly topics: Map<string, PartitionView[]>;
}

export function createClusterView(): ClusterView {
  return { clusterId: '', controllerNodeId: 0, addresses: new Map(), topics: new Map() };
}

/** Takes over an answer to a question about `asked` (empty: all topics). Throws WRONG_CLUSTER for a foreign broker's. */
export function absorbMetadata(view: ClusterView, answer: GetMetadataResponse, asked: readonly string[]): void {
  if (view.clusterId !== '' && answer.clusterId !== view.clusterId) {
    throw new BalsaError('WRONG_CLUSTER', { detail: `The broker belongs to cluster ${answer.clusterId}, not to ${view.clusterId}.` });
  }
  view.clusterId = answer.clusterId;
  if (answer.controllerNodeId !== 0) view.controllerNodeId = answer.controllerNodeId;
  for (const node of answer.nodes) view.addresses.set(node.nodeId, node.clientAddress);
  for (const topic of answer.topics) absorbTopic(view, topic);
  if (isAuthoritative(answer)) forgetMissing(view, answer, asked);
}

/** Only the metadata leader knows that a topic does not exist; others may not have heard of it yet. */
export function isAuthoritative(answer: GetMetadataResponse): boolean {
  return answer.controllerNodeId !== 0 && answer.answeringNodeId === answer.controllerNodeId;
}

function forgetMissing(view: ClusterView, answer: GetMetadataResponse, asked: readonly string[]): void {
  const present = new Set(answer.topics.map((topic) => topic.name));
  const candidates = asked.length === 0 ? [...view.topics.keys()] : asked;
  for (const name of candidates) if (!present.has(name)) view.topics.delete(name);
}

function absorbTopic(view: ClusterView, topic: TopicInfo): void {
  const known = view.topics.get(topic.name) ?? [];
  const merged = topic.partitions.map((news) => newer(known[news.partition], news));
  // A lagging broker may not know of added partitions; those of a topic made anew are not added ones.
  const isSame = known[0] === undefined || known[0].groupId === merged[0]?.groupId;
  if (isSame) for (const partition of known.slice(merged.length)) merged.push(partition);
  view.topics.set(topic.name, merged);
}

function newer(known: PartitionView | undefined, news: PartitionInfo): PartitionView {
  if (known === undefined || news.groupId > known.groupId) return news;
  if (news.groupId < known.groupId || news.leaderTerm < known.leaderTerm) return known;
  return news.leaderNodeId === 0 && news.leaderTerm === known.leaderTerm ? known : news;
}

/** Takes over who leads a partition; returns whether that was news. */
export function absorbHint(view: ClusterView, topic: string, partition: number, hint: LeaderHint): boolean {
  const partitions = view.topics.get(topic);
  const known = partitions?.[partition];
  if (partitions === undefined || known === undefined) return false;
  const term = hint.term === 0 ? known.leaderTerm : hint.term;
  const isNews = term > known.leaderTerm || (term === known.leaderTerm && hint.nodeId !== known.leaderNodeId);
  if (isNews) partitions[partition] = { groupId: known.groupId, leaderNodeId: hint.nodeId, leaderTerm: term };
  return isNews;
}

/** Marks that `nodeId` turned out not to lead the partition (any more). */
export function forgetLeader(view: ClusterView, topic: string, partition: number, nodeId: number): void {
  const partitions = view.topics.get(topic);
  const known = partitions?.[partition];
  if (partitions === undefined || known?.leaderNodeId !== nodeId) return;
  partitions[partition] = { groupId: known.groupId, leaderNodeId: 0, leaderTerm: known.leaderTerm };
}

/** The leader to ask, if one with a known address is known. */
export function leaderOf(view: ClusterView, topic: string, partition: number): Leader | undefined {
  const known = view.topics.get(topic)?.[partition];
  const address = known === undefined ? undefined : view.addresses.get(known.leaderNodeId);
  if (known === undefined || address === undefined) return undefined;
  return { nodeId: known.leaderNodeId, term: known.leaderTerm, address };
}
