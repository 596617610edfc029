/** Tells the callers what became of their records and gives the buffer its room back. */
import { BalsaError, type Effect } from '../errors.ts';
import type { Delivery, Receipt, SealedBatch } from './batch.ts';
import { type Pipeline, removeSent, renew } from './pipeline.ts';
import { freeBuffersMax, type ProducerState } from './producer-state.ts';

interface Settled {
  readonly deliveries: readonly Delivery[];
  readonly accountedBytes: number;
  readonly onSettled: readonly (() => void)[];
}

/** `baseOffset` is that of the batch's first record; undefined if the broker did not tell. */
export function acknowledge(
  state: ProducerState,
  pipeline: Pipeline,
  batch: SealedBatch,
  baseOffset: number | undefined,
  receipt: Receipt | undefined,
): void {
  removeSent(pipeline, batch);
  pipeline.failures = 0;
  const { partition } = pipeline;
  batch.deliveries.forEach((delivery, index) => {
    delivery.resolve({ partition, offset: baseOffset === undefined ? undefined : BigInt(baseOffset + index), receipt });
  });
  release(state, batch);
  // Nobody holds the bytes any more: transports serialize before `send` returns.
  if (state.freeBuffers.length < freeBuffersMax) state.freeBuffers.push(batch.buffer);
}

export function rejectBatch(state: ProducerState, batch: Settled, error: BalsaError): void {
  for (const delivery of batch.deliveries) delivery.reject(error);
  release(state, batch);
}

function release(state: ProducerState, batch: Settled): void {
  state.bufferedBytes -= batch.accountedBytes;
  for (const notify of batch.onSettled) notify();
}

/**
 * Gives up the oldest sent batch for good. If it was surely never written, nothing behind
 * it was either (the gap kept it out), and the rest is sent again under the next epoch.
 * If it may have been written, so may the rest: all of it fails with an unknown effect.
 */
export function giveUpOldest(state: ProducerState, pipeline: Pipeline, error: BalsaError): void {
  const [oldest, ...rest] = pipeline.sent;
  if (oldest === undefined) return;
  const isCertain = oldest.uncertain === 0;
  removeSent(pipeline, oldest);
  rejectBatch(state, oldest, withEffect(state, pipeline, error, isCertain ? 'none' : 'unknown'));
  if (!isCertain && state.settings.idempotent) {
    for (const batch of rest) {
      removeSent(pipeline, batch);
      rejectBatch(state, batch, behind(state, pipeline, error));
    }
  }
  if (state.settings.idempotent) renew(pipeline);
}

/** The same error, saying what is known of this batch. */
export function withEffect(state: ProducerState, pipeline: Pipeline, error: BalsaError, effect: Effect): BalsaError {
  const place = { topic: state.topic, partition: pipeline.partition, leader: error.leader };
  if (error.effect === effect && error.topic !== undefined) return error;
  const outcome = effect === 'none' ? 'The batch was not written.' : 'The batch may have been written.';
  return new BalsaError(error.code, { detail: `${error.detail} ${outcome}`, cause: error, effect, ...place });
}

function behind(state: ProducerState, pipeline: Pipeline, error: BalsaError): BalsaError {
  const detail = `An earlier batch failed after it may have been written (${error.code}), so this one may have been written as well.`;
  return new BalsaError('TIMEOUT', { detail, cause: error, effect: 'unknown', topic: state.topic, partition: pipeline.partition });
}
