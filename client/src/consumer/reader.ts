/**
 * Keeps the buffer of one partition filled: one fetch at a time (the next offset is known
 * only when the last answer is there), long polls, following the leader. Runs until the end
 * offset, a failure that no retry can change, or the end of the consumer.
 */
import type { FetchResponse } from '@balsa/proto/client';
import { backoffMs } from '../cluster/backoff.ts';
import { aborted, pause } from '../cluster/call-scope.ts';
import type { Leader } from '../cluster/cluster-view.ts';
import { request, resetSilentExchange } from '../cluster/exchange.ts';
import { atLeader } from '../cluster/leader-call.ts';
import { accepted } from '../cluster/broker-call.ts';
import { awaitAnswer, type WaitEnd } from '../cluster/silence.ts';
import { asBalsaError, BalsaError } from '../errors.ts';
import { acceptAnswer } from './accept.ts';
import { type ConsumerState, type PartitionReader, signalReady } from './consumer-state.ts';
import { earliestOffset, endOffset, latestOffset, startOffset } from './positions.ts';

/** A broker answers a fetch after its wait; this much later the answer is taken for lost. */
const answerGraceMs = 2_000;

export async function runReader(state: ConsumerState, reader: PartitionReader): Promise<void> {
  const { context, settings, scope, topic } = state;
  const place = { topic, partition: reader.partition };
  reader.nextOffset = await startOffset(context, place, settings.from, scope);
  if (settings.until !== undefined) reader.endOffset = await endOffset(context, place, settings.until, scope);
  let refusals = 0;
  while (state.ended === undefined && !isAtEnd(reader)) {
    await roomFor(state, reader);
    if (state.ended !== undefined) return;
    const answer = await fetchOrRefusal(state, reader);
    if (answer instanceof BalsaError) {
      refusals++;
      await recoverPosition(state, reader, answer, refusals);
      continue;
    }
    refusals = 0;
    acceptAnswer(topic, reader, answer, settings.checkCrc);
    if (answer.batches.length > 0) signalReady(state);
  }
  reader.isDone = true;
  signalReady(state);
}

function isAtEnd(reader: PartitionReader): boolean {
  return reader.endOffset !== undefined && reader.nextOffset >= reader.endOffset;
}

/** Bytes of the buffer that one partition may use: the whole is shared evenly. */
function shareBytes(state: ConsumerState): number {
  return Math.floor(state.settings.prefetchBytesMax / Math.max(1, state.readers.length));
}

function fetchBytes(state: ConsumerState): number {
  return Math.max(1, Math.min(state.settings.fetchBytesMax, Math.floor(shareBytes(state) / 2)));
}

/** Waits until another answer fits in the partition's share; an empty buffer always has room. */
async function roomFor(state: ConsumerState, reader: PartitionReader): Promise<void> {
  while (state.ended === undefined && reader.bufferedBytes > 0 && reader.bufferedBytes + fetchBytes(state) > shareBytes(state)) {
    await new Promise<void>((resolve) => {
      reader.onRoom = resolve;
    });
  }
}

/** The answer, or that the offset is out of range; rejects with what cannot be retried. */
async function fetchOrRefusal(state: ConsumerState, reader: PartitionReader): Promise<FetchResponse | BalsaError> {
  const { context, scope, topic } = state;
  const place = { topic, partition: reader.partition };
  try {
    return await atLeader(context, topic, reader.partition, scope, async (leader) =>
      accepted(await fetchOnce(state, reader, leader), place),
    );
  } catch (thrown) {
    const error = asBalsaError(thrown);
    if (error.code !== 'OFFSET_OUT_OF_RANGE') throw error;
    return error;
  }
}

function fetchOnce(state: ConsumerState, reader: PartitionReader, leader: Leader): Promise<FetchResponse> {
  const { context, settings, topic, scope } = state;
  const { clock } = context.ports;
  const sentAtMs = clock.monotonicMs();
  return new Promise((resolve, reject) => {
    const ended = awaitAnswer(context.silence, leader.address, settings.fetchWaitMs);
    const finish = (end: WaitEnd) => {
      ended(end);
      cancelGuard();
      scope.signal?.removeEventListener('abort', abort);
    };
    const build = (correlation: number) => ({
      correlation,
      topic,
      partition: reader.partition,
      offset: reader.nextOffset,
      bytesMax: fetchBytes(state),
      waitMsMax: Math.ceil(settings.fetchWaitMs),
    });
    const dropInterest = request(context.fetchStreams, leader.address, build, (reply) => {
      finish(reply instanceof BalsaError ? 'given-up' : 'heard');
      if (reply instanceof BalsaError) reject(reply);
      else resolve(reply);
    });
    const cancelGuard = clock.after(settings.fetchWaitMs + answerGraceMs, () => {
      finish('given-up');
      dropInterest();
      reject(new BalsaError('TIMEOUT', { detail: `${leader.address} did not answer a fetch.` }));
      resetSilentExchange(context.fetchStreams, leader.address, sentAtMs);
    });
    const abort = () => {
      finish('given-up');
      dropInterest();
      if (scope.signal !== undefined) reject(aborted(scope.signal));
    };
    scope.signal?.addEventListener('abort', abort, { once: true });
  });
}

/**
 * The broker says that the offset is out of range. A new leader may not know yet how far
 * the log is committed, so the confirmed bounds decide whether it really is.
 */
async function recoverPosition(state: ConsumerState, reader: PartitionReader, error: BalsaError, refusals: number): Promise<void> {
  const { context, scope, settings, topic } = state;
  const place = { topic, partition: reader.partition };
  const earliest = await earliestOffset(context, place, scope);
  const latest = await latestOffset(context, place, scope);
  if (reader.nextOffset >= earliest && reader.nextOffset <= latest) {
    await pause(context.ports.clock, scope, backoffMs(refusals, context.ports.random));
    return;
  }
  if (settings.onOutOfRange === 'error') {
    const detail = `Offset ${reader.nextOffset} is out of range: the partition holds ${earliest} to ${latest} (exclusive).`;
    throw new BalsaError('OFFSET_OUT_OF_RANGE', { detail, cause: error, ...place });
  }
  reader.nextOffset = settings.onOutOfRange === 'earliest' ? earliest : latest;
}
