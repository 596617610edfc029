/**
 * Chooses the nodes of new partitions. Pure and deterministic: a function of the nodes
 * and of what they hold already.
 *
 * Rules, the stronger first
 *  1. The replicas of a partition are spread over zones as evenly as the sizes of the
 *     zones allow: they share a zone only when every zone with a free node has one.
 *  2. Replicas are spread evenly over the nodes, within the topic first, then over all
 *     topics. (Balancing over all topics first would put all of the next topic's load on
 *     a node that has just been added.)
 *  3. So are preferred leaders (preferred-leaders.ts), as far as the replicas allow.
 *
 * How: placing one partition after the other on the least loaded nodes misses the
 * optimum when zones differ in size. So first every node is granted its number of
 * replicas, one by one to the least loaded node that the zones still allow; this greedy
 * choice is optimal, since the limits (a node holds a partition once, a zone its share)
 * are nested. Then each partition takes the nodes with most grants left, which always
 * uses all of them up (Gale and Ryser's construction).
 */
import { assert } from '../../assert.ts';
import type { NodeId } from '../../ids.ts';
import { preferLeaders } from './preferred-leaders.ts';

export interface PlacementNode {
  readonly nodeId: NodeId;
  readonly zone: string;
}

/** Replicas of a partition; the first is the preferred leader. */
export type Replicas = readonly NodeId[];

export interface PlacementRequest {
  /** Sorted by id. */
  readonly nodes: readonly PlacementNode[];
  /** Partitions to place. */
  readonly partitions: number;
  /** At least 1, at most the number of nodes. */
  readonly replicationFactor: number;
  /** Partitions that the topic has already. */
  readonly ofTopic: readonly Replicas[];
  /** Partitions of all topics, this one included. */
  readonly ofCluster: readonly Replicas[];
}

/** A node while replicas are dealt out. */
interface Seat extends PlacementNode {
  readonly topicReplicas: number;
  readonly clusterReplicas: number;
  readonly clusterLeaders: number;
  /** Replicas granted and not yet taken by a partition. */
  grants: number;
}

interface Zone {
  readonly seats: readonly Seat[];
  /** Replicas of every partition in this zone ... */
  share: number;
  /** ... and the number of partitions that have, and have not yet taken, one more. */
  extras: number;
}

export function placePartitions(request: PlacementRequest): readonly Replicas[] {
  const { nodes, partitions, replicationFactor } = request;
  assert(replicationFactor >= 1 && replicationFactor <= nodes.length, 'there are nodes for all replicas', {
    replicationFactor,
    nodes: nodes.length,
  });
  const zones = seatNodes(request);
  const extras = shareZones(zones, replicationFactor);
  grantSeats(zones, partitions, extras);
  const sets: Replicas[] = [];
  for (let partition = 0; partition < partitions; partition++) {
    // Ties fall to another node each time, so that no two nodes share all of their partitions.
    sets.push(takeSeats(zones, extras, request.ofCluster.length + partition));
  }
  return preferLeaders({ nodes: nodes.map((node) => node.nodeId), sets, ofTopic: request.ofTopic, ofCluster: request.ofCluster });
}

function seatNodes(request: PlacementRequest): readonly Zone[] {
  const topic = countNodes(request.ofTopic);
  const cluster = countNodes(request.ofCluster);
  const leaders = countNodes(request.ofCluster.map((replicas) => replicas.slice(0, 1)));
  const byZone = new Map<string, Seat[]>();
  for (const { nodeId, zone } of request.nodes) {
    const seats = byZone.get(zone) ?? [];
    byZone.set(zone, seats);
    const [topicReplicas = 0, clusterReplicas = 0, clusterLeaders = 0] = [topic, cluster, leaders].map((counts) => counts.get(nodeId));
    seats.push({ nodeId, zone, topicReplicas, clusterReplicas, clusterLeaders, grants: 0 });
  }
  return Array.from(byZone.values(), (seats) => ({ seats, share: 0, extras: 0 }));
}

function countNodes(lists: readonly Replicas[]): ReadonlyMap<NodeId, number> {
  const counts = new Map<NodeId, number>();
  for (const nodes of lists) for (const nodeId of nodes) counts.set(nodeId, (counts.get(nodeId) ?? 0) + 1);
  return counts;
}

/** Gives every zone its share of each partition; returns how many zones hold one more, another choice for each partition. */
function shareZones(zones: readonly Zone[], replicationFactor: number): number {
  let left = replicationFactor;
  for (;;) {
    const open = zones.filter(hasRoom);
    if (left < open.length || open.length === 0) return left;
    for (const zone of open) zone.share++;
    left -= open.length;
  }
}

function hasRoom(zone: Zone): boolean {
  return zone.share < zone.seats.length;
}

function grantSeats(zones: readonly Zone[], partitions: number, extras: number): void {
  for (const zone of zones) {
    for (let granted = 0; granted < zone.share * partitions; granted++) grantLeast([zone], partitions);
  }
  const open = zones.filter(hasRoom);
  for (let granted = 0; granted < extras * partitions; granted++) {
    const zone = grantLeast(
      open.filter((each) => each.extras < partitions),
      partitions,
    );
    zone.extras++;
  }
}

/** Grants one replica to the least loaded node of `zones`; returns its zone. */
function grantLeast(zones: readonly Zone[], partitions: number): Zone {
  let best: { readonly seat: Seat; readonly zone: Zone } | undefined;
  for (const zone of zones) {
    for (const seat of zone.seats) {
      if (seat.grants < partitions && (best === undefined || compareLoad(seat, best.seat) < 0)) best = { seat, zone };
    }
  }
  assert(best !== undefined, 'a zone that owes a replica has a node for it', { zones: zones.length, partitions });
  best.seat.grants++;
  return best.zone;
}

function compareLoad(a: Seat, b: Seat): number {
  return (
    a.topicReplicas + a.grants - (b.topicReplicas + b.grants) ||
    a.clusterReplicas + a.grants - (b.clusterReplicas + b.grants) ||
    // Nodes that lead little shall be among the candidates.
    a.clusterLeaders - b.clusterLeaders ||
    a.nodeId - b.nodeId
  );
}

/** The nodes of one partition. */
function takeSeats(zones: readonly Zone[], extras: number, turn: number): Replicas {
  const withExtra = most(zones, extras, (zone) => zone.extras, turn);
  const taken: Seat[] = [];
  for (const zone of zones) {
    const isExtra = withExtra.includes(zone);
    if (isExtra) zone.extras--;
    taken.push(...most(zone.seats, zone.share + (isExtra ? 1 : 0), (seat) => seat.grants, turn));
  }
  for (const seat of taken) {
    assert(seat.grants > 0, 'a partition takes granted replicas only', { nodeId: seat.nodeId });
    seat.grants--;
  }
  return taken.map((seat) => seat.nodeId);
}

/** The `count` items of the greatest amounts; of equals, the first from position `turn` on, round the list. */
function most<Item>(items: readonly Item[], count: number, amount: (item: Item) => number, turn: number): readonly Item[] {
  const chosen: Item[] = [];
  while (chosen.length < count) {
    let best: Item | undefined;
    for (let step = 0; step < items.length; step++) {
      const item = items[(turn + step) % items.length];
      if (item === undefined || chosen.includes(item)) continue;
      if (best === undefined || amount(item) > amount(best)) best = item;
    }
    assert(best !== undefined, 'there are as many items as wanted', { items: items.length, count });
    chosen.push(best);
  }
  return chosen;
}
