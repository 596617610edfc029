/** What the fake cluster's log holds, read with the client's own decoder. */
import { decodeBatch } from '../../../client/src/records/batch-reader.ts';
import { type FakeCluster, partitionOf } from './fake-broker.ts';

/** Values of a partition as text, in offset order. */
export function logValues(cluster: FakeCluster, topic: string, partition: number): string[] {
  const log = partitionOf(cluster, topic, partition)?.log ?? [];
  return log.flatMap(({ bytes }) => batchValues(bytes));
}

/** Values of one batch as text. */
export function batchValues(bytes: Uint8Array): string[] {
  return decodeBatch(bytes).records.map(({ value }) => Buffer.from(value ?? []).toString());
}
