/** The outcome of a run in words, for a terminal. Pure. */
import type { Distribution } from '../availability/distribution.ts';
import type { AvailabilityFigures } from '../availability/figures.ts';
import { anomalies, type Anomaly } from '../history/anomaly.ts';
import type { Verdict } from '../history/check-history.ts';
import type { RunOutcome } from '../record/run-record.ts';
import type { SummaryRow } from './screen.ts';

const count = (value: number): string => value.toLocaleString('en-US');
const ms = (value: number): string => `${count(Math.round(value))} ms`;

export function outcomeRows({ verdict, vacuous, cluster, availability, missed }: RunOutcome): readonly SummaryRow[] {
  return [
    ...verdictRows(verdict),
    ...cluster.map(({ node, what }): SummaryRow => [`node ${node}`, what, false]),
    ...availabilityRows(availability),
    ...vacuous.map(({ gate, detail }): SummaryRow => [`not shown: ${gate}`, detail, false]),
    ...missed.map(({ gate, detail }): SummaryRow => [`bar missed: ${gate}`, detail, false]),
  ];
}

export function verdictRows({ counts, figures }: Verdict): readonly SummaryRow[] {
  const { send, poll } = figures.operations;
  const found = (Object.keys(counts) as Anomaly[]).filter((anomaly) => counts[anomaly] > 0);
  return [
    ['sends', `${count(send.ok)} acknowledged, ${count(send.fail)} refused, ${count(send.info)} unknown`, undefined],
    ['records read', `${count(figures.recordsRead)} in ${count(poll.ok)} polls`, undefined],
    [
      'logs read to the end',
      `${count(figures.drainedLogs)} of ${count(figures.livingLogs)}, on ${figures.replicasReadMin} replicas each`,
      undefined,
    ],
    ...(found.length === 0
      ? [['anomalies', 'none', true] as const]
      : found.map(
          (anomaly): SummaryRow => [
            anomaly,
            `${count(counts[anomaly])}: ${anomalies[anomaly].meaning} (${anomalies[anomaly].invariant})`,
            false,
          ],
        )),
  ];
}

export function availabilityRows({
  repeats,
  write,
  read,
  consume,
  fullReplicationMs,
  leaderChanges,
}: AvailabilityFigures): readonly SummaryRow[] {
  if (repeats.length === 0) return [];
  const kinds = Object.entries({ write, read, consume });
  return [
    ...kinds.flatMap(([kind, figures]): SummaryRow[] =>
      figures === undefined ? [] : [[`longest gap, ${kind}`, spread(figures.longestGapMs), undefined]],
    ),
    ...(fullReplicationMs === undefined ? [] : [['full replication after', spread(fullReplicationMs), undefined] as const]),
    ['leader changes', count(leaderChanges), undefined],
  ];
}

function spread({ n, min, p50, p95, max }: Distribution): string {
  return n === 1 ? ms(max) : `n ${n}, min ${ms(min)}, p50 ${ms(p50)}, p95 ${ms(p95)}, max ${ms(max)}`;
}

export function outcomeSentence({ result, verdict, cluster, vacuous, missed }: RunOutcome): string {
  const { send } = verdict.figures.operations;
  switch (result) {
    case 'pass':
      if (verdict.outcome === 'fail') return 'PASS: this scenario breaks a promise on purpose, and the checker found it';
      return `PASS: every promise was kept; ${count(send.ok)} sends were acknowledged and are there once and in order`;
    case 'fail':
      return `FAIL: ${failureOf(verdict, cluster.length)}`;
    case 'vacuous':
      return `VACUOUS: nothing was proved: ${vacuous[0]?.gate ?? 'no gate'}: ${vacuous[0]?.detail ?? ''}`;
    case 'unavailable':
      return `UNAVAILABLE: nothing was lost, but ${missed.map(({ gate, detail }) => `${gate}: ${detail}`).join('; ')}`;
  }
}

function failureOf({ counts, outcome }: Verdict, endings: number): string {
  const found = (Object.keys(counts) as Anomaly[]).filter((anomaly) => counts[anomaly] > 0);
  const parts = found.map((anomaly) => `${count(counts[anomaly])} ${anomaly}`);
  if (endings > 0) parts.push(`${endings} findings in the brokers`);
  return parts.length > 0 ? parts.join(', ') : `the anomalies that this scenario provokes were not found (${outcome})`;
}
