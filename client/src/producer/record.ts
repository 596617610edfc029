/** What callers give to a producer. */
import type { Codec } from '../codecs.ts';

export type HeaderValue = string | Uint8Array | null;

/** A record to send. */
export interface ProducerRecord<Key, Value> {
  readonly key?: Key | null | undefined;
  /** Null deletes the key in topics that keep only the latest value. */
  readonly value: Value | null;
  readonly headers?: Readonly<Record<string, HeaderValue>> | undefined;
  /** Time of the event (default: now). */
  readonly timestamp?: Date | number | undefined;
  /** Chooses the partition instead of the key. */
  readonly partition?: number | undefined;
}

export interface TopicCodecs<KeyIn, ValueIn> {
  readonly key: Codec<KeyIn, unknown>;
  readonly value: Codec<ValueIn, unknown>;
}
