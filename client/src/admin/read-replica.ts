/**
 * What one replica of a partition holds, asked at its own broker. For those who verify that
 * replicas agree: the answer may be old, it is never false.
 */
import { DataServiceService } from '@balsa/proto/client';
import { accepted, callBroker, withRetries } from '../cluster/broker-call.ts';
import type { CallScope } from '../cluster/call-scope.ts';
import type { ClientContext } from '../cluster/context.ts';
import { tryRefresh } from '../cluster/metadata.ts';
import type { ConsumedRecord } from '../consumer/consumer.ts';
import { BalsaError } from '../errors.ts';
import { decodeBatch } from '../records/batch-reader.ts';

export interface ReplicaPlace {
  readonly topic: string;
  readonly partition: number;
  /** Node id of the broker that is asked. */
  readonly node: number;
  /** First offset wanted (inclusive). */
  readonly offset: bigint;
  /** Default: what the broker gives at most, about 1 MiB. */
  readonly bytesMax?: number | undefined;
}

export interface ReplicaRecords {
  readonly records: readonly ConsumedRecord<Uint8Array, Uint8Array>[];
  /** First offset that this replica has not applied yet (exclusive). */
  readonly highWatermark: bigint;
  /** First offset that this replica still keeps (inclusive). */
  readonly logStart: bigint;
}

const bytesMaxDefault = 1024 * 1024;

/** UNKNOWN_GROUP if the node holds no replica, NOT_READY if that is damaged. */
export function readReplica(context: ClientContext, place: ReplicaPlace, scope: CallScope): Promise<ReplicaRecords> {
  const { topic, partition, node, offset, bytesMax = bytesMaxDefault } = place;
  const message = { topic, partition, offset: Number(offset), bytesMax };
  const attempt = async (): Promise<ReplicaRecords> => {
    const address = context.view.addresses.get(node);
    if (address === undefined) throw new BalsaError('LEADER_NOT_AVAILABLE', { detail: `The address of node ${node} is not known.` });
    const answer = accepted(await callBroker(context, address, DataServiceService.readReplica, message, scope));
    const records = answer.batches.flatMap((batch) => decodeBatch(batch).records).filter((record) => record.offset >= message.offset);
    return {
      records: records.map(({ timestampMs: timestamp, ...record }) => ({ ...record, partition, timestamp, offset: BigInt(record.offset) })),
      highWatermark: BigInt(answer.highWatermark),
      logStart: BigInt(answer.logStart),
    };
  };
  const onFailure = async (): Promise<boolean> => {
    if (!context.view.addresses.has(node)) await tryRefresh(context);
    return false;
  };
  return withRetries(context, scope, attempt, { onFailure });
}
