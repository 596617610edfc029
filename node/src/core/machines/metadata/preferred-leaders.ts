/**
 * Chooses the preferred leader of every partition among its replicas, so that leaders are
 * spread over nodes as evenly as the replicas allow: within the topic first, then over
 * all topics.
 *
 * Each partition takes its least loaded replica; then leaderships move along chains of
 * partitions (from a to b, so that b's can go on to c) as long as that evens the loads.
 * When no chain does, the choice is optimal: it is a semi-matching without a
 * cost-reducing path (Harvey, Ladner, Lovasz and Tamir, 2003).
 */
import { assert } from '../../assert.ts';
import type { NodeId } from '../../ids.ts';
import type { Replicas } from './placement.ts';

export interface LeaderRequest {
  /** Sorted by id. */
  readonly nodes: readonly NodeId[];
  /** Replicas of each new partition, in any order. */
  readonly sets: readonly Replicas[];
  /** Existing partitions of the topic, preferred leader first. */
  readonly ofTopic: readonly Replicas[];
  /** Existing partitions of all topics, preferred leader first. */
  readonly ofCluster: readonly Replicas[];
}

interface Leader {
  readonly nodeId: NodeId;
  inTopic: number;
  inCluster: number;
  /** New partitions that it leads. */
  readonly led: Set<NewPartition>;
}

interface NewPartition {
  readonly candidates: readonly Leader[];
  leader: Leader;
}

/** `sets` with the preferred leader in front of each, the others in the order of ids. */
export function preferLeaders(request: LeaderRequest): readonly Replicas[] {
  const leaders = new Map(request.nodes.map((nodeId): [NodeId, Leader] => [nodeId, { nodeId, inTopic: 0, inCluster: 0, led: new Set() }]));
  const leaderOf = (nodeId: NodeId | undefined): Leader | undefined => (nodeId === undefined ? undefined : leaders.get(nodeId));
  // A replica on a node that is gone has no count.
  for (const [nodeId] of request.ofTopic) addTo(leaderOf(nodeId), 'inTopic');
  for (const [nodeId] of request.ofCluster) addTo(leaderOf(nodeId), 'inCluster');
  const partitions = request.sets.map((set) => leadByLeast(set.map(leaderOf).filter((leader) => leader !== undefined)));
  evenOut([...leaders.values()]);
  return partitions.map(({ leader, candidates }) => [leader.nodeId, ...otherIds(candidates, leader)]);
}

function addTo(leader: Leader | undefined, scope: 'inTopic' | 'inCluster'): void {
  if (leader !== undefined) leader[scope]++;
}

function leadByLeast(candidates: readonly Leader[]): NewPartition {
  const least = candidates.reduce((best, next) => (compareLoad(next, best) < 0 ? next : best));
  const partition = { candidates, leader: least };
  take(partition, least);
  return partition;
}

function compareLoad(a: Leader, b: Leader): number {
  return a.inTopic - b.inTopic || a.inCluster - b.inCluster || a.nodeId - b.nodeId;
}

/** Ends because every chain that moves lowers the sum of the squared loads. */
function evenOut(leaders: readonly Leader[]): void {
  let moved = true;
  while (moved) {
    moved = false;
    for (const leader of leaders) {
      while (leaders.some((other) => isEvener(leader, other)) && moveChain(leader)) moved = true;
    }
  }
}

/** Whether one leadership less here and one more there is more even. */
function isEvener(from: Leader, to: Leader): boolean {
  return (from.inTopic - to.inTopic - 1 || from.inCluster - to.inCluster - 1) > 0;
}

/** Moves one leadership away from `from`, over others if need be; false if no chain leads to a node with less. */
function moveChain(from: Leader): boolean {
  /** How a node was reached: the partition that it would take over. */
  const reachedBy = new Map<Leader, NewPartition>();
  const reached: Leader[] = [from];
  // The list grows while it is walked: breadth first, so that chains are short.
  for (const at of reached) {
    for (const partition of at.led) {
      for (const next of partition.candidates) {
        if (next === from || reachedBy.has(next)) continue;
        reachedBy.set(next, partition);
        reached.push(next);
        if (isEvener(from, next)) {
          handOver(from, next, reachedBy);
          return true;
        }
      }
    }
  }
  return false;
}

/** Each node of the chain takes the partition by which it was reached, the last one first. */
function handOver(from: Leader, last: Leader, reachedBy: ReadonlyMap<Leader, NewPartition>): void {
  for (let to = last; to !== from; ) {
    const partition = reachedBy.get(to);
    assert(partition !== undefined, 'a chain of leaders goes back to its start', { from: from.nodeId, to: to.nodeId });
    const before = partition.leader;
    drop(partition);
    take(partition, to);
    to = before;
  }
}

function take(partition: NewPartition, leader: Leader): void {
  partition.leader = leader;
  leader.led.add(partition);
  leader.inTopic++;
  leader.inCluster++;
}

function drop(partition: NewPartition): void {
  const { leader } = partition;
  leader.led.delete(partition);
  leader.inTopic--;
  leader.inCluster--;
}

function otherIds(candidates: readonly Leader[], leader: Leader): readonly NodeId[] {
  const ids = candidates.filter((candidate) => candidate !== leader).map((candidate) => candidate.nodeId);
  return ids.toSorted((a, b) => a - b);
}
