/** Commands about the cluster as a whole: identity, nodes, feature level, producer ids. */
import { asNodeId } from '../../ids.ts';
import type { AllocateProducerIds, InitCluster, RegisterNode, SetFeatureLevel } from './command.ts';
import { metadataLimits } from './limits.ts';
import type { MetadataOutcome, Refused } from './outcome.ts';
import { refuse } from './outcome.ts';
import type { MetadataState, NodeRecord } from './state.ts';
import { sortedNodes } from './state.ts';

/** The first proposal names the cluster; later ones learn the name. */
export function applyInitCluster(state: MetadataState, command: InitCluster): MetadataOutcome {
  const changed = state.clusterId === '';
  if (changed) state.clusterId = command.clusterId;
  return { kind: 'ok', command: 'init-cluster', changed, clusterId: state.clusterId };
}

export function applyRegisterNode(state: MetadataState, command: RegisterNode): MetadataOutcome {
  const { type: _, nodeId: id, ...facts } = command;
  const node: NodeRecord = { nodeId: asNodeId(id), ...facts };
  const known = state.nodes.get(node.nodeId);
  const refused = known === undefined ? newNodeFault(state, node) : identityFault(known, node);
  if (refused !== undefined) return refused;
  const changed = known === undefined || !isSameNode(known, node);
  if (changed) state.nodes.set(node.nodeId, node);
  return { kind: 'ok', command: 'register-node', changed };
}

/** Only upwards: what was written under a level may need it for ever. */
export function applySetFeatureLevel(state: MetadataState, command: SetFeatureLevel): MetadataOutcome {
  if (command.level < state.featureLevel) {
    return refuse(
      'INVALID_REQUEST',
      `The feature level cannot go from ${state.featureLevel} back to ${command.level}: the log may use the newer features. Keep the level.`,
    );
  }
  const changed = command.level > state.featureLevel;
  state.featureLevel = command.level;
  return { kind: 'ok', command: 'set-feature-level', changed, featureLevel: state.featureLevel };
}

export function applyAllocateProducerIds(state: MetadataState, command: AllocateProducerIds): MetadataOutcome {
  const firstId = state.nextProducerId;
  if (!Number.isSafeInteger(firstId + command.count)) return refuse('INVALID_REQUEST', 'All producer ids are used up. Report it.');
  state.nextProducerId = firstId + command.count;
  return { kind: 'ok', command: 'allocate-producer-ids', changed: true, firstId, count: command.count };
}

function newNodeFault(state: MetadataState, node: NodeRecord): Refused | undefined {
  const twin = sortedNodes(state).find((other) => other.storeId === node.storeId);
  if (twin !== undefined) {
    return refuse(
      'WRONG_CLUSTER',
      `Node ${node.nodeId} cannot join: its data folder (store ${node.storeId}) belongs to node ${twin.nodeId}. ` +
        'Give every node a folder of its own, or restore the node id.',
    );
  }
  if (state.nodes.size < metadataLimits.nodesMax) return undefined;
  return refuse('INVALID_REQUEST', `Node ${node.nodeId} cannot join: the limit nodesMax (${metadataLimits.nodesMax}) is reached.`);
}

function identityFault(known: NodeRecord, node: NodeRecord): Refused | undefined {
  if (known.storeId === node.storeId) return undefined;
  return refuse(
    'WRONG_CLUSTER',
    `Node ${node.nodeId} cannot join: the cluster knows it with another data folder (store ${known.storeId}, not ${node.storeId}). ` +
      'What it had promised is in that folder: start it there, or give the new node another id.',
  );
}

function isSameNode(a: NodeRecord, b: NodeRecord): boolean {
  return a.clientAddress === b.clientAddress && a.peerAddress === b.peerAddress && a.httpAddress === b.httpAddress && a.zone === b.zone;
}
