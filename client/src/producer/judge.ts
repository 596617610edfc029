/**
 * What a reply means for its batch and its pipeline. Pure.
 *
 * | reply                                   | sent as the oldest   | meaning                          |
 * | --------------------------------------- | -------------------- | -------------------------------- |
 * | acknowledged                            | any                  | done                             |
 * | any failure of an earlier attempt       | any                  | ignore: it is under way again    |
 * | retriable                               | any                  | again: go back                   |
 * | unknown topic or partition, still listed| any                  | again: the broker lags behind    |
 * | DUPLICATE_SEQUENCE                      | any                  | done, offset unknown             |
 * | OUT_OF_ORDER_SEQUENCE, UNKNOWN_PRODUCER | no                   | again: an older batch is missing |
 * | OUT_OF_ORDER_SEQUENCE, UNKNOWN_PRODUCER | yes, acks < quorum   | renew: the cluster lost acked batches, as those acks allow |
 * | UNKNOWN_PRODUCER, surely not written    | yes                  | renew: it was idle too long      |
 * | other refusals                          | any                  | refused                          |
 *
 * A batch is *sent as the oldest* if everything before it was settled when the request left.
 * Only then does a gap in its sequence mean that the partition lost something: otherwise the
 * older batch may have arrived behind it, on another way, and been acknowledged since.
 */
import type { BalsaError } from '../errors.ts';
import type { SealedBatch } from './batch.ts';
import type { Pipeline } from './pipeline.ts';
import type { Acks } from './settings.ts';

export type Judgement = 'ignore' | 'again' | 'forgotten-duplicate' | 'renew' | 'refused';

export interface JudgeFacts {
  readonly acks: Acks;
  /** Attempt in which the request was sent. */
  readonly attempt: number;
  readonly wasOldest: boolean;
  /** Whether the metadata lists the partition. */
  readonly isListed: boolean;
}

/** `batch` is unsettled and `error` an answer to it (or the loss of it). */
export function judgeFailure(pipeline: Pipeline, batch: SealedBatch, error: BalsaError, facts: JudgeFacts): Judgement {
  if (error.code === 'DUPLICATE_SEQUENCE') return 'forgotten-duplicate';
  if (facts.attempt !== pipeline.attempt || batch.verdict !== undefined) return 'ignore';
  if (error.retriable) return 'again';
  switch (error.code) {
    case 'UNKNOWN_TOPIC':
    case 'UNKNOWN_PARTITION':
      return facts.isListed ? 'again' : 'refused';
    case 'OUT_OF_ORDER_SEQUENCE':
      if (!facts.wasOldest) return 'again';
      return facts.acks === 'quorum' ? 'refused' : 'renew';
    case 'UNKNOWN_PRODUCER':
      if (!facts.wasOldest) return 'again';
      return facts.acks !== 'quorum' || batch.uncertain === 0 ? 'renew' : 'refused';
    default:
      return 'refused';
  }
}
