/** A batch on its way: open (gathering records), then sealed (its records never change again). */
import type { BalsaError } from '../errors.ts';
import { appendRecord, type BatchBuilder, createBatchBuilder, finishBatch, type RawRecord } from '../records/batch-builder.ts';
import type { Compression } from '../records/compression.ts';

/** Evidence of an acknowledgement: the Raft entry that holds the batch, and how many replicas had it on disk. */
export interface Receipt {
  /**
   * Raft group of the entry. A topic that is deleted and created again gets new groups, so this
   * tells whose acknowledgement it is: brokers learn of a deletion one after another.
   */
  readonly groupId: number;
  readonly term: number;
  readonly index: number;
  readonly durableCopies: number;
}

export interface SendResult {
  readonly partition: number;
  /**
   * Position of the record. Undefined for acks below 'quorum', which come before offsets
   * are assigned, and for a duplicate whose offset the broker no longer remembers.
   */
  readonly offset: bigint | undefined;
  readonly receipt: Receipt | undefined;
}

/** Who waits for one record. */
export interface Delivery {
  readonly resolve: (result: SendResult) => void;
  readonly reject: (error: BalsaError) => void;
}

export interface OpenBatch {
  readonly builder: BatchBuilder;
  readonly deliveries: Delivery[];
  readonly deadlineMs: number;
  /** Bytes that its records count in the producer's buffer. */
  accountedBytes: number;
  /** Whether it has waited long enough (linger, flush) to be sent when there is room. */
  isDue: boolean;
  readonly onSettled: (() => void)[];
}

export interface SealedBatch {
  readonly bytes: Uint8Array;
  /** The builder's buffer, which later batches may use once this one is settled. */
  readonly buffer: Buffer;
  readonly recordCount: number;
  readonly deliveries: readonly Delivery[];
  /** Monotonic time at which it fails if it is not acknowledged. */
  readonly deadlineMs: number;
  readonly accountedBytes: number;
  readonly onSettled: (() => void)[];
  /** Attempt (of its pipeline) in which it got its sequence; replies to earlier ones mean nothing. */
  stampedInAttempt: number;
  /** Times it was sent without a definite answer yet: while above 0, it may have been written. */
  uncertain: number;
  /** Attempt in which it was last sent, and when; meaningful once it was sent. */
  sentInAttempt: number;
  sentAtMs: number;
  /** Set when a broker refused it for good while earlier batches were still undecided. */
  verdict: BalsaError | undefined;
  /** Last reason why it was not acknowledged. */
  lastError: BalsaError | undefined;
}

export function openBatch(initialBytes: number, reused: Buffer | undefined, deadlineMs: number): OpenBatch {
  return { builder: createBatchBuilder(initialBytes, reused), deliveries: [], deadlineMs, accountedBytes: 0, isDue: false, onSettled: [] };
}

export function addToBatch(batch: OpenBatch, record: RawRecord, bytesMax: number, delivery: Delivery): void {
  appendRecord(batch.builder, record, bytesMax);
  batch.deliveries.push(delivery);
  batch.accountedBytes += bytesMax;
}

export function sealBatch(batch: OpenBatch, compression: Compression): SealedBatch {
  return {
    bytes: finishBatch(batch.builder, compression),
    buffer: batch.builder.buffer,
    recordCount: batch.builder.recordCount,
    deliveries: batch.deliveries,
    deadlineMs: batch.deadlineMs,
    accountedBytes: batch.accountedBytes,
    onSettled: batch.onSettled,
    stampedInAttempt: 0,
    uncertain: 0,
    sentInAttempt: 0,
    sentAtMs: 0,
    verdict: undefined,
    lastError: undefined,
  };
}
