/**
 * What one replica of a partition holds, asked at its own broker. For those who verify that
 * replicas agree, or look for a fault: the answer may be old, it is never false.
 */
import { DataServiceService } from '@balsa/proto/client';
import { accepted, callBroker, withRetries } from '../cluster/broker-call.ts';
import { type CallScope, withinScope } from '../cluster/call-scope.ts';
import type { ClientContext } from '../cluster/context.ts';
import { refreshMetadata, topicPartitions, tryRefresh } from '../cluster/metadata.ts';
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
  /** Of the answer, which has one batch at least; default: what the broker gives at most, 1 MiB. */
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

/**
 * One answer. UNKNOWN_GROUP if the node holds no replica, INVALID_TARGET if there is no such
 * node, OFFSET_OUT_OF_RANGE beyond what the replica holds; a damaged replica is asked again
 * until the time is over.
 */
export function readReplica(context: ClientContext, place: ReplicaPlace, scope: CallScope): Promise<ReplicaRecords> {
  const { topic, partition, node, offset, bytesMax = bytesMaxDefault } = place;
  const message = { topic, partition, offset: Number(offset), bytesMax };
  const attempt = async (): Promise<ReplicaRecords> => {
    await topicPartitions(context, topic, scope);
    const address = await addressOf(context, node, scope);
    const answer = await callBroker(context, address, DataServiceService.readReplica, message, scope);
    const { batches, highWatermark, logStart } = accepted(answer, { topic, partition });
    const records = batches.flatMap((batch) => decodeBatch(batch).records).filter((record) => record.offset >= message.offset);
    return {
      records: records.map(({ timestampMs: timestamp, ...record }) => ({ ...record, partition, timestamp, offset: BigInt(record.offset) })),
      highWatermark: BigInt(highWatermark),
      logStart: BigInt(logStart),
    };
  };
  // A node that does not answer may have another address by now.
  const onFailure = async (): Promise<boolean> => {
    await tryRefresh(context);
    return false;
  };
  // Nor does every node know the newest topics at once; that one does not exist is for the metadata leader to say.
  const isKnown = (): boolean => (context.view.topics.get(topic)?.length ?? 0) > partition;
  const isRetriable = ({ code, retriable }: BalsaError): boolean =>
    retriable || ((code === 'UNKNOWN_TOPIC' || code === 'UNKNOWN_PARTITION') && isKnown());
  return withRetries(context, scope, attempt, { onFailure, isRetriable });
}

async function addressOf(context: ClientContext, node: number, scope: CallScope): Promise<string> {
  const known = context.view.addresses.get(node);
  if (known !== undefined) return known;
  const isCertain = await withinScope(context.ports.clock, scope, refreshMetadata(context));
  const found = context.view.addresses.get(node);
  if (found !== undefined) return found;
  if (isCertain) throw new BalsaError('INVALID_TARGET', { detail: `There is no node ${node} in the cluster.` });
  throw new BalsaError('LEADER_NOT_AVAILABLE', { detail: `The metadata leader cannot be asked for the address of node ${node}.` });
}
