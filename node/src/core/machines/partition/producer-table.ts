/**
 * The idempotent producers of a partition, from the one that appended longest ago to the
 * newest (the order of `lastIndex`). The order is replicated state: it decides who is
 * forgotten first, and it makes eviction cost nothing.
 *
 * A producer whose time is over is unknown at once, but leaves the table only with the
 * next accepted batch of any producer: refused commands change nothing.
 */
import type { PartitionLimits } from './limits.ts';
import type { Producer } from './producer.ts';

export type ProducerTable = Map<number, Producer>;

export function findProducer(table: ProducerTable, producerId: number, stampMs: number, limits: PartitionLimits): Producer | undefined {
  const producer = table.get(producerId);
  return producer === undefined || isExpired(producer, stampMs, limits) ? undefined : producer;
}

/** Makes `producer` the newest of the table. */
export function rememberProducer(table: ProducerTable, producerId: number, producer: Producer): void {
  table.delete(producerId);
  table.set(producerId, producer);
}

/** Drops, oldest first, who is expired at `stampMs` or beyond the limit. */
export function forgetProducers(table: ProducerTable, stampMs: number, limits: PartitionLimits): void {
  for (const [producerId, producer] of table) {
    if (table.size <= limits.producersMax && !isExpired(producer, stampMs, limits)) return;
    table.delete(producerId);
  }
}

function isExpired(producer: Producer, stampMs: number, limits: PartitionLimits): boolean {
  return stampMs - producer.lastStampMs > limits.producerExpiryMs;
}
