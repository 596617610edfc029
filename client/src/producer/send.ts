/** One record on its way: from the caller's call to the delivery that settles it. */
import type { CallOptions } from '../cluster/call-scope.ts';
import { durationMs } from '../duration.ts';
import { BalsaError } from '../errors.ts';
import { type RawHeader, type RawRecord, recordBytesMax } from '../records/batch-builder.ts';
import { submit } from './admission.ts';
import type { Delivery, SendResult } from './batch.ts';
import type { ProducerState, Submission } from './producer-state.ts';
import type { HeaderValue, ProducerRecord, TopicCodecs } from './record.ts';

const noHeaders: readonly RawHeader[] = [];

/** Encodes and checks a record; throws INVALID_RECORD or INVALID_REQUEST. */
export function toSubmission<Key, Value>(
  state: ProducerState,
  codecs: TopicCodecs<Key, Value>,
  record: ProducerRecord<Key, Value>,
): Omit<Submission, 'delivery'> {
  const { clock } = state.context.ports;
  const raw: RawRecord = {
    key: record.key === undefined || record.key === null ? null : codecs.key.encode(record.key),
    value: record.value === null ? null : codecs.value.encode(record.value),
    headers: record.headers === undefined ? noHeaders : Object.entries(record.headers).map(toHeader),
    timestampMs: record.timestamp === undefined ? clock.wallMs() : checkTimestamp(Number(record.timestamp)),
  };
  const { partition } = record;
  if (partition !== undefined && !(Number.isSafeInteger(partition) && partition >= 0)) {
    throw new BalsaError('INVALID_REQUEST', { detail: `partition is ${partition}; it must be 0 or higher.`, topic: state.topic });
  }
  const deadlineMs = clock.monotonicMs() + state.settings.deliveryTimeoutMs;
  return { record: raw, bytesMax: recordBytesMax(raw), partition, deadlineMs, onAdmitted: undefined, isTaken: false, isWithdrawn: false };
}

function toHeader([key, value]: [string, HeaderValue]): RawHeader {
  return { key, value: typeof value === 'string' ? Buffer.from(value) : value };
}

function checkTimestamp(timestampMs: number): number {
  if (Number.isSafeInteger(timestampMs) && timestampMs >= 0) return timestampMs;
  throw new BalsaError('INVALID_REQUEST', { detail: `timestamp is ${timestampMs}; it must be Unix time in whole milliseconds.` });
}

export function send<Key, Value>(
  state: ProducerState,
  codecs: TopicCodecs<Key, Value>,
  record: ProducerRecord<Key, Value>,
  options?: CallOptions,
): Promise<SendResult> {
  return new Promise((resolve, reject) => {
    const draft = toSubmission(state, codecs, record);
    if (options?.signal?.aborted === true) throw abandoned(state, 'ABORTED', false, options.signal.reason);
    const submission: Submission = { ...draft, delivery: { resolve, reject } };
    submit(state, options === undefined ? submission : boundSubmission(state, options, submission));
  });
}

/** The submission with a delivery that ends early when the caller aborts or its time-out passes. A record in a batch is written all the same. */
function boundSubmission(state: ProducerState, options: CallOptions, unbound: Submission): Submission {
  const { signal, timeout } = options;
  const { delivery } = unbound;
  const giveUp = (code: 'ABORTED' | 'TIMEOUT') => {
    finish();
    submission.isWithdrawn = true;
    delivery.reject(abandoned(state, code, submission.isTaken, signal?.reason));
  };
  const abort = () => giveUp('ABORTED');
  const cancel =
    timeout === undefined ? undefined : state.context.ports.clock.after(durationMs(timeout, 'timeout'), () => giveUp('TIMEOUT'));
  const finish = () => {
    cancel?.();
    signal?.removeEventListener('abort', abort);
  };
  const settling: Delivery = {
    resolve: (result) => {
      finish();
      delivery.resolve(result);
    },
    reject: (error) => {
      finish();
      delivery.reject(error);
    },
  };
  const submission: Submission = { ...unbound, delivery: settling };
  signal?.addEventListener('abort', abort, { once: true });
  return submission;
}

function abandoned(state: ProducerState, code: 'ABORTED' | 'TIMEOUT', isTaken: boolean, cause: unknown): BalsaError {
  return new BalsaError(code, { cause, effect: isTaken ? 'unknown' : 'none', topic: state.topic });
}
