/** What the faults cost the clients: one table, the spread over repeats, and the worst repeats in close-up. */
import type { Distribution } from '../../availability/distribution.ts';
import type { LatencyFigures, ProbeFigures, RepeatFigures } from '../../availability/figures.ts';
import { isSuccess } from '../../availability/gaps.ts';
import { outageMs } from '../../availability/analyse.ts';
import type { ProbeKind, ProbeSample } from '../../record/probe-sample.ts';
import type { RunRecord } from '../../record/read-record.ts';
import { zoomChart, zoomHeight } from '../charts/fault-zoom.ts';
import { gapDistributionChart, gapHeight } from '../charts/gap-distribution.ts';
import { type Html, html, nothing } from '../html.ts';
import { count, milliseconds, percent, toMs } from '../quantities.ts';
import { figure, key } from './timeline.ts';

const zoomsMax = 3;
const beforeMs = 1000;
const zoomMsMax = 10_000;
const dotsMax = 3000;
const repeatsForSpread = 3;
const deadlineMsDefault = 1000;
const kinds: readonly ProbeKind[] = ['write', 'read', 'consume'];
const colors = { write: '--c1', read: '--c3', consume: '--c2' } as const;

export function availabilitySection(record: RunRecord): Html {
  const { availability } = record.outcome;
  const { repeats } = availability;
  const probed = kinds.flatMap((kind) => (availability[kind] === undefined ? [] : [[kind, availability[kind]] as const]));
  if (repeats.length === 0 || probed.length === 0) return nothing;
  return html`<h2>Availability</h2>
    <p class="soft">Probes are due at fixed times, whatever became of the ones before; times count from then. Of all partitions the worst counts,
      once per repeat. What exceeds ${outageMs} ms of a gap is unavailable time.</p>
    <div class="scroll"><table><thead><tr><th></th><th>n</th><th>min</th><th>p50</th><th>p95</th><th>max</th></tr></thead><tbody>
      ${probed.flatMap(([kind, figures]) => probeRows(kind, figures))}
      ${availability.fullReplicationMs === undefined ? nothing : row('all replicas caught up after the fault', availability.fullReplicationMs)}
    </tbody></table></div>
    <h3>Latency</h3>
    <div class="scroll"><table><thead><tr><th></th><th>probes</th><th>p50</th><th>p99</th><th>p99.9</th><th>missed</th></tr></thead><tbody>
      ${probed.flatMap(([kind, { latency }]) => [
        latencyRow(`${kind}, before`, latency.before),
        latencyRow(`${kind}, during the fault`, latency.during),
        latencyRow(`${kind}, after`, latency.after),
      ])}</tbody></table></div>
    ${repeats.length < repeatsForSpread ? nothing : spreadPart(repeats)}
    <h3>${repeats.length > zoomsMax ? `The ${zoomsMax} worst repeats` : 'Close-up'}</h3>
    ${key([...probed.map(([kind]) => [colors[kind], kind] as const), ['--bad', 'no good answer']])}
    ${worstOf(repeats).map((repeat) => zoomPart(record, repeat))}`;
}

const probeRows = (kind: string, { firstSuccessMs, longestGapMs, unavailableMs }: ProbeFigures): readonly Html[] => [
  row(`${kind}: first success after the fault began`, firstSuccessMs),
  row(`${kind}: longest gap`, longestGapMs),
  row(`${kind}: unavailable`, unavailableMs),
];

const row = (name: string, { n, ...values }: Distribution): Html =>
  html`<tr><td>${name}</td><td>${n}</td>${Object.values(values).map((value) => html`<td>${milliseconds(value)}</td>`)}</tr>`;

const latencyRow = (name: string, { n, p50Ms, p99Ms, p999Ms, missedShare }: LatencyFigures): Html =>
  html`<tr><td>${name}</td><td>${count(n)}</td>${[p50Ms, p99Ms, p999Ms].map((value) => html`<td>${milliseconds(value)}</td>`)}<td>${percent(missedShare)}</td></tr>`;

function spreadPart(repeats: readonly RepeatFigures[]): Html {
  const lines = kinds
    .map((kind) => ({ color: colors[kind], gapsMs: repeats.flatMap(({ longestGapMs }) => longestGapMs[kind] ?? []) }))
    .filter(({ gapsMs }) => gapsMs.length > 0);
  return html`<h3>Longest gaps of ${repeats.length} repeats</h3>${key(kinds.map((kind) => [colors[kind], kind]))}
    ${figure('gaps', gapHeight, gapDistributionChart(lines))}`;
}

function worstOf(repeats: readonly RepeatFigures[]): readonly RepeatFigures[] {
  const gap = ({ longestGapMs }: RepeatFigures): number => Math.max(0, ...Object.values(longestGapMs));
  return repeats.toSorted((a, b) => gap(b) - gap(a)).slice(0, zoomsMax);
}

function zoomPart({ timeline, probes, description }: RunRecord, { repeat, faultBeganNs, faultEndedNs, longestGapMs }: RepeatFigures): Html {
  const toNs = (ms: number): number => faultBeganNs + ms * 1e6;
  const endMs = Math.min(zoomMsMax, toMs(faultEndedNs - faultBeganNs) + beforeMs * 2);
  const shown = probes.filter(({ dueNs }) => dueNs >= toNs(-beforeMs) && dueNs < toNs(endMs));
  const what = timeline.flatMap((event) => (event.kind === 'fault-began' && event.repeat === repeat ? [event.what] : []));
  const leaders = timeline
    .flatMap((event) => (event.kind === 'leader' ? [toMs(event.tNs - faultBeganNs)] : []))
    .filter((at) => at > 0 && at < endMs);
  const series = kinds.map((kind) => zoomSeries(kind, shown, faultBeganNs));
  const deadlineMs = description.scenario.load.probes?.deadlineMs ?? deadlineMsDefault;
  const gaps = Object.entries(longestGapMs).map(([kind, ms]) => `${kind} ${milliseconds(ms)}`);
  return html`<figure><figcaption>Repeat ${repeat}: ${what.join('; ')}. Longest gaps: ${gaps.join(', ')}.</figcaption>
    ${figure(`zoom-${repeat}`, zoomHeight, zoomChart({ series, fromMs: -beforeMs, toMs: endMs, endedMs: toMs(faultEndedNs - faultBeganNs), leaderChangesMs: leaders, deadlineMs }))}</figure>`;
}

function zoomSeries(kind: ProbeKind, shown: readonly ProbeSample[], faultBeganNs: number) {
  const own = shown.filter(({ probe }) => probe === kind);
  // Evenly thinned out; what was not answered well is never left out before what was.
  const step = Math.max(1, Math.ceil(own.length / dotsMax));
  const answered = own.filter(isSuccess).filter((_, i) => i % step === 0);
  return {
    color: colors[kind],
    answered: answered.map(({ dueNs, doneNs }): readonly [number, number] => [
      toMs(dueNs - faultBeganNs),
      Math.max(0.5, toMs(doneNs - dueNs)),
    ]),
    missed: own
      .filter((sample) => !isSuccess(sample))
      .slice(0, dotsMax)
      .map(({ dueNs }) => toMs(dueNs - faultBeganNs)),
  };
}
