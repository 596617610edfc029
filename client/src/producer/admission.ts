/**
 * Takes records into batches, in the order in which they were given. What cannot be taken
 * in yet waits in one queue for all partitions, so that no record overtakes another.
 */
import { openScope } from '../cluster/call-scope.ts';
import { leaderOf, type PartitionView } from '../cluster/cluster-view.ts';
import { topicPartitions } from '../cluster/metadata.ts';
import { asBalsaError, BalsaError } from '../errors.ts';
import { headerBytes } from '../records/batch-header.ts';
import type { RawRecord } from '../records/batch-builder.ts';
import { addToBatch, openBatch } from './batch.ts';
import { dropFirst, fifoSize, peekFifo } from './fifo.ts';
import { nextSticky, partitionOfKey } from './partitioner.ts';
import type { Pipeline } from './pipeline.ts';
import { pipelineOf, type ProducerState, type Submission, waitingMax } from './producer-state.ts';
import { pump, sealOpen } from './sender.ts';
import { ensureSweep } from './sweep.ts';

/** Takes a record in or lets it wait; returns whether it does not wait. Its delivery hears of the outcome in any case. */
export function submit(state: ProducerState, submission: Submission): boolean {
  const refusal = refuse(state, submission);
  if (refusal !== undefined) {
    submission.delivery.reject(refusal);
    return true;
  }
  ensureSweep(state);
  if (fifoSize(state.waiting) === 0 && admit(state, submission)) return true;
  state.waiting.items.push(submission);
  lookUpTopic(state);
  return false;
}

function refuse(state: ProducerState, submission: Submission): BalsaError | undefined {
  const { topic, settings } = state;
  if (state.phase !== 'open') return new BalsaError('CLOSED', { detail: 'The producer is closed.', topic });
  if (submission.bytesMax + headerBytes > settings.batchBytesMax) {
    const detail = `The record needs up to ${submission.bytesMax + headerBytes} bytes; batchBytesMax of the producer is ${settings.batchBytesMax}.`;
    return new BalsaError('RECORD_TOO_LARGE', { detail, topic });
  }
  if (fifoSize(state.waiting) < waitingMax) return undefined;
  return new BalsaError('OVERLOADED', { detail: `${waitingMax} sends wait for room in the producer's buffer; await them.`, topic });
}

/** Takes in what waits, as far as there is room. */
export function drainWaiting(state: ProducerState): void {
  for (let next = peekFifo(state.waiting); next !== undefined; next = peekFifo(state.waiting)) {
    if (!next.isWithdrawn && !admit(state, next)) return;
    dropFirst(state.waiting);
    next.onAdmitted?.();
  }
}

function admit(state: ProducerState, submission: Submission): boolean {
  const { record } = submission;
  if (record === undefined) return true;
  const partitions = state.context.view.topics.get(state.topic);
  if (partitions === undefined || partitions.length === 0) return false;
  const isFull = state.bufferedBytes > 0 && state.bufferedBytes + submission.bytesMax > state.settings.bufferBytesMax;
  if (isFull) return false;
  const partition = submission.partition ?? choosePartition(state, record, partitions);
  if (partition >= partitions.length) {
    const place = { topic: state.topic, partition };
    submission.delivery.reject(new BalsaError('UNKNOWN_PARTITION', { detail: `The topic has ${partitions.length} partitions.`, ...place }));
    return true;
  }
  append(state, pipelineOf(state, partition), submission, record);
  return true;
}

function choosePartition(state: ProducerState, record: RawRecord, partitions: readonly PartitionView[]): number {
  if (record.key !== null) return partitionOfKey(record.key, partitions.length);
  if (state.sticky === undefined) {
    const withLeader = [...partitions.keys()].filter((partition) => leaderOf(state.context.view, state.topic, partition) !== undefined);
    state.sticky = nextSticky(withLeader, partitions.length, state.previousSticky, state.context.ports.random);
    state.previousSticky = state.sticky;
  }
  return state.sticky;
}

function append(state: ProducerState, pipeline: Pipeline, submission: Submission, record: RawRecord): void {
  const { bytesMax, delivery } = submission;
  if (pipeline.open !== undefined && pipeline.open.builder.length + bytesMax > state.settings.batchBytesMax) {
    sealOpen(state, pipeline);
    pump(state, pipeline);
  }
  if (pipeline.open === undefined) startBatch(state, pipeline, submission);
  if (pipeline.open !== undefined) addToBatch(pipeline.open, record, bytesMax, delivery);
  submission.isTaken = true;
  state.bufferedBytes += bytesMax;
}

function startBatch(state: ProducerState, pipeline: Pipeline, submission: Submission): void {
  const { clock } = state.context.ports;
  const initialBytes = Math.max(submission.bytesMax, Math.min(pipeline.lastBatchBytes, state.settings.batchBytesMax));
  const open = openBatch(initialBytes + headerBytes, state.freeBuffers.pop(), submission.deadlineMs);
  pipeline.open = open;
  if (state.settings.lingerMs === 0) {
    gather(state, pipeline);
    return;
  }
  pipeline.cancelLinger = clock.after(state.settings.lingerMs, () => {
    open.isDue = true;
    pipeline.cancelLinger = undefined;
    pump(state, pipeline);
  });
}

/** Makes the batches that were opened in this turn of the loop due in the next one. */
function gather(state: ProducerState, pipeline: Pipeline): void {
  if (state.gathering !== undefined) {
    state.gathering.push(pipeline);
    return;
  }
  const gathered = [pipeline];
  state.gathering = gathered;
  state.context.ports.clock.nextTurn(() => {
    state.gathering = undefined;
    for (const each of gathered) {
      if (each.open !== undefined) each.open.isDue = true;
      pump(state, each);
    }
  });
}

/** Makes everything that was taken in due now. */
export function expedite(state: ProducerState): void {
  for (const pipeline of state.pipelines.values()) {
    if (pipeline.open !== undefined) pipeline.open.isDue = true;
    pump(state, pipeline);
  }
}

function lookUpTopic(state: ProducerState): void {
  const { context, topic, settings } = state;
  if (state.isLookingUp || context.view.topics.has(topic)) return;
  state.isLookingUp = true;
  const scope = openScope(context.ports.clock, {}, settings.deliveryTimeoutMs);
  topicPartitions(context, topic, scope).then(
    () => {
      state.isLookingUp = false;
      drainWaiting(state);
    },
    (thrown: unknown) => {
      state.isLookingUp = false;
      const error = asBalsaError(thrown);
      refuseWaiting(state, new BalsaError(error.code, { detail: error.detail, cause: error, topic, effect: 'none' }));
    },
  );
}

/** Fails everything that still waits; none of it was ever sent. */
export function refuseWaiting(state: ProducerState, error: BalsaError): void {
  for (let next = peekFifo(state.waiting); next !== undefined; next = peekFifo(state.waiting)) {
    dropFirst(state.waiting);
    if (!next.isWithdrawn) next.delivery.reject(error);
    next.onAdmitted?.();
  }
}
