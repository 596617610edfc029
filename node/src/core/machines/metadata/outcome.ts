/**
 * What the metadata machine says of a command. Every code is one of the error table
 * (proto/src/error-codes.ts), and `message` says what happened, why and what to do next.
 */
import type { PartitionRecord, TopicRecord } from './state.ts';

export type MetadataRefusal =
  | 'INVALID_REQUEST'
  | 'WRONG_CLUSTER'
  | 'INVALID_TOPIC_NAME'
  | 'TOPIC_EXISTS'
  | 'UNKNOWN_TOPIC'
  | 'UNKNOWN_GROUP'
  | 'INVALID_PARTITIONS'
  | 'INVALID_REPLICATION'
  | 'INVALID_CONFIG'
  | 'INVALID_TARGET';

export interface Refused {
  readonly kind: 'refused';
  readonly code: MetadataRefusal;
  readonly message: string;
}

/** Accepted; `changed` is false if everything was as asked already. */
export type Done =
  /** `clusterId` is the one that won, which may be another than proposed. */
  | { readonly kind: 'ok'; readonly command: 'init-cluster'; readonly changed: boolean; readonly clusterId: string }
  | { readonly kind: 'ok'; readonly command: 'register-node'; readonly changed: boolean }
  | { readonly kind: 'ok'; readonly command: 'set-feature-level'; readonly changed: boolean; readonly featureLevel: number }
  | {
      readonly kind: 'ok';
      readonly command: 'allocate-producer-ids';
      readonly changed: boolean;
      /** The block is firstId .. firstId + count - 1. */
      readonly firstId: number;
      readonly count: number;
    }
  /** `topic` is the topic afterwards, or as it was before it was deleted. */
  | {
      readonly kind: 'ok';
      readonly command: 'create-topic' | 'alter-topic' | 'delete-topic';
      readonly changed: boolean;
      readonly topic: TopicRecord;
    }
  | { readonly kind: 'ok'; readonly command: 'set-replicas'; readonly changed: boolean; readonly partition: PartitionRecord };

export type MetadataOutcome = Done | Refused;

export function refuse(code: MetadataRefusal, message: string): Refused {
  return { kind: 'refused', code, message };
}
