/**
 * Acts on the replies to batches. Obstacles (a pause, a missing identity) are marked on the
 * pipeline; whoever clears one wakes the sender through `state.wake`.
 */
import type { ProduceResponse } from '@balsa/proto/client';
import { backoffMs } from '../cluster/backoff.ts';
import type { Leader } from '../cluster/cluster-view.ts';
import type { Reply } from '../cluster/exchange.ts';
import { learnFromFailure, tryRefresh } from '../cluster/metadata.ts';
import { BalsaError, fromWire } from '../errors.ts';
import type { SealedBatch } from './batch.ts';
import { judgeFailure } from './judge.ts';
import { goBack, type Pipeline, renew } from './pipeline.ts';
import type { ProducerState } from './producer-state.ts';
import { acknowledge, giveUpOldest, rejectBatch } from './settle.ts';

/** Failures in a row after which even a hint to a new leader is followed with a pause. */
const hastyFailuresMax = 2;

/** A request that was sent: of which batch, when and to whom. */
export interface SentRequest {
  readonly batch: SealedBatch;
  readonly attempt: number;
  /** Whether everything before the batch was settled when it was sent. */
  readonly wasOldest: boolean;
  readonly leader: Leader;
}

export function onReply(state: ProducerState, pipeline: Pipeline, sent: SentRequest, reply: Reply<ProduceResponse>): void {
  const { batch, attempt } = sent;
  const place = { topic: state.topic, partition: pipeline.partition };
  const error = reply instanceof BalsaError ? reply : fromWire(reply.error, place);
  // A batch that was settled meanwhile, or that got another sequence since, is not concerned.
  if (!pipeline.sent.includes(batch) || attempt < batch.stampedInAttempt) return;
  if (error === undefined && !(reply instanceof BalsaError)) {
    const receipt = reply.receipt === undefined ? undefined : { ...reply.receipt };
    acknowledge(state, pipeline, batch, reply.baseOffset, receipt);
    onProgress(state, pipeline);
  } else if (error !== undefined) {
    if (error.effect === 'none') batch.uncertain--;
    batch.lastError = error;
    onFailure(state, pipeline, sent, error);
  }
}

function onFailure(state: ProducerState, pipeline: Pipeline, sent: SentRequest, error: BalsaError): void {
  const { batch, attempt, wasOldest, leader } = sent;
  const isListed = state.context.view.topics.get(state.topic)?.[pipeline.partition] !== undefined;
  switch (judgeFailure(pipeline, batch, error, { acks: state.settings.acks, attempt, wasOldest, isListed })) {
    case 'ignore':
      return;
    case 'forgotten-duplicate':
      acknowledge(state, pipeline, batch, undefined, undefined);
      onProgress(state, pipeline);
      return;
    case 'again':
      sendAgain(state, pipeline, leader, error);
      return;
    case 'renew':
      renew(pipeline);
      state.wake(pipeline);
      return;
    case 'refused':
      batch.verdict = error;
      onProgress(state, pipeline);
  }
}

/** After a batch was settled or refused: deals with a refused oldest batch, then goes on. */
export function onProgress(state: ProducerState, pipeline: Pipeline): void {
  for (let oldest = pipeline.sent[0]; oldest?.verdict !== undefined; oldest = pipeline.sent[0]) {
    giveUpOldest(state, pipeline, oldest.verdict);
  }
  state.onRoom();
  state.wake(pipeline);
}

/** Goes back to the oldest unsettled batch: at once if another leader is known, else after a pause. */
export function sendAgain(state: ProducerState, pipeline: Pipeline, leader: Leader, error: BalsaError): void {
  goBack(pipeline);
  pipeline.failures++;
  const { context, topic } = state;
  const isElsewhere = learnFromFailure(context, topic, pipeline.partition, leader, error);
  if (isElsewhere && pipeline.failures <= hastyFailuresMax) {
    state.wake(pipeline);
    return;
  }
  void tryRefresh(context);
  holdBack(state, pipeline);
}

/** Sends nothing for a while, the longer the more failures there were. */
export function holdBack(state: ProducerState, pipeline: Pipeline): void {
  const { clock, random } = state.context.ports;
  pipeline.cancelPause?.();
  pipeline.hold = 'pause';
  pipeline.cancelPause = clock.after(backoffMs(pipeline.failures, random), () => {
    pipeline.hold = undefined;
    pipeline.cancelPause = undefined;
    state.wake(pipeline);
  });
}

/** Fails everything of a partition that cannot be written any more. */
export function refuseAll(state: ProducerState, pipeline: Pipeline, error: BalsaError): void {
  while (pipeline.sent.length > 0) {
    giveUpOldest(state, pipeline, error);
    for (const batch of pipeline.ready.splice(0)) rejectBatch(state, batch, error);
  }
  for (const batch of pipeline.ready.splice(0)) rejectBatch(state, batch, error);
  const { open } = pipeline;
  pipeline.open = undefined;
  pipeline.cancelLinger?.();
  if (open !== undefined) rejectBatch(state, open, error);
  state.onRoom();
}

/** Ends the producer's work: what is unsettled fails, timers stop. */
export function abandonAll(state: ProducerState, error: BalsaError): void {
  state.phase = 'closed';
  state.cancelSweep?.();
  for (const pipeline of state.pipelines.values()) {
    pipeline.cancelPause?.();
    refuseAll(state, pipeline, error);
  }
}
