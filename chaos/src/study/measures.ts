/** What a study reads from the record of a run. Pure. */
import { type Distribution, percentile } from '../availability/distribution.ts';
import { isSuccess, type Window } from '../availability/gaps.ts';
import type { HistoryEvent } from '../history/event.ts';
import type { ProbeSample } from '../record/probe-sample.ts';
import type { RunRecord } from '../record/read-record.ts';
import type { Result } from '../record/run-record.ts';
import type { TimelineEvent } from '../record/timeline.ts';

export interface Measures {
  readonly result: Result;
  /** Acknowledged records per second in the steady window. */
  readonly ackedPerSecond: number;
  /** Of write probes in the steady window, in milliseconds; Infinity: not answered. */
  readonly latencyMs: { readonly p50: number; readonly p99: number } | undefined;
  readonly writeGapMs: Distribution | undefined;
  readonly readGapMs: Distribution | undefined;
  /** Records that were acknowledged, by whatever kind of ack, and are not in the log at the end. */
  readonly ackedAndGone: number;
  readonly acked: number;
  /** Kinds of anomalies: promises that were broken. */
  readonly anomalies: readonly string[];
}

const nsPerSecond = 1e9;
const nsPerMs = 1e6;

/** `before`: how many faults belong to the point itself, and begin every repeat. */
export function measuresOf({ history, timeline, probes, outcome }: RunRecord, before: number): Measures {
  const { acked, gone } = ackedAndGone(history);
  const steady = steadyWindow(timeline, before);
  const counts = Object.entries(outcome.verdict.counts);
  const seconds = (steady.toNs - steady.fromNs) / nsPerSecond;
  return {
    result: outcome.result,
    ackedPerSecond: seconds > 0 ? ackedBetween(history, steady) / seconds : 0,
    latencyMs: latencyIn(probes, steady),
    writeGapMs: outcome.availability.write?.longestGapMs,
    readGapMs: outcome.availability.read?.longestGapMs,
    ackedAndGone: gone,
    acked,
    anomalies: counts.flatMap(([anomaly, count]) => (count > 0 ? [anomaly] : [])),
  };
}

/** While nothing is done to the cluster but what belongs to the point; of the first repeat. */
export function steadyWindow(timeline: readonly TimelineEvent[], before: number): Window {
  const phase = (name: string): number | undefined => timeline.find((event) => event.kind === 'phase' && event.phase === name)?.tNs;
  const faults = timeline.filter((event) => event.kind === 'fault-began').filter(({ repeat }) => repeat === 1);
  const fromNs = before === 0 ? (phase('calm') ?? 0) : (faults[before - 1]?.tNs ?? 0);
  return { fromNs, toNs: Math.max(fromNs, faults[before]?.tNs ?? phase('settle') ?? fromNs) };
}

function latencyIn(probes: readonly ProbeSample[], { fromNs, toNs }: Window): Measures['latencyMs'] {
  const due = probes.filter(({ probe, dueNs }) => probe === 'write' && dueNs >= fromNs && dueNs < toNs);
  const sorted = due.map((sample) => (isSuccess(sample) ? (sample.doneNs - sample.dueNs) / nsPerMs : Infinity)).toSorted((a, b) => a - b);
  return sorted.length === 0 ? undefined : { p50: percentile(sorted, 0.5), p99: percentile(sorted, 0.99) };
}

function ackedBetween(history: readonly HistoryEvent[], { fromNs, toNs }: Window): number {
  const records = new Map<number, number>();
  let acked = 0;
  for (const event of history) {
    if (event.type === 'invoke' && event.f === 'send') records.set(event.op, event.records.length);
    if (event.type === 'ok' && event.f === 'send' && event.tNs >= fromNs && event.tNs < toNs) acked += records.get(event.op) ?? 0;
  }
  return acked;
}

function ackedAndGone(history: readonly HistoryEvent[]): { readonly acked: number; readonly gone: number } {
  const sent = new Map<number, readonly number[]>();
  const drains = new Set<number>();
  const acked = new Set<number>();
  const found = new Set<number>();
  for (const event of history) {
    if (event.type === 'invoke' && event.f === 'send')
      sent.set(
        event.op,
        event.records.map(({ id }) => id),
      );
    if (event.type === 'invoke' && event.f === 'poll' && event.source === 'drain') drains.add(event.op);
    if (event.type !== 'ok') continue;
    if (event.f === 'send') for (const id of sent.get(event.op) ?? []) acked.add(id);
    if (event.f === 'poll' && drains.has(event.op)) for (const { id } of event.records) found.add(id);
  }
  return { acked: acked.size, gone: [...acked].filter((id) => !found.has(id)).length };
}
