/**
 * The outcome of a run. Pure.
 *
 * In this order: a promise was broken, by what the clients saw or what the cluster did: `fail`.
 * What was done is too little to prove anything, or a fault had no effect: `vacuous`. A bar of
 * the scenario was missed: `unavailable`. Otherwise `pass`.
 *
 * A scenario that breaks a promise on purpose names the anomalies that the checker has to
 * find; it passes if all of them were found.
 */
import { analyse } from '../availability/analyse.ts';
import type { AvailabilityFigures, ProbeFigures } from '../availability/figures.ts';
import { checkHistory, type Verdict } from '../history/check-history.ts';
import type { HistoryEvent } from '../history/event.ts';
import { checkVacuity } from '../history/vacuity.ts';
import type { ProbeSample } from '../record/probe-sample.ts';
import type { ClusterFinding, Gate, Result, RunOutcome } from '../record/run-record.ts';
import type { TimelineEvent } from '../record/timeline.ts';
import type { Expectation, Scenario } from '../scenario/scenario.ts';
import { mayShrink } from './found-topics.ts';

export interface Evidence {
  readonly scenario: Scenario;
  readonly history: readonly HistoryEvent[];
  /** In order of time. */
  readonly timeline: readonly TimelineEvent[];
  readonly probes: readonly ProbeSample[];
  readonly cluster: readonly ClusterFinding[];
}

const deadlineMsDefault = 1000;
/** From so many repeats on the 95th percentile is compared with a bar, before the largest. */
const percentileRepeatsMin = 20;

export function judge(evidence: Evidence): RunOutcome {
  const { scenario, history, timeline, probes, cluster } = evidence;
  const verdict = checkHistory(history, {
    retention: scenario.topics.some(({ config }) => mayShrink(config)),
  });
  const availability = analyse({ timeline, probes, deadlineMs: scenario.load.probes?.deadlineMs ?? deadlineMsDefault });
  const vacuous = [...vacuityOf(verdict, scenario), ...faultGates(timeline), ...effectGates(evidence, availability)];
  const missed = missedBars(scenario.expect, availability);
  return { result: resultOf(scenario.expect, verdict, cluster, vacuous, missed), verdict, vacuous, cluster, availability, missed };
}

function resultOf(
  { anomalies }: Expectation,
  { outcome, counts }: Verdict,
  cluster: readonly ClusterFinding[],
  vacuous: readonly Gate[],
  missed: readonly Gate[],
): Result {
  if (cluster.length > 0) return 'fail';
  if (anomalies.length > 0) {
    const found = Object.entries(counts).flatMap(([anomaly, count]) => (count > 0 ? [anomaly] : []));
    if (vacuous.length > 0) return 'vacuous';
    return anomalies.every((anomaly) => found.includes(anomaly)) ? 'pass' : 'fail';
  }
  if (outcome === 'fail') return 'fail';
  if (vacuous.length > 0) return 'vacuous';
  return missed.length > 0 ? 'unavailable' : 'pass';
}

function vacuityOf(verdict: Verdict, { expect, load, topics }: Scenario): readonly Gate[] {
  const reads = load.consumers > 0 ? 1 : 0;
  const gates = checkVacuity(verdict, {
    okMin: { send: 1, poll: reads },
    infoShareMax: expect.unknownShareMax,
    replicasReadMin: expect.everyReplica ? Math.min(...topics.map(({ replicas }) => replicas)) : 0,
  });
  // Lost records are what such a scenario is after: the drain cannot see them.
  const wanted = expect.anomalies.length > 0 ? gates.filter(({ gate }) => gate !== 'unseen') : gates;
  return wanted.map(({ gate, detail }) => ({ gate, detail }));
}

/** Every fault was proven to have had its effect. */
function faultGates(timeline: readonly TimelineEvent[]): readonly Gate[] {
  const began = timeline.filter((event) => event.kind === 'fault-began');
  const proven = timeline.filter((event) => event.kind === 'fault-proven');
  const gate = 'fault-without-effect';
  if (began.length === 0) return [{ gate, detail: 'no fault was begun' }];
  return began.flatMap(({ fault, what }): readonly Gate[] => {
    const proofs = proven.filter((event) => event.fault === fault).flatMap((event) => event.proofs);
    if (proofs.length === 0) return [{ gate, detail: `${what}: nothing proves that it took effect` }];
    return proofs
      .filter(({ holds }) => !holds)
      .map(({ claim, evidence }) => ({ gate, detail: `${what}: ${claim} could not be shown: ${evidence}` }));
  });
}

function effectGates({ scenario, history, timeline }: Evidence, availability: AvailabilityFigures): readonly Gate[] {
  const { ackedDuringFaultMin, leaderChangesMin, ackedMin } = scenario.expect;
  const acks = ackTimes(history);
  const acked = acks.reduce((sum, { records }) => sum + records, 0);
  const gates: Gate[] = [];
  if (acked < ackedMin) gates.push({ gate: 'acked-min', detail: `${acked} records were acknowledged, ${ackedMin} are wanted` });
  const changes = leaderChangesOf(availability);
  if (changes < leaderChangesMin)
    gates.push({ gate: 'leader-changes', detail: `${changes} leader changes, ${leaderChangesMin} are wanted` });
  const repeats = timeline.filter((event) => event.kind === 'phase').filter(({ phase }) => phase === 'fault').length;
  if (availability.repeats.length < repeats)
    gates.push({ gate: 'repeats', detail: `${availability.repeats.length} of ${repeats} repeats had a fault` });
  for (const { repeat, faultBeganNs, faultEndedNs } of availability.repeats) {
    const during = acks.filter(({ tNs }) => tNs >= faultBeganNs && tNs < faultEndedNs).reduce((sum, { records }) => sum + records, 0);
    if (during >= ackedDuringFaultMin) continue;
    gates.push({
      gate: 'progress-during-fault',
      detail: `${during} records were acknowledged in repeat ${repeat}, ${ackedDuringFaultMin} are wanted`,
    });
  }
  return gates;
}

function ackTimes(history: readonly HistoryEvent[]): readonly { readonly tNs: number; readonly records: number }[] {
  const records = new Map<number, number>();
  for (const event of history) if (event.type === 'invoke' && event.f === 'send') records.set(event.op, event.records.length);
  return history.flatMap((event) =>
    event.type === 'ok' && event.f === 'send' ? [{ tNs: event.tNs, records: records.get(event.op) ?? 0 }] : [],
  );
}

/** First leaders, and those that a stop at the end of the run makes, are no matter of faults. */
const leaderChangesOf = ({ repeats }: AvailabilityFigures): number => repeats.reduce((sum, repeat) => sum + repeat.leaderChanges, 0);

function missedBars(expect: Expectation, availability: AvailabilityFigures): readonly Gate[] {
  const { repeats, write, read, fullReplicationMs } = availability;
  const pick = (figures: { readonly p95: number; readonly max: number }): number =>
    repeats.length >= percentileRepeatsMin ? figures.p95 : figures.max;
  const gap = (figures: ProbeFigures | undefined): number | undefined => (figures === undefined ? undefined : pick(figures.longestGapMs));
  const bars: readonly (readonly [gate: string, bar: number | undefined, value: number | undefined, unit: string])[] = [
    ['write-gap', expect.writeGapMsMax, gap(write), 'ms'],
    ['read-gap', expect.readGapMsMax, gap(read), 'ms'],
    ['full-replication', expect.fullReplicationMsMax, fullReplicationMs === undefined ? undefined : pick(fullReplicationMs), 'ms'],
    ['leader-changes', expect.leaderChangesMax, leaderChangesOf(availability), ''],
  ];
  const missed = bars.flatMap(([gate, bar, value, unit]) => {
    if (bar === undefined || (value !== undefined && value <= bar)) return [];
    return [
      { gate, detail: value === undefined ? 'it was not measured' : `${value.toFixed(0)} ${unit}, the bar is ${bar} ${unit}`.trimEnd() },
    ];
  });
  const late = repeats.filter((repeat) => repeat.fullReplicationMs === undefined).map(({ repeat }) => repeat);
  return late.length === 0
    ? missed
    : [...missed, { gate: 'full-replication', detail: `not all replicas caught up in repeats ${late.join(', ')}` }];
}
