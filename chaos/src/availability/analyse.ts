/**
 * From what the probes measured and what happened to the cluster to the figures of a run. Pure.
 *
 * A repeat's window begins with its first fault and ends where the next repeat begins its calm,
 * or where the cluster settles. A repeat without a fault has no window and no figures.
 */
import type { ProbeKind, ProbeSample } from '../record/probe-sample.ts';
import type { LeaderChanged, PartitionRef, TimelineEvent } from '../record/timeline.ts';
import { ascending, distributionOf, percentile } from './distribution.ts';
import type { AvailabilityFigures, LatencyFigures, ProbeFigures, RepeatFigures } from './figures.ts';
import { type Gap, gapsWithin, isSuccess, type Series, seriesOf, type Window } from './gaps.ts';

const nsPerMs = 1e6;
/** What exceeds this in a gap counts as unavailable: some periods of the probes and a slow fsync. */
export const outageMs = 100;
/** A partition whose writes pause for longer counts as hit. */
const hitMs = 1000;

export interface RepeatWindow extends Window {
  readonly repeat: number;
  /** The calm before it. */
  readonly calm: Window;
  readonly faultEndedNs: number;
  /** Led by a node that was struck, when its fault began. */
  readonly concerned: readonly PartitionRef[];
}

export interface AnalysisInput {
  readonly timeline: readonly TimelineEvent[];
  readonly probes: readonly ProbeSample[];
  /** What a probe without an answer counts as in latencies. */
  readonly deadlineMs: number;
}

export function analyse({ timeline, probes, deadlineMs }: AnalysisInput): AvailabilityFigures {
  const windows = windowsOf(timeline);
  const series = seriesOf(probes);
  const repeats = windows.map((window) => repeatFigures(window, series, timeline));
  const of = (kind: ProbeKind): ProbeFigures | undefined =>
    probeFigures(
      windows,
      series.filter(({ probe }) => probe === kind),
      deadlineMs,
    );
  return {
    repeats,
    write: of('write'),
    read: of('read'),
    consume: of('consume'),
    fullReplicationMs: distributionOf(repeats.flatMap(({ fullReplicationMs }) => fullReplicationMs ?? [])),
    leaderChanges: timeline.filter(({ kind }) => kind === 'leader').length,
    blastRadiusMax: Math.max(0, ...repeats.map(({ blastRadius }) => blastRadius)),
  };
}

export function windowsOf(timeline: readonly TimelineEvent[]): readonly RepeatWindow[] {
  const phases = timeline.filter((event) => event.kind === 'phase');
  return phases.flatMap((phase, position) => {
    if (phase.phase !== 'fault') return [];
    const faults = timeline.filter((event) => event.kind === 'fault-began').filter(({ repeat }) => repeat === phase.repeat);
    const [first] = faults;
    if (first === undefined) return [];
    const toNs = phases[position + 1]?.tNs ?? timeline.at(-1)?.tNs ?? phase.tNs;
    const ended = timeline
      .filter((event) => event.kind === 'fault-ended')
      .filter(({ fault }) => faults.some((began) => began.fault === fault));
    const calmFromNs = phases[position - 1]?.tNs ?? 0;
    return [
      {
        repeat: phase.repeat,
        calm: { fromNs: calmFromNs, toNs: first.tNs },
        fromNs: first.tNs,
        toNs,
        faultEndedNs: Math.min(toNs, Math.max(first.tNs, ...ended.map(({ tNs }) => tNs))),
        concerned: faults.flatMap(({ partitionsLed }) => partitionsLed),
      },
    ];
  });
}

function repeatFigures(window: RepeatWindow, series: readonly Series[], timeline: readonly TimelineEvent[]): RepeatFigures {
  const within = <Event extends TimelineEvent>(event: Event): boolean => event.tNs >= window.fromNs && event.tNs < window.toNs;
  const changes = timeline.filter((event) => event.kind === 'leader').filter(within);
  const concerned = changes.find((change) => window.concerned.some((place) => isSame(place, change)));
  const replicated = timeline.find((event) => event.kind === 'fully-replicated' && event.repeat === window.repeat);
  const writes = series.filter(({ probe }) => probe === 'write');
  const hit = writes.filter((each) => longestMs(gapsWithin(each, window)) > hitMs);
  return {
    repeat: window.repeat,
    faultBeganNs: window.fromNs,
    faultEndedNs: window.faultEndedNs,
    longestGapMs: Object.fromEntries(
      kindsOf(series).map((kind) => [kind, worst(series, kind, (each) => longestMs(gapsWithin(each, window)))]),
    ),
    leaderChanges: changes.length,
    leaderChangeMs: concerned === undefined ? undefined : (concerned.tNs - window.fromNs) / nsPerMs,
    fullReplicationMs: replicated === undefined ? undefined : Math.max(0, (replicated.tNs - window.faultEndedNs) / nsPerMs),
    blastRadius: writes.length === 0 ? 0 : hit.length / writes.length,
  };
}

const isSame = (place: PartitionRef, { topic, partition }: LeaderChanged): boolean =>
  place.topic === topic && place.partition === partition;

const kindsOf = (series: readonly Series[]): readonly ProbeKind[] => [...new Set(series.map(({ probe }) => probe))];

const worst = (series: readonly Series[], kind: ProbeKind, measure: (series: Series) => number): number =>
  Math.max(...series.filter(({ probe }) => probe === kind).map(measure));

const gapMs = ({ fromNs, toNs }: Gap): number => (toNs - fromNs) / nsPerMs;
const longestMs = (gaps: readonly Gap[]): number => Math.max(0, ...gaps.map(gapMs));

/** Only what lies in the window counts as unavailable in it. */
const unavailableMs = (gaps: readonly Gap[], { fromNs, toNs }: Window): number =>
  gaps
    .map((gap) => gapMs({ fromNs: Math.max(gap.fromNs, fromNs), toNs: Math.min(gap.toNs, toNs) }))
    .reduce((sum, ms) => sum + Math.max(0, ms - outageMs), 0);

function probeFigures(windows: readonly RepeatWindow[], series: readonly Series[], deadlineMs: number): ProbeFigures | undefined {
  const worstOf = (measure: (each: Series, window: RepeatWindow) => number) =>
    distributionOf(windows.map((window) => Math.max(...series.map((each) => measure(each, window)))));
  if (series.length === 0) return undefined;
  const firstSuccessMs = worstOf(firstSuccessOf);
  const longestGapMs = worstOf((each, window) => longestMs(gapsWithin(each, window)));
  const unavailable = worstOf((each, window) => unavailableMs(gapsWithin(each, window), window));
  if (firstSuccessMs === undefined || longestGapMs === undefined || unavailable === undefined) return undefined;
  const latencyIn = (pick: (window: RepeatWindow) => Window): LatencyFigures => latencyOf(series, windows.map(pick), deadlineMs);
  return {
    firstSuccessMs,
    longestGapMs,
    unavailableMs: unavailable,
    latency: {
      before: latencyIn(({ calm }) => calm),
      during: latencyIn(({ fromNs, faultEndedNs }) => ({ fromNs, toNs: faultEndedNs })),
      after: latencyIn(({ faultEndedNs, toNs }) => ({ fromNs: faultEndedNs, toNs })),
    },
  };
}

/** Of a probe that was due after the fault began; the whole window if there was none. */
function firstSuccessOf({ samples }: Series, { fromNs, toNs }: RepeatWindow): number {
  let firstNs = toNs;
  for (const sample of samples) {
    if (sample.dueNs >= firstNs) break;
    if (sample.dueNs >= fromNs && isSuccess(sample)) firstNs = Math.min(firstNs, sample.doneNs);
  }
  return (firstNs - fromNs) / nsPerMs;
}

function latencyOf(series: readonly Series[], windows: readonly Window[], deadlineMs: number): LatencyFigures {
  const due = series.flatMap(({ samples }) =>
    samples.filter(({ dueNs }) => windows.some(({ fromNs, toNs }) => dueNs >= fromNs && dueNs < toNs)),
  );
  const latencies = ascending(due.map((sample) => (isSuccess(sample) ? (sample.doneNs - sample.dueNs) / nsPerMs : deadlineMs)));
  const at = (share: number): number => percentile(latencies, share);
  const missed = due.filter((sample) => !isSuccess(sample)).length;
  return { n: due.length, p50Ms: at(0.5), p99Ms: at(0.99), p999Ms: at(0.999), missedShare: due.length === 0 ? 0 : missed / due.length };
}
