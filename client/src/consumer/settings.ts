/** Options of a consumer, their defaults and limits. */
import { type Duration, durationMs } from '../duration.ts';
import { BalsaError } from '../errors.ts';

/**
 * Where to start: at the first record kept, behind the last one, at an offset, or at the
 * first record at or after a time (Date, or Unix time in milliseconds). A map gives the
 * offset of each partition, earliest for those it lacks.
 */
export type StartPosition = 'earliest' | 'latest' | bigint | Date | number | ReadonlyMap<number, bigint>;

/** Where to stop (exclusive): at the end as it was when the consumer started, at an offset, or at a time. */
export type EndPosition = 'latest' | bigint | Date | number;

export interface ConsumerOptions {
  /** Default 'latest'. */
  readonly from?: StartPosition | undefined;
  /** Default: never stop, wait for new records. */
  readonly until?: EndPosition | undefined;
  /** Default: all partitions that the topic has at the start. */
  readonly partitions?: readonly number[] | undefined;
  /** Bytes read ahead, over all partitions (default 16 MiB). */
  readonly prefetchBytesMax?: number | undefined;
  /** Bytes of one answer (default 1 MiB); a larger batch still comes whole. */
  readonly fetchBytesMax?: number | undefined;
  /** How long a broker waits for records before it answers that there are none (default 1s). */
  readonly fetchWait?: Duration | undefined;
  /** Whether to check the checksum of every batch (default true). */
  readonly checkCrc?: boolean | undefined;
  /** What to do when the wanted offset was removed by retention or does not exist yet: fail (default), or go on elsewhere. */
  readonly onOutOfRange?: 'error' | 'earliest' | 'latest' | undefined;
  /** Ends the consumer; iteration then fails with ABORTED. */
  readonly signal?: AbortSignal | undefined;
}

export interface ConsumerSettings {
  readonly from: StartPosition;
  readonly until: EndPosition | undefined;
  readonly partitions: readonly number[] | undefined;
  readonly prefetchBytesMax: number;
  readonly fetchBytesMax: number;
  readonly fetchWaitMs: number;
  readonly checkCrc: boolean;
  readonly onOutOfRange: 'error' | 'earliest' | 'latest';
}

const bytesMin = 1_024;
const bytesLimit = 2 ** 30;
const fetchWaitMsMax = 60_000;

export function consumerSettings(options: ConsumerOptions): ConsumerSettings {
  const settings: ConsumerSettings = {
    from: options.from ?? 'latest',
    until: options.until,
    partitions: options.partitions === undefined ? undefined : [...new Set(options.partitions)],
    prefetchBytesMax: options.prefetchBytesMax ?? 16 * 1024 * 1024,
    fetchBytesMax: options.fetchBytesMax ?? 1024 * 1024,
    fetchWaitMs: durationMs(options.fetchWait ?? '1s', 'fetchWait'),
    checkCrc: options.checkCrc ?? true,
    onOutOfRange: options.onOutOfRange ?? 'error',
  };
  checkRange('prefetchBytesMax', settings.prefetchBytesMax, bytesMin, bytesLimit);
  checkRange('fetchBytesMax', settings.fetchBytesMax, bytesMin, bytesLimit);
  checkRange('fetchWait', settings.fetchWaitMs, 0, fetchWaitMsMax);
  return settings;
}

function checkRange(name: string, value: number, min: number, max: number): void {
  if (value >= min && value <= max) return;
  throw new BalsaError('INVALID_REQUEST', { detail: `${name} is ${value}; it must be from ${min} to ${max}.` });
}
