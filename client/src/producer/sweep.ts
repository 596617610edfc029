/**
 * The producer's slow timer, running while anything is unsettled: ends what is over its
 * deadline and gives up replies that do not come. (Who leads when the old leader is silent is
 * looked for much earlier, cluster/silence.ts.)
 */
import { resetSilentExchange } from '../cluster/exchange.ts';
import { BalsaError } from '../errors.ts';
import type { SealedBatch } from './batch.ts';
import { dropFirst, fifoSize, peekFifo } from './fifo.ts';
import { isIdle, type Pipeline } from './pipeline.ts';
import type { ProducerState } from './producer-state.ts';
import { onProgress, sendAgain } from './replies.ts';
import { giveUpOldest, rejectBatch } from './settle.ts';

const periodMs = 100;
/** A broker answers TIMEOUT itself at the request's time-out; this much later its reply is taken for lost. */
const replyGraceMs = 500;

export function ensureSweep(state: ProducerState): void {
  if (state.cancelSweep !== undefined || state.phase === 'closed') return;
  state.cancelSweep = state.context.ports.clock.after(periodMs, () => {
    state.cancelSweep = undefined;
    sweep(state);
  });
}

function sweep(state: ProducerState): void {
  const nowMs = state.context.ports.clock.monotonicMs();
  expireWaiting(state, nowMs);
  state.onRoom();
  for (const pipeline of state.pipelines.values()) sweepPipeline(state, pipeline, nowMs);
  const isBusy = fifoSize(state.waiting) > 0 || [...state.pipelines.values()].some((pipeline) => !isIdle(pipeline));
  if (isBusy) ensureSweep(state);
}

function sweepPipeline(state: ProducerState, pipeline: Pipeline, nowMs: number): void {
  if (expire(state, pipeline, nowMs)) onProgress(state, pipeline);
  const unanswered = pipeline.sent[0];
  if (unanswered === undefined || pipeline.cursor === 0 || pipeline.target === undefined) return;
  const silentMs = nowMs - unanswered.sentAtMs;
  if (silentMs >= state.context.requestTimeoutMs + replyGraceMs) {
    const { target } = pipeline;
    const error = new BalsaError('TIMEOUT', { detail: `${target.address} did not answer within ${silentMs.toFixed()} ms.` });
    sendAgain(state, pipeline, target, error);
    resetSilentExchange(state.context.produceStreams, target.address, unanswered.sentAtMs);
  }
}

/** Fails batches over their deadline; returns whether there were any. */
function expire(state: ProducerState, pipeline: Pipeline, nowMs: number): boolean {
  let isAny = false;
  for (let oldest = pipeline.sent[0]; oldest !== undefined && oldest.deadlineMs <= nowMs; oldest = pipeline.sent[0]) {
    giveUpOldest(state, pipeline, late(state, pipeline, oldest));
    isAny = true;
  }
  for (let oldest = pipeline.ready[0]; oldest !== undefined && oldest.deadlineMs <= nowMs; oldest = pipeline.ready[0]) {
    pipeline.ready.shift();
    rejectBatch(state, oldest, late(state, pipeline, oldest));
    isAny = true;
  }
  const { open } = pipeline;
  if (open !== undefined && open.deadlineMs <= nowMs) {
    pipeline.open = undefined;
    pipeline.cancelLinger?.();
    rejectBatch(state, open, late(state, pipeline, undefined));
    isAny = true;
  }
  return isAny;
}

function late(state: ProducerState, pipeline: Pipeline, batch: SealedBatch | undefined): BalsaError {
  const reason = batch?.lastError ?? (pipeline.identity === undefined ? state.identityError : undefined);
  const detail = `Not acknowledged within deliveryTimeout; last: ${reason?.message ?? 'no leader was reached.'}`;
  const effect = batch !== undefined && batch.uncertain > 0 ? 'unknown' : 'none';
  const place = { topic: state.topic, partition: pipeline.partition, leader: reason?.leader };
  return new BalsaError('TIMEOUT', { detail, cause: reason, effect, ...place });
}

function expireWaiting(state: ProducerState, nowMs: number): void {
  for (let next = peekFifo(state.waiting); next !== undefined; next = peekFifo(state.waiting)) {
    if (!next.isWithdrawn && next.deadlineMs > nowMs) return;
    dropFirst(state.waiting);
    const detail = 'There was no room in the buffer (bufferBytesMax) before the deadline.';
    next.delivery.reject(new BalsaError('TIMEOUT', { detail, effect: 'none', topic: state.topic }));
    next.onAdmitted?.();
  }
}
