/**
 * The command that says where the replicas of a partition shall be. It is the wish; the
 * leader of the group then changes the Raft membership towards it.
 */
import type { NodeId } from '../../ids.ts';
import { asGroupId, asNodeId } from '../../ids.ts';
import type { SetReplicas } from './command.ts';
import { metadataLimits } from './limits.ts';
import type { MetadataOutcome, Refused } from './outcome.ts';
import { refuse } from './outcome.ts';
import type { MetadataState, PartitionPlace, PartitionRecord } from './state.ts';
import { findGroup } from './state.ts';

export function applySetReplicas(state: MetadataState, command: SetReplicas): MetadataOutcome {
  const place = findGroup(state, asGroupId(command.group));
  if (place === undefined) {
    return refuse('UNKNOWN_GROUP', `No partition is replicated by Raft group ${command.group}. Use a group that balsa raft status lists.`);
  }
  const replicas = command.replicas.map(asNodeId);
  const learners = (command.learners ?? []).map(asNodeId).toSorted((a, b) => a - b);
  const refused = replicasFault(state, command.group, replicas, learners);
  if (refused !== undefined) return refused;
  const partition: PartitionRecord = { ...place.partition, replicas, learners };
  const changed = !isSameList(place.partition.replicas, replicas) || !isSameList(place.partition.learners, learners);
  if (changed) replacePartition(state, place, partition);
  return { kind: 'ok', command: 'set-replicas', changed, partition };
}

function replacePartition(state: MetadataState, place: PartitionPlace, partition: PartitionRecord): void {
  const partitions = place.topic.partitions.with(place.number, partition);
  state.topics.set(place.topic.name, { ...place.topic, partitions });
}

function replicasFault(state: MetadataState, group: number, replicas: readonly NodeId[], learners: readonly NodeId[]): Refused | undefined {
  const { replicasMax } = metadataLimits;
  if (replicas.length < 1 || replicas.length > replicasMax) {
    return refuse('INVALID_REPLICATION', `Group ${group} cannot have ${replicas.length} voting replicas. Use 1 to ${replicasMax}.`);
  }
  const all = [...replicas, ...learners];
  if (new Set(all).size !== all.length) {
    return refuse('INVALID_REQUEST', `A node is named twice among the replicas of group ${group}. Name every node once.`);
  }
  const unknown = all.find((nodeId) => !state.nodes.has(nodeId));
  if (unknown === undefined) return undefined;
  return refuse('INVALID_TARGET', `Group ${group} cannot move to node ${unknown}: no such node is registered. Start it first.`);
}

function isSameList(a: readonly NodeId[], b: readonly NodeId[]): boolean {
  return a.length === b.length && a.every((nodeId, at) => nodeId === b[at]);
}
