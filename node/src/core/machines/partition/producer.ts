/**
 * What a partition remembers of one idempotent producer, and what it makes of the
 * producer's next batch.
 *
 * Pure functions over immutable values: the machine decides with them when a batch is
 * applied, and a leader may decide with the same code, over a copy that includes what it
 * has in flight, before it appends anything.
 *
 * Invariants: sequences of an epoch start at 0 and have no gaps; `window` holds the
 * newest batches of the epoch, oldest first, at least one.
 */
import type { Offset, RaftIndex } from '../../ids.ts';
import type { BatchFacts } from '../../records/batch-header.ts';
import { sequenceMax } from '../../records/batch-header.ts';
import { producerWindowBatches } from './limits.ts';
import type { SequenceRefusal } from './outcome.ts';
import { sequenceAfter, sequenceDistance } from './sequence.ts';

export interface RememberedBatch {
  /** Both inclusive; last < first if the batch holds the wrap. */
  readonly firstSequence: number;
  readonly lastSequence: number;
  readonly baseOffset: Offset;
}

export interface Producer {
  readonly epoch: number;
  readonly window: readonly RememberedBatch[];
  /** Sequences taken in this epoch, wraps included: what lies further back was never accepted. */
  readonly sequencesTaken: number;
  /** Entry of the newest batch: orders producers by age, without ties. */
  readonly lastIndex: RaftIndex;
  /** Log time of the newest batch. */
  readonly lastStampMs: number;
}

export type Verdict =
  | { readonly kind: 'append' }
  | { readonly kind: 'duplicate'; readonly baseOffset: Offset }
  | { readonly kind: 'refuse'; readonly code: SequenceRefusal; readonly message: string };

const append: Verdict = { kind: 'append' };

/** `facts` must name a producer (id 0 or higher); `known` is undefined if the partition does not remember it. */
export function judgeBatch(known: Producer | undefined, facts: BatchFacts): Verdict {
  if (known === undefined) return facts.baseSequence === 0 ? append : refuseUnknown(facts);
  if (facts.producerEpoch < known.epoch) return refuseFenced(known, facts);
  if (facts.producerEpoch > known.epoch) return facts.baseSequence === 0 ? append : refuseNewEpoch(known, facts);
  if (facts.baseSequence === nextSequence(known)) return append;
  const original = findOriginal(known, facts);
  if (original !== undefined) return { kind: 'duplicate', baseOffset: original.baseOffset };
  return isForgotten(known, facts) ? refuseForgotten(known, facts) : refuseOutOfOrder(known, facts);
}

/** The producer after `facts` was appended at `baseOffset`. */
export function producerAfter(
  known: Producer | undefined,
  facts: BatchFacts,
  placed: { readonly baseOffset: Offset; readonly index: RaftIndex; readonly stampMs: number },
): Producer {
  const sameEpoch = known !== undefined && known.epoch === facts.producerEpoch;
  const earlier = sameEpoch ? known.window.slice(1 - producerWindowBatches) : [];
  return {
    epoch: facts.producerEpoch,
    window: [...earlier, { firstSequence: facts.baseSequence, lastSequence: lastSequenceOf(facts), baseOffset: placed.baseOffset }],
    sequencesTaken: (sameEpoch ? known.sequencesTaken : 0) + facts.recordCount,
    lastIndex: placed.index,
    lastStampMs: placed.stampMs,
  };
}

function lastSequenceOf(facts: BatchFacts): number {
  return sequenceAfter(facts.baseSequence, facts.recordCount - 1);
}

function nextSequence(known: Producer): number {
  const newest = known.window.at(-1);
  return newest === undefined ? 0 : sequenceAfter(newest.lastSequence, 1);
}

function findOriginal(known: Producer, facts: BatchFacts): RememberedBatch | undefined {
  const last = lastSequenceOf(facts);
  return known.window.find((batch) => batch.firstSequence === facts.baseSequence && batch.lastSequence === last);
}

/**
 * Whether the whole batch lies in what was taken before the window began. Sequences wrap,
 * so a batch more than half a turn behind is one that runs ahead.
 */
function isForgotten(known: Producer, facts: BatchFacts): boolean {
  const oldest = known.window[0];
  if (oldest === undefined) return false;
  const forgotten = known.sequencesTaken - sequenceDistance(oldest.firstSequence, nextSequence(known));
  const behind = sequenceDistance(facts.baseSequence, oldest.firstSequence);
  return behind <= Math.min(forgotten, sequenceMax >> 1) && facts.recordCount <= behind;
}

function refuseUnknown(facts: BatchFacts): Verdict {
  return refuse(
    'UNKNOWN_PRODUCER',
    `${describe(facts)} but this partition remembers nothing of the producer, so it cannot tell a duplicate: ` +
      'it was idle too long, or made way for newer producers. Start a new producer; read the partition to see whether the batch was written.',
  );
}

function refuseFenced(known: Producer, facts: BatchFacts): Verdict {
  return refuse('PRODUCER_FENCED', `${describe(facts)} but epoch ${known.epoch} is in use. Stop this producer; another one took over.`);
}

function refuseNewEpoch(known: Producer, facts: BatchFacts): Verdict {
  return refuse(
    'OUT_OF_ORDER_SEQUENCE',
    `${describe(facts)} but a new epoch (last was ${known.epoch}) starts at sequence 0. Send the missing batches first.`,
  );
}

function refuseForgotten(known: Producer, facts: BatchFacts): Verdict {
  return refuse(
    'DUPLICATE_SEQUENCE',
    `${describe(facts)} which was accepted long ago: only the last ${known.window.length} batches are remembered. ` +
      'Treat it as written; do not send it again.',
  );
}

function refuseOutOfOrder(known: Producer, facts: BatchFacts): Verdict {
  return refuse(
    'OUT_OF_ORDER_SEQUENCE',
    `${describe(facts)} but the next sequence is ${nextSequence(known)}: an earlier batch is missing, ` +
      'or a retry does not hold the same records. Send the missing batches first, and retry batches unchanged.',
  );
}

function refuse(code: SequenceRefusal, message: string): Verdict {
  return { kind: 'refuse', code, message };
}

function describe(facts: BatchFacts): string {
  const { producerId, producerEpoch, baseSequence, recordCount } = facts;
  return `Producer ${producerId} (epoch ${producerEpoch}) sent ${recordCount} record(s) from sequence ${baseSequence},`;
}
