/**
 * Consume probes: how long after its acknowledgement the record of a write probe reaches who
 * follows the log. Matches the two, whichever comes first. Pure; time comes in.
 *
 * Bound: it holds what the write probes that have no answer, and those not yet arrived, need.
 */
import type { ProbeSample } from '../record/probe-sample.ts';
import type { PartitionRef } from '../record/timeline.ts';
import { answerOf } from './probe-ledger.ts';

export interface Arrivals {
  readonly sent: (id: number) => void;
  readonly acknowledged: (id: number, nowNs: number) => void;
  /** It may be in the log all the same; nobody waits for it. */
  readonly failed: (id: number) => void;
  /** Any record of the partition; those of others are ignored. */
  readonly arrived: (id: number, nowNs: number) => void;
  /** What is late by now is told as missed. */
  readonly sweep: (nowNs: number) => void;
  /** Acknowledged and not arrived. */
  readonly awaited: () => number;
}

const nsPerMs = 1e6;

export function createArrivals({ topic, partition }: PartitionRef, deadlineMs: number, onSample: (sample: ProbeSample) => void): Arrivals {
  /** When its record arrived, by id; undefined: not yet. */
  const unanswered = new Map<number, number | undefined>();
  /** When it was acknowledged, by id; in order of time. */
  const awaited = new Map<number, number>();
  const tell = (dueNs: number, doneNs: number): void =>
    onSample({ probe: 'consume', topic, partition, dueNs, ...answerOf(dueNs, doneNs, deadlineMs) });
  return {
    sent: (id) => void unanswered.set(id, undefined),
    acknowledged: (id, nowNs) => {
      const arrivedNs = unanswered.get(id);
      unanswered.delete(id);
      if (arrivedNs === undefined) awaited.set(id, nowNs);
      else tell(nowNs, nowNs);
    },
    failed: (id) => void unanswered.delete(id),
    arrived: (id, nowNs) => {
      const dueNs = awaited.get(id);
      if (dueNs !== undefined) {
        awaited.delete(id);
        tell(dueNs, nowNs);
      } else if (unanswered.has(id)) unanswered.set(id, nowNs);
    },
    sweep: (nowNs) => {
      for (const [id, dueNs] of awaited) {
        if (nowNs - dueNs <= deadlineMs * nsPerMs) break;
        awaited.delete(id);
        tell(dueNs, nowNs);
      }
    },
    awaited: () => awaited.size,
  };
}
