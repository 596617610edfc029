/**
 * The batches of one partition, from the open one to those under way: plain state and
 * the rules that keep order and uniqueness. No I/O here.
 *
 *   open -> ready (sealed, never sent) -> sent (sent, not settled) -> settled
 *
 * Invariants
 *  - `sent` holds at most inflightMax batches, in sequence order, without a gap.
 *  - A batch gets its sequence when it is first sent, and keeps identity, sequence and
 *    records for as long as it may have been written: retries are byte-identical.
 *  - After a failure everything unsettled is sent again in order (go-back). Replies to
 *    earlier attempts can still settle a batch, but cannot fail one.
 *  - A batch leaves `sent` unacknowledged only together with its identity (`renew`), so
 *    no gap in the sequences ever remains. The next epoch fences the old one: what was
 *    given up cannot be written behind what came later.
 */
import type { Leader } from '../cluster/cluster-view.ts';
import { noProducer, noSequence, type ProducerIdentity, stampBatch } from '../records/batch-header.ts';
import type { OpenBatch, SealedBatch } from './batch.ts';

export interface Pipeline {
  readonly partition: number;
  /** Undefined until a producer id is known; stays so without idempotence. */
  identity: ProducerIdentity | undefined;
  nextSequence: number;
  open: OpenBatch | undefined;
  readonly ready: SealedBatch[];
  readonly sent: SealedBatch[];
  /** Index in `sent`: batches before it were sent in the current attempt, the others are to be sent again. */
  cursor: number;
  /** Counts the times that sending started anew. */
  attempt: number;
  /** Failures in a row, for the back-off. */
  failures: number;
  /** Leader that the current attempt sends to. */
  target: Leader | undefined;
  /** Why nothing can be sent now; whoever sets it clears it. */
  hold: 'identity' | 'pause' | undefined;
  /** Ends the timer of a pause or linger. */
  cancelPause: (() => void) | undefined;
  cancelLinger: (() => void) | undefined;
  /** Size of the last sealed batch: the next one starts with that much room. */
  lastBatchBytes: number;
}

const sequenceModulus = 2 ** 31;
const epochMax = 0x7fff;
const firstBatchBytes = 4 * 1024;

export function createPipeline(partition: number): Pipeline {
  return {
    partition,
    identity: undefined,
    nextSequence: 0,
    open: undefined,
    ready: [],
    sent: [],
    cursor: 0,
    attempt: 1,
    failures: 0,
    target: undefined,
    hold: undefined,
    cancelPause: undefined,
    cancelLinger: undefined,
    lastBatchBytes: firstBatchBytes,
  };
}

/** The next batch to send: an unsettled one of an earlier attempt first, else a ready one if there is room. */
export function takeNext(pipeline: Pipeline, inflightMax: number): SealedBatch | undefined {
  const { sent, ready } = pipeline;
  const next = sent[pipeline.cursor] ?? (sent.length < inflightMax ? admitReady(pipeline, ready) : undefined);
  // Behind a refused batch everything would be out of sequence: wait until it is the oldest and dealt with.
  if (next === undefined || sent.slice(0, pipeline.cursor + 1).some((batch) => batch.verdict !== undefined)) return undefined;
  pipeline.cursor++;
  next.sentInAttempt = pipeline.attempt;
  next.uncertain++;
  return next;
}

function admitReady(pipeline: Pipeline, ready: SealedBatch[]): SealedBatch | undefined {
  if (pipeline.sent.some((batch) => batch.verdict !== undefined)) return undefined;
  const batch = ready.shift();
  if (batch === undefined) return undefined;
  const { identity } = pipeline;
  stampBatch(batch.bytes, identity ?? noProducer, identity === undefined ? noSequence : pipeline.nextSequence);
  pipeline.nextSequence = (pipeline.nextSequence + batch.recordCount) % sequenceModulus;
  batch.stampedInAttempt = pipeline.attempt;
  pipeline.sent.push(batch);
  return batch;
}

/** Takes a batch out: it was acknowledged, or its fate is decided otherwise. */
export function removeSent(pipeline: Pipeline, batch: SealedBatch): void {
  const index = pipeline.sent.indexOf(batch);
  if (index < 0) return;
  pipeline.sent.splice(index, 1);
  if (index < pipeline.cursor) pipeline.cursor--;
}

/** Starts a new attempt: everything unsettled is to be sent again, in order. */
export function goBack(pipeline: Pipeline): void {
  pipeline.attempt++;
  pipeline.cursor = 0;
}

/**
 * Gives up the identity: the next epoch starts at sequence 0. What is still in `sent` gets
 * new sequences; callers have made sure that none of it can have been written.
 */
export function renew(pipeline: Pipeline): void {
  goBack(pipeline);
  const { identity } = pipeline;
  const hasNext = identity !== undefined && identity.producerEpoch < epochMax;
  pipeline.identity = hasNext ? { producerId: identity.producerId, producerEpoch: identity.producerEpoch + 1 } : undefined;
  pipeline.nextSequence = 0;
  for (const batch of pipeline.sent) batch.uncertain = 0;
  pipeline.ready.unshift(...pipeline.sent.splice(0));
}

export function isIdle(pipeline: Pipeline): boolean {
  return pipeline.open === undefined && pipeline.ready.length === 0 && pipeline.sent.length === 0;
}

export function isDue(pipeline: Pipeline): boolean {
  return pipeline.open?.isDue === true || pipeline.ready.length > 0 || pipeline.cursor < pipeline.sent.length;
}
