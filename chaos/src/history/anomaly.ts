/**
 * Everything that the checker can find wrong, and the collector of what it found.
 *
 * Names are stable: reports, mutants and tests refer to them. Each anomaly names the
 * invariant that it breaks. Counts are exact; the findings that show the operations are the
 * first `findingsPerAnomalyMax` of each.
 */
export const anomalies = {
  'malformed-history': { invariant: 'R-1.1', meaning: 'the recorder broke a rule of histories, so no verdict on them would mean anything' },
  unanswered: { invariant: 'I-S18', meaning: 'an operation never completed' },
  'late-answer': { invariant: 'I-S18', meaning: 'an operation took longer than its deadline' },
  'inconsistent-offsets': { invariant: 'I-S5', meaning: 'an offset held more than one value' },
  duplicate: { invariant: 'I-S6', meaning: 'a value stands at more offsets than it may' },
  'changed-record': { invariant: 'I-S11', meaning: 'a record was read with other contents than it was sent or read before' },
  'phantom-read': { invariant: 'I-S3', meaning: 'a value was read that was not sent, not yet sent, or sent elsewhere' },
  'aborted-read': { invariant: 'I-S4', meaning: 'a value was read whose send had definitely failed (G1a)' },
  'resurrected-read': { invariant: 'I-S15', meaning: 'a topic shows a value of a deleted topic of the same name' },
  'lost-write': { invariant: 'I-S1', meaning: 'an acknowledged value is not in the final log' },
  'vanished-read': { invariant: 'I-S2', meaning: 'a value that was read is not in the final log' },
  'lost-on-node': { invariant: 'I-S1', meaning: 'a replica lacks offsets that it passed over' },
  unseen: { invariant: 'R-1.4', meaning: 'an acknowledged value was never read, and the drain did not get far enough to tell why' },
  'unseen-on-node': { invariant: 'R-1.4', meaning: 'a replica was not read from the log start to the end of the final log' },
  'offset-gap': { invariant: 'I-S9', meaning: 'the final log has offsets without a record' },
  'poll-skip': { invariant: 'I-S10', meaning: 'a poll began behind the offset that came next' },
  'nonmonotonic-poll': { invariant: 'I-S10', meaning: 'a poll began before the offset that came next' },
  'int-poll-skip': { invariant: 'I-S10', meaning: 'one answer left offsets out' },
  'int-nonmonotonic-poll': { invariant: 'I-S10', meaning: 'one answer repeated offsets or went back' },
  'nonmonotonic-send': { invariant: 'I-S7', meaning: 'two sends of a session stand in the wrong order' },
  'int-nonmonotonic-send': { invariant: 'I-S7', meaning: 'the records of one send stand in the wrong order' },
  'torn-batch': { invariant: 'I-S17', meaning: 'a batch is in the log in part, or with other records in between' },
  'realtime-order': { invariant: 'I-S8', meaning: 'a value sent after an acknowledgement stands before the acknowledged value' },
  'append-below-end': { invariant: 'I-S9', meaning: 'a value stands below an end that was known before it was sent' },
  'stale-end-offset': { invariant: 'I-S9', meaning: 'an end was told that is lower than what was known before the question' },
  'end-offset-ahead': { invariant: 'I-S9', meaning: 'an end was told that is higher than everything sent' },
  'read-above-watermark': { invariant: 'I-S12', meaning: 'a record was returned at or above the high watermark of the same answer' },
  'log-start-regression': { invariant: 'I-S9', meaning: 'a log start was told that is lower than one known before the question' },
  'log-start-beyond-end': { invariant: 'I-S9', meaning: 'a log start was told that is higher than the end' },
  'read-below-log-start': { invariant: 'I-S9', meaning: 'a record was read below a log start known before the question' },
  'unexpected-log-start': { invariant: 'I-S1', meaning: 'records were removed from a topic without retention' },
  'nonlinearizable-metadata': { invariant: 'I-S15', meaning: 'no order of topic creations, deletions and look-ups explains the answers' },
  'undecided-metadata': { invariant: 'I-M4', meaning: 'the search for such an order gave up' },
} as const;

export type Anomaly = keyof typeof anomalies;

/** Neither is proof of a fault of the cluster; both keep a run from passing. */
export const undecidedAnomalies: readonly Anomaly[] = ['undecided-metadata', 'malformed-history'];

export const findingsPerAnomalyMax = 10;

export interface Finding {
  readonly anomaly: Anomaly;
  readonly invariant: string;
  /** Topic, partition and life of the topic, or what else it is about. */
  readonly subject: string;
  readonly detail: string;
  /** Ids of the operations that prove it, at most a handful. */
  readonly operations: readonly number[];
}

export interface Findings {
  readonly counts: Record<Anomaly, number>;
  readonly list: Finding[];
}

export function createFindings(): Findings {
  const names = Object.keys(anomalies) as Anomaly[];
  return { counts: Object.fromEntries(names.map((name) => [name, 0])) as Record<Anomaly, number>, list: [] };
}

/** `detail` is called only if the finding is kept. */
export function report(found: Findings, anomaly: Anomaly, subject: string, operations: readonly number[], detail: () => string): void {
  found.counts[anomaly] += 1;
  if (found.counts[anomaly] > findingsPerAnomalyMax) return;
  found.list.push({ anomaly, invariant: anomalies[anomaly].invariant, subject, detail: detail(), operations });
}
