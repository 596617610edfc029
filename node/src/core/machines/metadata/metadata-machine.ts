/**
 * The replicated state machine of Raft group 0: one agreed picture of the cluster.
 *
 * Everything that could differ between nodes is decided here, from the state alone:
 * placement, ids, defaults that depend on the number of nodes. A refused command
 * changes nothing; an accepted one that changes nothing leaves `version` alone.
 *
 * Older nodes must come to the same outcome, so a change of any rule here needs a
 * feature level in the log.
 */
import { unreachable } from '../../assert.ts';
import type { AppliedCommand, Machine } from '../machine.ts';
import { applyAllocateProducerIds, applyInitCluster, applyRegisterNode, applySetFeatureLevel } from './apply-cluster.ts';
import { applySetReplicas } from './apply-replicas.ts';
import { applyAlterTopic, applyCreateTopic, applyDeleteTopic } from './apply-topics.ts';
import type { MetadataCommand } from './command.ts';
import { decodeMetadataCommand } from './command-codec.ts';
import type { MetadataOutcome } from './outcome.ts';
import { refuse } from './outcome.ts';
import type { MetadataState } from './state.ts';
import { initialMetadataState } from './state.ts';
import { decodeMetadataState, encodeMetadataState } from './state-codec.ts';

export const metadataMachine: Machine<MetadataState, MetadataOutcome> = {
  initial: initialMetadataState,
  apply: applyMetadata,
  encode: encodeMetadataState,
  decode: decodeMetadataState,
};

function applyMetadata(state: MetadataState, applied: AppliedCommand): MetadataOutcome {
  const decoded = decodeMetadataCommand(applied.payload);
  if (!decoded.ok) return refuse('INVALID_REQUEST', `The metadata command is not valid: ${decoded.fault}. Correct the request.`);
  const outcome = dispatch(state, decoded.command);
  if (outcome.kind === 'ok' && outcome.changed) state.version++;
  return outcome;
}

function dispatch(state: MetadataState, command: MetadataCommand): MetadataOutcome {
  switch (command.type) {
    case 'init-cluster':
      return applyInitCluster(state, command);
    case 'register-node':
      return applyRegisterNode(state, command);
    case 'create-topic':
      return applyCreateTopic(state, command);
    case 'delete-topic':
      return applyDeleteTopic(state, command);
    case 'alter-topic':
      return applyAlterTopic(state, command);
    case 'allocate-producer-ids':
      return applyAllocateProducerIds(state, command);
    case 'set-replicas':
      return applySetReplicas(state, command);
    case 'set-feature-level':
      return applySetFeatureLevel(state, command);
    default:
      return unreachable(command, 'command type');
  }
}
