/** What an answer of the client library means for the history. Pure. */
import { BalsaError, type ConsumedBatch, type SendResult } from '@balsa/client';
import type { ReadRecord, SendFacts } from '../history/event.ts';
import { fingerprint, valueId } from './values.ts';

export type ByteBatch = ConsumedBatch<Uint8Array, Uint8Array>;

export interface Failure {
  readonly type: 'fail' | 'info';
  /** Code of docs/errors.md. */
  readonly error: string;
}

export type SendEnding =
  | (Failure & SendFacts)
  | (SendFacts & { readonly type: 'ok'; readonly offsets: readonly (number | null)[]; readonly incarnation?: string });

/** Without idempotence every repetition may leave a copy; how often the library repeats is its own affair. */
const attemptsMax = 1000;
export const attemptsOf = (idempotent: boolean): number => (idempotent ? 1 : attemptsMax);

/** Throws what is no error of the client library, and what the library itself took for a bug: both are findings. */
export function balsaErrorOf(error: unknown): BalsaError {
  if (!(error instanceof BalsaError)) throw error;
  const { code, cause } = error;
  if (code === 'INTERNAL' && isMistake(cause)) throw cause;
  return error;
}

/** Errors that only a mistake in a program makes. */
const isMistake = (cause: unknown): boolean => cause instanceof TypeError || cause instanceof RangeError || cause instanceof ReferenceError;

/** How a failed call is written down: `fail` only if it certainly had no effect. */
export function failure(error: unknown): Failure {
  const { effect, code } = balsaErrorOf(error);
  return { type: effect === 'none' ? 'fail' : 'info', error: code };
}

/** How a failed read is written down: it had no effect in any case. */
export const readFailure = (error: unknown): Failure & { readonly type: 'fail' } => ({ type: 'fail', error: balsaErrorOf(error).code });

/** How the send of several records is written down: what is known of all of them together. */
export function sendEnding(idempotent: boolean, results: readonly PromiseSettledResult<SendResult>[]): SendEnding {
  const done = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const errors = results.flatMap((result) => (result.status === 'rejected' ? [balsaErrorOf(result.reason)] : []));
  const attempts = attemptsOf(idempotent);
  const [first] = errors;
  if (first === undefined) {
    const offsets = done.map(({ offset }) => (offset === undefined ? null : Number(offset)));
    const incarnation = incarnationTold(done);
    const facts = { offsets, batches: batchesOf(done), attempts };
    return { type: 'ok', ...facts, ...(incarnation === undefined ? {} : { incarnation }) };
  }
  const isDefinite = done.length === 0 && errors.every(({ effect }) => effect === 'none');
  return { type: isDefinite ? 'fail' : 'info', error: first.code, attempts };
}

/** A life of a topic is called by the group of its partition 0; what other partitions answer does not tell it. */
function incarnationTold(results: readonly SendResult[]): string | undefined {
  const groups = new Set(results.map(({ partition, receipt }) => (partition === 0 ? receipt?.groupId : undefined)));
  const [only, ...others] = groups;
  return only === undefined || others.length > 0 ? undefined : String(only);
}

/** Records of one batch have one receipt. */
function batchesOf(results: readonly SendResult[]): number[] {
  const sizes: number[] = [];
  let last: number | undefined;
  for (const { receipt } of results) {
    if (receipt !== undefined && receipt.index === last) sizes.push((sizes.pop() ?? 0) + 1);
    else sizes.push(1);
    last = receipt?.index;
  }
  return sizes;
}

export function readRecord({ offset, key, value, timestamp }: ByteBatch['records'][number]): ReadRecord {
  if (value === null) throw new Error('a record without its value');
  return { offset: Number(offset), id: valueId(value), fingerprint: fingerprint(key, value, timestamp) };
}
