/** A topic as callers hold it: a name and its codecs. Making one needs no network. */
import { boundedMap } from './cluster/bounded-map.ts';
import { type CallOptions, openScope } from './cluster/call-scope.ts';
import type { ClientContext } from './cluster/context.ts';
import { topicPartitions } from './cluster/metadata.ts';
import { bytes, type Codec } from './codecs.ts';
import { type Consumer, createConsumer } from './consumer/consumer.ts';
import { earliestOffset, endOffset, latestOffset } from './consumer/positions.ts';
import type { ConsumerOptions } from './consumer/settings.ts';
import { createProducer, type Producer } from './producer/producer.ts';
import type { ProducerOptions } from './producer/settings.ts';

export interface PartitionOffsets {
  readonly partition: number;
  /** First offset still kept (inclusive). */
  readonly earliest: bigint;
  /** Offset that the next record gets: the exclusive end of what can be read. */
  readonly latest: bigint;
}

export interface PartitionOffset {
  readonly partition: number;
  readonly offset: bigint;
}

export interface Topic<KeyIn, ValueIn, KeyOut = KeyIn, ValueOut = ValueIn> {
  readonly name: string;
  readonly producer: (options?: ProducerOptions) => Producer<KeyIn, ValueIn>;
  readonly consumer: (options?: ConsumerOptions) => Consumer<KeyOut, ValueOut>;
  /** Bounds of every partition, or of those that are named, confirmed by a majority of the replicas of each. */
  readonly offsets: (
    options?: CallOptions & { readonly partitions?: readonly number[] | undefined },
  ) => Promise<readonly PartitionOffsets[]>;
  /** First offset at or after a time in every partition. */
  readonly offsetsAt: (time: Date | number, options?: CallOptions) => Promise<readonly PartitionOffset[]>;
}

export interface TopicOptions<KeyIn, ValueIn, KeyOut, ValueOut> {
  /** Default: bytes. */
  readonly key?: Codec<KeyIn, KeyOut> | undefined;
  /** Default: bytes. */
  readonly value?: Codec<ValueIn, ValueOut> | undefined;
}

const concurrencyMax = 32;

export function createTopic<KeyIn, ValueIn, KeyOut, ValueOut>(
  context: ClientContext,
  name: string,
  options: TopicOptions<KeyIn, ValueIn, KeyOut, ValueOut>,
): Topic<KeyIn, ValueIn, KeyOut, ValueOut> {
  // Without codecs the type parameters are those of `bytes` (see Balsa.topic).
  const key = options.key ?? (bytes as unknown as Codec<KeyIn, KeyOut>);
  const value = options.value ?? (bytes as unknown as Codec<ValueIn, ValueOut>);
  return {
    name,
    producer: (producerOptions = {}) => createProducer(context, name, { key, value }, producerOptions),
    consumer: (consumerOptions = {}) => createConsumer(context, name, { key, value }, consumerOptions),
    offsets: (callOptions = {}) => readOffsets(context, name, callOptions),
    offsetsAt: (time, callOptions = {}) => readOffsetsAt(context, name, time, callOptions),
  };
}

async function readOffsets(
  context: ClientContext,
  topic: string,
  { partitions, ...options }: CallOptions & { readonly partitions?: readonly number[] | undefined },
): Promise<readonly PartitionOffsets[]> {
  const scope = openScope(context.ports.clock, options, context.requestTimeoutMs);
  const asked = partitions ?? [...(await topicPartitions(context, topic, scope)).keys()];
  return await boundedMap(asked, concurrencyMax, async (partition) => {
    const place = { topic, partition };
    const [earliest, latest] = await Promise.all([earliestOffset(context, place, scope), latestOffset(context, place, scope)]);
    return { partition, earliest: BigInt(earliest), latest: BigInt(latest) };
  });
}

async function readOffsetsAt(
  context: ClientContext,
  topic: string,
  time: Date | number,
  options: CallOptions,
): Promise<readonly PartitionOffset[]> {
  const scope = openScope(context.ports.clock, options, context.requestTimeoutMs);
  const partitions = await topicPartitions(context, topic, scope);
  return await boundedMap([...partitions.keys()], concurrencyMax, async (partition) => {
    return { partition, offset: BigInt(await endOffset(context, { topic, partition }, time, scope)) };
  });
}
