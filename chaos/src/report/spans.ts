/** Stretches of time in a run, in seconds since it began: faults, states of nodes, leaders of partitions. Pure. */
import type { TimelineEvent } from '../record/timeline.ts';
import { toSeconds } from './quantities.ts';

export interface Span {
  readonly from: number;
  readonly to: number;
  readonly label: string;
}

export const endOf = (timeline: readonly TimelineEvent[]): number => toSeconds(timeline.at(-1)?.tNs ?? 0);

export function faultSpans(timeline: readonly TimelineEvent[]): readonly Span[] {
  const last = timeline.at(-1)?.tNs ?? 0;
  return timeline
    .filter((event) => event.kind === 'fault-began')
    .map(({ fault, tNs, name }) => {
      const ended = timeline.find((event) => event.kind === 'fault-ended' && event.fault === fault);
      return { from: toSeconds(tNs), to: toSeconds(ended?.tNs ?? last), label: name };
    });
}

export type NodeState = 'running' | 'paused' | 'down' | 'struck';

export interface Lane<State> {
  readonly name: string;
  readonly spans: readonly (Span & { readonly state: State })[];
}

/** What the processes did; where a process ran on, a fault that was done to its node is `struck`. */
export function nodeLanes(timeline: readonly TimelineEvent[]): readonly Lane<NodeState>[] {
  const nodes = [...new Set(timeline.flatMap((event) => (event.kind === 'node' ? [event.node] : [])))].toSorted((a, b) => a - b);
  return nodes.map((node) => ({ name: `node ${node}`, spans: [...processSpans(timeline, node), ...struckSpans(timeline, node)] }));
}

const stateAfter = { started: 'down', ready: 'running', ended: 'down', paused: 'paused', resumed: 'running' } as const;

function processSpans(timeline: readonly TimelineEvent[], node: number): readonly (Span & { readonly state: NodeState })[] {
  const changes = timeline.filter((event) => event.kind === 'node').filter((event) => event.node === node);
  const end = endOf(timeline);
  return changes.map(({ state, tNs }, i) => {
    const next = changes[i + 1];
    // A started broker is not ready yet; where nobody tells when it is, it counts as running.
    const isRunning = state === 'started' && next?.state !== 'ready';
    return {
      from: toSeconds(tNs),
      to: next === undefined ? end : toSeconds(next.tNs),
      label: state,
      state: isRunning ? 'running' : stateAfter[state],
    };
  });
}

const ofProcesses: ReadonlySet<string> = new Set(['kill', 'stop', 'pause', 'restart', 'power-loss', 'crash-at', 'rolling-restart']);

function struckSpans(timeline: readonly TimelineEvent[], node: number): readonly (Span & { readonly state: NodeState })[] {
  const faults = timeline
    .filter((event) => event.kind === 'fault-began')
    .filter(({ nodes, name }) => nodes.includes(node) && !ofProcesses.has(name));
  return faults.map(({ fault, tNs, name }) => {
    const ended = timeline.find((event) => event.kind === 'fault-ended' && event.fault === fault);
    return { from: toSeconds(tNs), to: ended === undefined ? endOf(timeline) : toSeconds(ended.tNs), label: name, state: 'struck' };
  });
}

const lanesMax = 12;

/** Who led each partition; the first partitions if there are many. */
export function leaderLanes(timeline: readonly TimelineEvent[]): readonly Lane<number>[] {
  const changes = timeline.filter((event) => event.kind === 'leader');
  const end = endOf(timeline);
  const byPartition = Map.groupBy(changes, ({ topic, partition }) => `${topic}/${partition}`);
  return [...byPartition]
    .toSorted(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }))
    .slice(0, lanesMax)
    .map(([name, events]) => ({
      name,
      spans: events.map(({ tNs, leader }, i) => ({
        from: toSeconds(tNs),
        to: toSeconds(events[i + 1]?.tNs ?? 0) || end,
        label: `node ${leader ?? '?'}`,
        state: leader ?? 0,
      })),
    }));
}
