/**
 * Reads what this broker's replica has applied, whoever leads. Nobody confirms anything, so the
 * answer may be old; it is never false, because only committed commands are applied. It is
 * for those who verify that replicas agree, and for people who look for a fault.
 */
import { brokerError } from './broker-error.ts';
import type { BrokerState } from './broker-state.ts';
import { type Fetched, readAvailable } from './fetch.ts';
import { findPartition, partitionName } from './metadata-replica.ts';

export interface ReplicaReadInput {
  readonly topic: string;
  readonly partition: number;
  /** First offset wanted (inclusive). */
  readonly offset: number;
  readonly bytesMax: number;
}

/** Single answers count towards no stream, so they are small. */
const answerBytesMax = 1024 * 1024;

/** Rejects with BrokerError: UNKNOWN_GROUP if there is no replica here, NOT_READY if it is damaged. */
export async function readReplica(broker: BrokerState, input: ReplicaReadInput): Promise<Fetched> {
  const found = findPartition(broker.metadata, input.topic, input.partition);
  const group = found.partition.groupId;
  const subject = partitionName(found);
  const replica = broker.replicas.get(group);
  if (broker.stopping) throw brokerError('SHUTTING_DOWN', 'This broker is stopping.');
  if (replica === undefined) {
    throw brokerError('UNKNOWN_GROUP', `This broker holds no replica of ${subject}; nodes ${found.partition.replicas.join(', ')} do.`);
  }
  if (broker.host.status(group)?.faulty === true) {
    throw brokerError('NOT_READY', `The replica of ${subject} here is damaged and is being repaired from its peers.`);
  }
  const { offset } = input;
  return readAvailable(broker, { ...found, group, replica, subject }, { offset, bytesMax: Math.min(input.bytesMax, answerBytesMax) });
}
