/**
 * Reads what this broker's replica has applied, whoever leads. Nobody confirms anything, so the
 * answer may be old; it is never false, because only committed commands are applied. It is
 * for those who verify that replicas agree, and for people who look for a fault.
 *
 * A replica that came back from a checkpoint, or got a snapshot, may not have applied yet that
 * its oldest records were removed by retention, while they are gone from its log. Such an
 * offset is refused as one that is not kept any more: it is not, nowhere.
 */
import { brokerError } from './broker-error.ts';
import type { BrokerState } from './broker-state.ts';
import { type Fetched, readAvailable } from './fetch.ts';
import type { ServedPartition } from './leadership.ts';
import { findPartition, isReplica, partitionName } from './metadata-replica.ts';

export interface ReplicaReadInput {
  readonly topic: string;
  readonly partition: number;
  /** First offset wanted (inclusive). */
  readonly offset: number;
  readonly bytesMax: number;
}

/** Single answers count towards no stream, so they are small. */
const answerBytesMax = 1024 * 1024;

/**
 * Rejects with BrokerError: UNKNOWN_GROUP if there is no replica here, NOT_READY if it is damaged or
 * not open yet, OFFSET_OUT_OF_RANGE outside of what it holds.
 */
export async function readReplica(broker: BrokerState, { topic, partition, offset, bytesMax }: ReplicaReadInput): Promise<Fetched> {
  const served = ownReplica(broker, topic, partition);
  const read = await readAvailable(broker, served, { offset, bytesMax: Math.min(bytesMax, answerBytesMax) });
  const first = read.batches[0]?.baseOffset ?? read.highWatermark;
  if (first <= offset) return read;
  read.release();
  throw brokerError('OFFSET_OUT_OF_RANGE', `Offset ${offset} of ${served.subject} is not kept any more.`);
}

function ownReplica(broker: BrokerState, topic: string, number: number): ServedPartition {
  const found = findPartition(broker.metadata, topic, number);
  const group = found.partition.groupId;
  const subject = partitionName(found);
  const replica = broker.replicas.get(group);
  if (broker.stopping) throw brokerError('SHUTTING_DOWN', 'This broker is stopping.');
  if (replica === undefined) {
    if (isReplica(found, broker.facts.nodeId)) throw brokerError('NOT_READY', `The replica of ${subject} is being opened here.`);
    const { replicas } = found.partition;
    throw brokerError('UNKNOWN_GROUP', `This broker holds no replica of ${subject}; nodes ${replicas.join(', ')} do.`);
  }
  if (broker.host.status(group)?.faulty === true) {
    throw brokerError('NOT_READY', `The replica of ${subject} here is damaged and is being repaired from its peers.`);
  }
  return { ...found, group, replica, subject };
}
