/** Options of a producer, their defaults and limits. */
import { type Duration, durationMs } from '../duration.ts';
import { BalsaError } from '../errors.ts';
import { headerBytes } from '../records/batch-header.ts';
import type { Compression } from '../records/compression.ts';

/** How many copies must be durable before a send resolves: fsynced on a majority, by the leader alone, or not at all. */
export type Acks = 'quorum' | 'leader' | 'none';

export interface ProducerOptions {
  readonly acks?: Acks | undefined;
  /** How long a batch waits for more records when it could be sent (default 0: gather only what one turn of the loop brings). */
  readonly linger?: Duration | undefined;
  /** Largest batch, and so the largest record (default 1 MiB). */
  readonly batchBytesMax?: number | undefined;
  /** Batches per partition under way at once, 1 to 5 (default 5; 1 without idempotence, which alone keeps their order). */
  readonly inflightMax?: number | undefined;
  /** Bytes that may wait for acknowledgement; `send` waits when they are reached (default 32 MiB). */
  readonly bufferBytesMax?: number | undefined;
  /** Whether brokers remove duplicates that retries cause (default true). */
  readonly idempotent?: boolean | undefined;
  readonly compression?: Compression | undefined;
  /** Time from `send` to the acknowledgement, retries included (default 30s). */
  readonly deliveryTimeout?: Duration | undefined;
}

export interface ProducerSettings {
  readonly acks: Acks;
  readonly lingerMs: number;
  readonly batchBytesMax: number;
  readonly inflightMax: number;
  readonly bufferBytesMax: number;
  readonly idempotent: boolean;
  readonly compression: Compression;
  readonly deliveryTimeoutMs: number;
}

/** Brokers remember this many batches per producer; a longer pipeline could not be deduplicated. */
const inflightLimit = 5;
/** Brokers take no larger message. */
const batchBytesLimit = 32 * 1024 * 1024;

export function producerSettings(options: ProducerOptions): ProducerSettings {
  const idempotent = options.idempotent ?? true;
  const settings: ProducerSettings = {
    acks: options.acks ?? 'quorum',
    lingerMs: durationMs(options.linger ?? 0, 'linger'),
    batchBytesMax: options.batchBytesMax ?? 1024 * 1024,
    inflightMax: idempotent ? (options.inflightMax ?? inflightLimit) : 1,
    bufferBytesMax: options.bufferBytesMax ?? 32 * 1024 * 1024,
    idempotent,
    compression: options.compression ?? 'none',
    deliveryTimeoutMs: durationMs(options.deliveryTimeout ?? '30s', 'deliveryTimeout'),
  };
  checkRange('batchBytesMax', settings.batchBytesMax, headerBytes * 2, batchBytesLimit);
  checkRange('inflightMax', settings.inflightMax, 1, inflightLimit);
  checkRange('bufferBytesMax', settings.bufferBytesMax, settings.batchBytesMax, Number.MAX_SAFE_INTEGER);
  return settings;
}

function checkRange(name: string, value: number, min: number, max: number): void {
  if (Number.isSafeInteger(value) && value >= min && value <= max) return;
  throw new BalsaError('INVALID_REQUEST', { detail: `${name} is ${value}; it must be a whole number from ${min} to ${max}.` });
}
