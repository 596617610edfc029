/**
 * The account of probes: each that was due ends as exactly one sample, whatever became of it.
 * Pure; time comes in.
 */
import type { ProbeKind, ProbeSample } from '../record/probe-sample.ts';
import type { PartitionRef } from '../record/timeline.ts';

/** Its answer; to be called once. */
export type EndProbe = (nowNs: number, error?: string) => void;

export interface ProbeLedger {
  /** Undefined: too many have no answer yet, so it must not be sent; its sample says so. */
  readonly begin: (probe: ProbeKind, place: PartitionRef, dueNs: number) => EndProbe | undefined;
  /** Without an answer. */
  readonly open: () => number;
}

export interface LedgerOptions {
  readonly deadlineMs: number;
  readonly openMax: number;
  /** Others are counted, but no samples. */
  readonly kinds: ReadonlySet<ProbeKind>;
  readonly onSample: (sample: ProbeSample) => void;
}

type Answer = Pick<ProbeSample, 'doneNs' | 'error'>;

const nsPerMs = 1e6;
const timeout: Answer = { error: 'TIMEOUT' };

export function createLedger({ deadlineMs, openMax, kinds, onSample }: LedgerOptions): ProbeLedger {
  let open = 0;
  return {
    open: () => open,
    begin: (probe, { topic, partition }, dueNs) => {
      const tell = (answer: Answer): void => {
        if (kinds.has(probe)) onSample({ probe, topic, partition, dueNs, ...answer });
      };
      if (open >= openMax) {
        tell({ error: 'NOT_SENT' });
        return undefined;
      }
      open += 1;
      return (nowNs, error) => {
        open -= 1;
        tell(answerOf(dueNs, nowNs, deadlineMs, error));
      };
    },
  };
}

/** What comes after the deadline, and "no answer in time" itself, is no answer. */
export function answerOf(dueNs: number, doneNs: number, deadlineMs: number, error?: string): Answer {
  if (error === 'TIMEOUT' || doneNs - dueNs > deadlineMs * nsPerMs) return timeout;
  return error === undefined ? { doneNs } : { doneNs, error };
}
