/**
 * Moves batches to the leaders. `pump` may be called at any time:
 * it sends what can be sent and leaves the rest to whoever clears the obstacle.
 */
import { Acks as WireAcks } from '@balsa/proto/client';
import { type Leader, leaderOf } from '../cluster/cluster-view.ts';
import { request } from '../cluster/exchange.ts';
import { refreshMetadata } from '../cluster/metadata.ts';
import { awaitAnswer } from '../cluster/silence.ts';
import { BalsaError } from '../errors.ts';
import { type SealedBatch, sealBatch } from './batch.ts';
import { acquireIdentity } from './identity.ts';
import { goBack, isDue, type Pipeline, takeNext } from './pipeline.ts';
import type { ProducerState } from './producer-state.ts';
import { holdBack, onReply, refuseAll } from './replies.ts';

const wireAcks = { quorum: WireAcks.ACKS_QUORUM, leader: WireAcks.ACKS_LEADER, none: WireAcks.ACKS_NONE } as const;

export function pump(state: ProducerState, pipeline: Pipeline): void {
  if (state.phase === 'closed' || pipeline.hold !== undefined || !isDue(pipeline)) return;
  if (state.settings.idempotent && pipeline.identity === undefined) {
    acquireIdentity(state, pipeline);
    return;
  }
  const leader = leaderOf(state.context.view, state.topic, pipeline.partition);
  if (leader === undefined) {
    seekLeader(state, pipeline);
    return;
  }
  followLeader(state, pipeline, leader);
  for (let batch = nextBatch(state, pipeline); batch !== undefined; batch = nextBatch(state, pipeline)) {
    transmit(state, pipeline, batch, leader);
  }
}

function followLeader(state: ProducerState, pipeline: Pipeline, leader: Leader): void {
  const hasMoved = pipeline.target !== undefined && pipeline.target.nodeId !== leader.nodeId;
  if (hasMoved && pipeline.cursor > 0 && state.settings.idempotent) goBack(pipeline);
  pipeline.target = leader;
}

function nextBatch(state: ProducerState, pipeline: Pipeline): SealedBatch | undefined {
  const { inflightMax } = state.settings;
  const hasRoom = pipeline.sent.length < inflightMax;
  if (hasRoom && pipeline.ready.length === 0 && pipeline.open?.isDue === true) sealOpen(state, pipeline);
  return takeNext(pipeline, inflightMax);
}

/** Ends the open batch; it will be sent after what is ready already. */
export function sealOpen(state: ProducerState, pipeline: Pipeline): void {
  const { open } = pipeline;
  if (open === undefined) return;
  pipeline.open = undefined;
  pipeline.cancelLinger?.();
  pipeline.cancelLinger = undefined;
  pipeline.lastBatchBytes = open.builder.length;
  pipeline.ready.push(sealBatch(open, state.settings.compression));
  if (state.sticky === pipeline.partition) state.sticky = undefined;
}

function transmit(state: ProducerState, pipeline: Pipeline, batch: SealedBatch, leader: Leader): void {
  const { context, settings, topic } = state;
  const { attempt, partition } = pipeline;
  const wasOldest = pipeline.sent[0] === batch;
  batch.sentAtMs = context.ports.clock.monotonicMs();
  const build = (correlation: number) => ({
    correlation,
    topic,
    partition,
    acks: wireAcks[settings.acks],
    timeoutMs: Math.ceil(context.requestTimeoutMs),
    batch: batch.bytes,
  });
  const ended = awaitAnswer(context.silence, leader.address);
  request(context.produceStreams, leader.address, build, (reply) => {
    ended(reply instanceof BalsaError ? 'given-up' : 'heard');
    onReply(state, pipeline, { batch, attempt, wasOldest, leader }, reply);
  });
}

function endPause(pipeline: Pipeline): void {
  pipeline.cancelPause?.();
  pipeline.cancelPause = undefined;
  pipeline.hold = undefined;
}

function seekLeader(state: ProducerState, pipeline: Pipeline): void {
  const { context, topic } = state;
  pipeline.failures++;
  holdBack(state, pipeline);
  refreshMetadata(context, topic).then(
    (isCertain) => {
      const isGone = context.view.topics.get(topic)?.[pipeline.partition] === undefined;
      if (isCertain && isGone) refuseAll(state, pipeline, new BalsaError('UNKNOWN_TOPIC', { topic, partition: pipeline.partition }));
    },
    () => undefined,
  );
}

/** Looks whether leaders moved away from those that were asked; their answers may never come. */
export function onViewChanged(state: ProducerState): void {
  state.onRoom();
  for (const pipeline of state.pipelines.values()) {
    const now = leaderOf(state.context.view, state.topic, pipeline.partition);
    const { target } = pipeline;
    const hasMoved = now !== undefined && (target === undefined || (now.nodeId !== target.nodeId && now.term > target.term));
    if (!hasMoved) continue;
    if (pipeline.hold === 'pause') endPause(pipeline);
    followLeader(state, pipeline, now);
    pump(state, pipeline);
  }
}
