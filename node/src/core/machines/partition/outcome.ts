/**
 * What a partition says of a command. Every code is one of the error table
 * (proto/src/error-codes.ts), and `message` says what happened, why and what to do next.
 */
import type { Offset, RaftIndex } from '../../ids.ts';

/** Refusals that follow from the producer's sequences. */
export type SequenceRefusal = 'OUT_OF_ORDER_SEQUENCE' | 'DUPLICATE_SEQUENCE' | 'PRODUCER_FENCED' | 'UNKNOWN_PRODUCER';

/** Codes of refused commands; INVALID_REQUEST is a command that cannot be decoded. */
export type PartitionRefusal = SequenceRefusal | 'INVALID_BATCH' | 'OFFSET_OUT_OF_RANGE' | 'INVALID_REQUEST';

/** What is looked up later: which entry holds an offset or a time. */
export interface IndexRow {
  readonly index: RaftIndex;
  readonly baseOffset: Offset;
  readonly recordCount: number;
  /** Unix milliseconds; -1 if the records have no time. */
  readonly maxTimestampMs: number;
  /** Size of the batch. */
  readonly sizeBytes: number;
}

export type PartitionOutcome =
  | {
      readonly kind: 'appended';
      readonly duplicate: false;
      readonly baseOffset: Offset;
      readonly recordCount: number;
      readonly row: IndexRow;
    }
  /** Accepted before, at this offset: nothing was appended. */
  | { readonly kind: 'appended'; readonly duplicate: true; readonly baseOffset: Offset; readonly recordCount: number }
  /** `logStart` as it is now (first offset still kept). */
  | { readonly kind: 'trimmed'; readonly logStart: Offset }
  | { readonly kind: 'refused'; readonly code: PartitionRefusal; readonly message: string };
