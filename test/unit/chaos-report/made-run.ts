/** The record of a run that never was: three nodes, one leader killed at 10 s, 300 ms without an acknowledgement. */
import type { Finding } from '@balsa/chaos/history/anomaly.ts';
import type { HistoryEvent } from '@balsa/chaos/history/event.ts';
import type { ProbeSample } from '@balsa/chaos/record/probe-sample.ts';
import type { RunRecord } from '@balsa/chaos/record/read-record.ts';
import type { TimelineEvent } from '@balsa/chaos/record/timeline.ts';
import { judge } from '@balsa/chaos/run/judge.ts';
import { scenarioSchema } from '@balsa/chaos/scenario/scenario.ts';

const ms = 1e6;
const partitions = [0, 1];
const gap = { from: 10_000, to: 10_300 };

export interface MadeRunOptions {
  readonly seconds?: number;
  readonly repeats?: number;
  /** Put wherever a run puts text that comes from outside. */
  readonly text?: string;
  readonly findings?: readonly Finding[];
}

export function madeRun({ seconds = 20, repeats = 1, text = 'kill -9 of node 1', findings = [] }: MadeRunOptions = {}): RunRecord {
  const scenario = scenarioSchema.parse({
    name: 'made',
    title: 'A run that never was',
    about: text,
    topics: [{ name: 'orders', partitions: partitions.length }],
    load: { probes: {} },
    steps: [{ strike: 'kill' }],
    repeats,
    expect: { ackedMin: 1 },
  });
  const history = historyOf(seconds, text);
  const timeline = timelineOf(seconds, repeats, text);
  const probes = partitions.flatMap((partition) => probesOf(seconds, partition));
  const outcome = judge({ scenario, history, timeline, probes, cluster: [] });
  return {
    description: {
      format: 1,
      scenario,
      seed: 7,
      command: `npx balsa chaos run ${text}`,
      environment: {
        startedAt: '2026-01-31T12:00:00.000Z',
        nodeVersion: 'v26.0.0',
        platform: 'linux x64',
        cpuModel: text,
        cpus: 2,
        memoryBytes: 2 ** 34,
        fsyncMs: { p50: 0.2, p99: 0.9 },
        loadBefore: 0.1,
        commit: '0123456789',
      },
    },
    history,
    timeline,
    probes,
    outcome: findings.length === 0 ? outcome : { ...outcome, verdict: { ...outcome.verdict, findings } },
  };
}

function historyOf(seconds: number, text: string): HistoryEvent[] {
  const events: HistoryEvent[] = [];
  let op = 0;
  for (let at = 0; at < seconds * 1000; at += 50) {
    const place = { process: `producer <${text}>`, topic: 'orders', partition: (at / 50) % 2 };
    const stamp = { op: op++, tNs: at * ms };
    events.push({ type: 'invoke', f: 'send', ...stamp, ...place, session: 's', acks: 'quorum', idempotent: true, records: [{ id: op }] });
    const isLost = at >= gap.from && at < gap.to;
    events.push({
      type: isLost ? 'info' : 'ok',
      f: 'send',
      op: stamp.op,
      tNs: stamp.tNs + 2 * ms,
      process: place.process,
      error: text,
    } as HistoryEvent);
  }
  return events;
}

function probesOf(seconds: number, partition: number): ProbeSample[] {
  return Array.from({ length: seconds * 50 }, (_, i) => {
    const dueMs = i * 20;
    const isLost = partition === 0 && dueMs >= gap.from && dueMs < gap.to;
    const result = isLost ? { error: 'TIMEOUT' } : { doneNs: (dueMs + 1 + (i % 7)) * ms };
    return { probe: 'write', topic: 'orders', partition, dueNs: dueMs * ms, ...result };
  });
}

function timelineOf(seconds: number, repeats: number, text: string): TimelineEvent[] {
  const nodes = [1, 2, 3].map((node): TimelineEvent => ({ kind: 'node', tNs: 100 * ms, node, state: 'ready' }));
  const leaders = partitions.map(
    (partition): TimelineEvent => ({ kind: 'leader', tNs: 500 * ms, topic: 'orders', partition, leader: 1 + partition, term: 1 }),
  );
  const each = (seconds * 1000 - 10_000) / repeats;
  const rounds = Array.from({ length: repeats }, (_, i): TimelineEvent[] => {
    const at = (after: number): number => (10_000 + i * each + after) * ms;
    const repeat = i + 1;
    return [
      { kind: 'phase', tNs: at(-500), phase: 'calm', repeat },
      { kind: 'phase', tNs: at(-1), phase: 'fault', repeat },
      {
        kind: 'fault-began',
        tNs: at(0),
        fault: repeat,
        repeat,
        name: 'kill',
        what: text,
        nodes: [1],
        partitionsLed: [{ topic: 'orders', partition: 0 }],
      },
      { kind: 'node', tNs: at(1), node: 1, state: 'ended', exit: { code: null, signal: 'SIGKILL', expected: true } },
      { kind: 'fault-proven', tNs: at(5), fault: repeat, proofs: [{ claim: text, holds: true, evidence: text }] },
      { kind: 'leader', tNs: at(250), topic: 'orders', partition: 0, leader: 2, term: 1 + repeat },
      { kind: 'node', tNs: at(each / 4), node: 1, state: 'started' },
      { kind: 'fault-ended', tNs: at(each / 4), fault: repeat, by: 'schedule' },
      { kind: 'fully-replicated', tNs: at(each / 2), repeat },
    ];
  });
  return [
    { kind: 'phase', tNs: 0, phase: 'start', repeat: 0 },
    ...nodes,
    ...leaders,
    { kind: 'remark', tNs: 1000 * ms, text },
    ...rounds.flat(),
    { kind: 'phase', tNs: (seconds - 1) * 1000 * ms, phase: 'settle', repeat: 0 },
    { kind: 'phase', tNs: seconds * 1000 * ms, phase: 'end', repeat: 0 },
  ];
}
