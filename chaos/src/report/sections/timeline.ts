/** The run over time: throughput, latency, what the nodes did, who led. */
import { isSuccess } from '../../availability/gaps.ts';
import type { RunRecord } from '../../record/read-record.ts';
import { bucketSeconds, percentilePerBucket, ratePerSecond, type Weighted } from '../buckets.ts';
import { drawChart } from '../charts/draw.ts';
import { latencyChart, latencyHeight } from '../charts/latency.ts';
import { lanesChart, lanesHeight } from '../charts/lanes.ts';
import { throughputChart, throughputHeight } from '../charts/throughput.ts';
import { type Html, html, nothing, trusted } from '../html.ts';
import { toMs, toSeconds } from '../quantities.ts';
import { endOf, faultSpans, leaderLanes, nodeLanes, type NodeState } from '../spans.ts';

const missedMax = 2000;
const deadlineMsDefault = 1000;

export function timelineSection({ history, timeline, probes, description }: RunRecord): Html {
  // Whole, as the axes say where they end.
  const endSeconds = Math.ceil(endOf(timeline));
  const width = bucketSeconds(endSeconds);
  const faults = faultSpans(timeline);
  const leaderChanges = timeline.filter((event) => event.kind === 'leader').map(({ tNs }) => toSeconds(tNs));
  const over = { faults, leaderChanges, endSeconds };
  const { acked, read } = recordsOverTime(history);
  const throughput = throughputChart({
    acked: ratePerSecond(acked, endSeconds, width),
    read: ratePerSecond(read, endSeconds, width),
    ...over,
  });
  return html`<h2>The run</h2>
    <p class="soft">Shaded: a fault was on. Dotted: a partition got another leader. Buckets of ${width.toFixed(1)} s.</p>
    <h3>Throughput</h3>${key([
      ['--c1', 'acknowledged'],
      ['--c3', 'read by clients'],
    ])}
    ${figure('throughput', throughputHeight, throughput)}
    ${latencyPart({ probes, deadlineMs: description.scenario.load.probes?.deadlineMs ?? deadlineMsDefault, width, over })}
    <h3>Nodes</h3>${key(Object.entries(stateColors).map(([state, color]) => [color, state === 'struck' ? 'running under a fault' : state]))}
    ${figure('nodes', lanesHeight(nodeLanes(timeline).length), lanesChart({ lanes: nodeLanes(timeline), colorOf: (state: NodeState) => stateColors[state], endSeconds }))}
    ${leaderPart(timeline, endSeconds)}`;
}

const stateColors: Readonly<Record<NodeState, string>> = { running: '--up', struck: '--hurt', paused: '--paused', down: '--down' };
const nodeColors = ['--c1', '--c2', '--c3', '--c4', '--c5', '--c6', '--c7'];
const nodeColor = (node: number): string => nodeColors[(node - 1) % nodeColors.length] ?? '--c7';

type Over = { readonly faults: ReturnType<typeof faultSpans>; readonly leaderChanges: readonly number[]; readonly endSeconds: number };

function latencyPart({
  probes,
  deadlineMs,
  width,
  over,
}: Pick<RunRecord, 'probes'> & { readonly deadlineMs: number; readonly width: number; readonly over: Over }): Html {
  if (probes.length === 0) return nothing;
  const answered = (kind: string) =>
    probes
      .filter(({ probe }) => probe === kind)
      .filter(isSuccess)
      .map(({ dueNs, doneNs }) => ({ at: toSeconds(dueNs), value: toMs(doneNs - dueNs) }));
  const missed = probes.filter((sample) => sample.probe === 'write' && !isSuccess(sample)).map(({ dueNs }) => toSeconds(dueNs));
  const line = (kind: string, share: number, color: string, thick: number) => ({
    color,
    width: thick,
    points: percentilePerBucket(answered(kind), over.endSeconds, width, share),
  });
  const lines = [line('write', 0.5, '--c1', 1), line('write', 0.99, '--c2', 1.5), line('read', 0.99, '--c3', 1)];
  const chart = latencyChart({ lines, missed: missed.slice(0, missedMax), deadlineMs, ...over });
  return html`<h3>Latency of probes, from when they were due</h3>
    ${key([
      ['--c1', 'write, median'],
      ['--c2', 'write, 99 %'],
      ['--c3', 'read, 99 %'],
      ['--bad', 'write without a good answer'],
    ])}
    ${figure('latency', latencyHeight, chart)}`;
}

function leaderPart(timeline: RunRecord['timeline'], endSeconds: number): Html {
  const lanes = leaderLanes(timeline);
  if (lanes.length === 0) return nothing;
  const nodes = [...new Set(lanes.flatMap(({ spans }) => spans.map(({ state }) => state)))].toSorted((a, b) => a - b);
  return html`<h3>Leaders</h3>${key(nodes.map((node) => [nodeColor(node), `node ${node}`]))}
    ${figure('leaders', lanesHeight(lanes.length), lanesChart({ lanes, colorOf: nodeColor, endSeconds }))}`;
}

function recordsOverTime(history: RunRecord['history']): { readonly acked: readonly Weighted[]; readonly read: readonly Weighted[] } {
  const records = new Map<number, number>();
  const drains = new Set<number>();
  const acked: Weighted[] = [];
  const read: Weighted[] = [];
  for (const event of history) {
    if (event.type === 'invoke' && event.f === 'send') records.set(event.op, event.records.length);
    if (event.type === 'invoke' && event.f === 'poll' && (event.source ?? 'client') !== 'client') drains.add(event.op);
    if (event.type !== 'ok') continue;
    const at = toSeconds(event.tNs);
    if (event.f === 'send') acked.push({ at, weight: records.get(event.op) ?? 0 });
    if (event.f === 'poll' && !drains.has(event.op)) read.push({ at, weight: event.records.length });
  }
  return { acked, read };
}

/** A chart with its own scroll bar, for narrow screens. */
export const figure = (id: string, height: number, option: Parameters<typeof drawChart>[2]): Html =>
  html`<div class="scroll"><div class="chart">${trusted(drawChart(id, height, option))}</div></div>`;

export const key = (entries: readonly (readonly [color: string, name: string])[]): Html =>
  html`<div class="key">${entries.map(([color, name]) => html`<span><i style="background:var(${color})"></i>${name}</span>`)}</div>`;
