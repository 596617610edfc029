/** The consumer that callers hold: an async iterable of records. */
import { openScope } from '../cluster/call-scope.ts';
import { checkOpen, type ClientContext } from '../cluster/context.ts';
import { topicPartitions } from '../cluster/metadata.ts';
import type { Codec } from '../codecs.ts';
import { asBalsaError, BalsaError } from '../errors.ts';
import type { RawHeader } from '../records/batch-builder.ts';
import type { StoredRecord } from '../records/batch-reader.ts';
import { type ConsumerState, createReader } from './consumer-state.ts';
import { runReader } from './reader.ts';
import { type ConsumerOptions, consumerSettings } from './settings.ts';
import { currentRun, releaseWaits, takeRecord, takeRecords } from './take.ts';

export interface ConsumedRecord<Key, Value> {
  readonly partition: number;
  readonly offset: bigint;
  /** Unix time in milliseconds. */
  readonly timestamp: number;
  readonly key: Key | null;
  readonly value: Value | null;
  readonly headers: readonly RawHeader[];
}

/** Consecutive records of one partition. */
export interface ConsumedBatch<Key, Value> {
  readonly partition: number;
  readonly records: readonly ConsumedRecord<Key, Value>[];
  /** First offset that was not readable yet when the records were fetched (exclusive end). */
  readonly highWatermark: bigint;
}

export interface BatchesOptions {
  /** Most records per batch (default 500). */
  readonly max?: number | undefined;
}

/**
 * Each record is delivered once, in the order of its partition. Leaving a loop keeps the
 * place: another loop goes on with the next record. The consumer runs (and reads ahead)
 * until it is closed, so hold it with `await using`.
 */
export interface Consumer<Key, Value> extends AsyncIterable<ConsumedRecord<Key, Value>>, AsyncDisposable {
  /** The same records in groups, with less work per record. */
  readonly batches: (options?: BatchesOptions) => AsyncIterable<ConsumedBatch<Key, Value>>;
  /** Ends the consumer; loops over it end as at the end of the log. */
  readonly close: () => Promise<void>;
}

export interface ConsumerCodecs<KeyOut, ValueOut> {
  readonly key: Codec<never, KeyOut>;
  readonly value: Codec<never, ValueOut>;
}

const batchRecordsDefault = 500;

export function createConsumer<Key, Value>(
  context: ClientContext,
  topic: string,
  codecs: ConsumerCodecs<Key, Value>,
  options: ConsumerOptions,
): Consumer<Key, Value> {
  checkOpen(context);
  const state = createState(context, topic, options);
  const finished = start(state);
  const close = async () => {
    context.openHandles.delete(close);
    state.stop(new BalsaError('CLOSED', { detail: 'The consumer is closed.', topic }));
    await finished;
  };
  context.openHandles.add(close);
  return {
    [Symbol.asyncIterator]: () => iterateRecords(state, codecs),
    batches: ({ max } = {}) => iterateBatches(state, codecs, max ?? batchRecordsDefault),
    close,
    [Symbol.asyncDispose]: close,
  };
}

function createState(context: ClientContext, topic: string, options: ConsumerOptions): ConsumerState {
  const controller = new AbortController();
  const scope = openScope(context.ports.clock, { signal: controller.signal }, Number.POSITIVE_INFINITY);
  const { signal } = options;
  const abort = () => state.stop(new BalsaError('ABORTED', { cause: signal?.reason, topic }));
  const stop = (reason: BalsaError) => {
    if (state.ended !== undefined) return;
    state.ended = reason;
    signal?.removeEventListener('abort', abort);
    controller.abort(reason);
    releaseWaits(state);
  };
  const settings = consumerSettings(options);
  const state: ConsumerState = {
    context,
    topic,
    settings,
    scope,
    stop,
    readers: [],
    turn: 0,
    current: undefined,
    isStarted: false,
    ended: undefined,
    onReady: undefined,
  };
  if (signal?.aborted === true) abort();
  else signal?.addEventListener('abort', abort, { once: true });
  return state;
}

/** Starts a reader per partition. Resolves when all have ended; failures end the consumer and show in the iteration. */
async function start(state: ConsumerState): Promise<void> {
  try {
    const partitions = await choosePartitions(state);
    state.readers = partitions.map(createReader);
    state.isStarted = true;
    await Promise.all(state.readers.map((reader) => runReader(state, reader)));
  } catch (thrown) {
    state.stop(asBalsaError(thrown));
  } finally {
    state.isStarted = true;
    releaseWaits(state);
  }
}

async function choosePartitions(state: ConsumerState): Promise<readonly number[]> {
  const { context, topic, settings, scope } = state;
  const known = await topicPartitions(context, topic, scope);
  const wanted = settings.partitions ?? [...known.keys()];
  const missing = wanted.find((partition) => known[partition] === undefined);
  if (missing === undefined) return wanted;
  throw new BalsaError('UNKNOWN_PARTITION', { detail: `The topic has ${known.length} partitions.`, topic, partition: missing });
}

async function* iterateRecords<Key, Value>(
  state: ConsumerState,
  codecs: ConsumerCodecs<Key, Value>,
): AsyncGenerator<ConsumedRecord<Key, Value>, void, void> {
  for (let run = await currentRun(state); run !== undefined; run = await currentRun(state)) {
    for (let record = takeRecord(run); record !== undefined; record = takeRecord(run)) {
      yield present(state, codecs, run.reader.partition, record);
      if (state.ended !== undefined) break;
    }
  }
}

async function* iterateBatches<Key, Value>(
  state: ConsumerState,
  codecs: ConsumerCodecs<Key, Value>,
  max: number,
): AsyncGenerator<ConsumedBatch<Key, Value>, void, void> {
  if (!(Number.isSafeInteger(max) && max >= 1))
    throw new BalsaError('INVALID_REQUEST', { detail: `max is ${max}; it must be 1 or higher.` });
  for (let run = await currentRun(state); run !== undefined; run = await currentRun(state)) {
    const { partition, highWatermark } = run.reader;
    const records = takeRecords(run, max).map((record) => present(state, codecs, partition, record));
    yield { partition, records, highWatermark: BigInt(highWatermark) };
  }
}

function present<Key, Value>(
  state: ConsumerState,
  codecs: ConsumerCodecs<Key, Value>,
  partition: number,
  record: StoredRecord,
): ConsumedRecord<Key, Value> {
  const { offset, timestampMs, headers } = record;
  try {
    const key = record.key === null ? null : codecs.key.decode(record.key);
    const value = record.value === null ? null : codecs.value.decode(record.value);
    return { partition, offset: BigInt(offset), timestamp: timestampMs, key, value, headers };
  } catch (cause) {
    const reason = asBalsaError(cause);
    throw new BalsaError('INVALID_RECORD', { detail: `Offset ${offset}: ${reason.detail}`, cause, topic: state.topic, partition });
  }
}
