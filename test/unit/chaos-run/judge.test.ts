/** Outcomes of hand-made runs: each of the four results, and why. */
import type { HistoryEvent } from '@balsa/chaos/history/event.ts';
import type { ProbeSample } from '@balsa/chaos/record/probe-sample.ts';
import type { TimelineEvent } from '@balsa/chaos/record/timeline.ts';
import { type Evidence, judge } from '@balsa/chaos/run/judge.ts';
import { scenarioSchema } from '@balsa/chaos/scenario/scenario.ts';
import { describe, expect, test } from 'vitest';

const ms = 1e6;
const nodes = [1, 2, 3];

const scenario = (expectations: object = {}) =>
  scenarioSchema.parse({
    name: 'test',
    title: 'a test',
    topics: [{ name: 'orders', partitions: 1 }],
    load: { probes: {} },
    steps: [{ strike: 'kill' }],
    expect: { ackedMin: 10, ...expectations },
  });

/** Twenty sends of one record, one every 100 ms from 1000 ms on, all acknowledged and drained, but for `lost`. */
function historyOf(lost: readonly number[] = []): HistoryEvent[] {
  const events: HistoryEvent[] = [];
  let op = 0;
  const place = { topic: 'orders', partition: 0 };
  const add = (tMs: number, invoke: object, ok: object): void => {
    const stamp = { op: op++, process: `p${op}` };
    events.push({ type: 'invoke', tNs: tMs * ms, ...stamp, ...invoke } as HistoryEvent);
    events.push({ type: 'ok', tNs: tMs * ms + 1, ...stamp, f: (invoke as { f: string }).f, ...ok } as HistoryEvent);
  };
  add(0, { f: 'create-topic', topic: 'orders' }, { incarnation: 'one' });
  for (let i = 0; i < 20; i += 1) {
    add(1000 + i * 100, { f: 'send', ...place, session: 's', acks: 'quorum', idempotent: true, records: [{ id: i }] }, { offsets: [i] });
  }
  const records = Array.from({ length: 20 }, (_, i) => ({ offset: i, id: i })).filter(({ id }) => !lost.includes(id));
  const bounds = { highWatermark: 20, logStart: 0 };
  add(9000, { f: 'poll', ...place, source: 'drain' }, { records, ...bounds });
  for (const node of nodes) add(9100 + node, { f: 'poll', ...place, source: 'replica', node }, { records, ...bounds });
  return events;
}

const proof = (holds: boolean) => ({ claim: 'node 1 is down', holds, evidence: 'seen' });

function timelineOf(proofs = [proof(true)]): TimelineEvent[] {
  return [
    { kind: 'phase', tNs: 0, phase: 'calm', repeat: 1 },
    { kind: 'phase', tNs: 1990 * ms, phase: 'fault', repeat: 1 },
    { kind: 'fault-began', tNs: 2000 * ms, fault: 1, repeat: 1, name: 'kill', what: 'kill -9 of node 1', nodes: [1], partitionsLed: [] },
    ...(proofs.length === 0 ? [] : [{ kind: 'fault-proven', tNs: 2010 * ms, fault: 1, proofs } as const]),
    { kind: 'fault-ended', tNs: 2500 * ms, fault: 1, by: 'schedule' },
    { kind: 'fully-replicated', tNs: 2600 * ms, repeat: 1 },
    { kind: 'phase', tNs: 4000 * ms, phase: 'settle', repeat: 0 },
  ];
}

const probes: ProbeSample[] = Array.from({ length: 40 }, (_, i) => ({
  probe: 'write',
  topic: 'orders',
  partition: 0,
  dueNs: i * 100 * ms,
  doneNs: (i * 100 + 5) * ms,
}));

const evidence = (more: Partial<Evidence> = {}): Evidence => ({
  scenario: scenario(),
  history: historyOf(),
  timeline: timelineOf(),
  probes,
  cluster: [],
  ...more,
});

test('a run that kept every promise passes', () => {
  expect(judge(evidence())).toMatchObject({ result: 'pass', vacuous: [], missed: [], verdict: { outcome: 'pass' } });
});

describe('fail', () => {
  test('an acknowledged record is missing', () => {
    expect(judge(evidence({ history: historyOf([7]) }))).toMatchObject({ result: 'fail', verdict: { counts: { 'lost-write': 1 } } });
  });
  test('a broker ended by itself, whatever the clients saw', () => {
    expect(judge(evidence({ cluster: [{ node: 2, what: 'ended with exit code 70' }] }))).toMatchObject({ result: 'fail' });
  });
});

describe('vacuous', () => {
  test.each([
    ['a proof does not hold', timelineOf([proof(true), proof(false)]), 'fault-without-effect'],
    ['a fault has no proof', timelineOf([]), 'fault-without-effect'],
    ['there was no fault', timelineOf().filter(({ kind }) => !kind.startsWith('fault')), 'fault-without-effect'],
  ])('%s', (_, timeline, gate) => {
    const { result, vacuous } = judge(evidence({ timeline }));
    expect(result).toBe('vacuous');
    expect(vacuous.map((each) => each.gate)).toContain(gate);
  });
  test.each([
    ['too little was acknowledged', { ackedMin: 21 }, 'acked-min'],
    ['too little while the fault was on', { ackedDuringFaultMin: 6 }, 'progress-during-fault'],
    ['no leader changed', { leaderChangesMin: 1 }, 'leader-changes'],
  ])('%s', (_, expectations, gate) => {
    const { result, vacuous } = judge(evidence({ scenario: scenario(expectations) }));
    expect([result, vacuous.map((each) => each.gate)]).toEqual(['vacuous', [gate]]);
  });
  test('five records were acknowledged while the fault was on', () => {
    expect(judge(evidence({ scenario: scenario({ ackedDuringFaultMin: 5 }) })).result).toBe('pass');
  });
  test('a replica was not read at the end', () => {
    const history = historyOf().filter((event) => !('node' in event) || event.node !== 3);
    const { result, vacuous } = judge(
      evidence({ history: history.filter(({ op }) => history.some((each) => each.op === op && each.type === 'invoke')) }),
    );
    expect([result, vacuous.map((each) => each.gate)]).toEqual(['vacuous', ['replicas-read']]);
  });
});

describe('unavailable', () => {
  test('a gap is longer than its bar', () => {
    const { result, missed } = judge(evidence({ scenario: scenario({ writeGapMsMax: 50 }) }));
    expect([result, missed]).toEqual(['unavailable', [{ gate: 'write-gap', detail: '100 ms, the bar is 50 ms' }]]);
  });
  test('what has a bar and was not measured misses it', () => {
    expect(judge(evidence({ scenario: scenario({ readGapMsMax: 50 }) })).result).toBe('unavailable');
  });
  test('a replica never caught up', () => {
    const timeline = timelineOf().filter(({ kind }) => kind !== 'fully-replicated');
    expect(judge(evidence({ timeline }))).toMatchObject({ result: 'unavailable', missed: [{ gate: 'full-replication' }] });
  });
});

describe('leader changes', () => {
  const changed = (tMs: number): TimelineEvent => ({ kind: 'leader', tNs: tMs * ms, topic: 'orders', partition: 0, leader: 1, term: 1 });
  const judged = (tMs: number) =>
    judge(
      evidence({
        scenario: scenario({ leaderChangesMax: 0 }),
        timeline: [...timelineOf(), changed(tMs)].toSorted((a, b) => a.tNs - b.tNs),
      }),
    );

  test('while a fault is on they count', () => {
    expect(judged(2100)).toMatchObject({ result: 'unavailable', missed: [{ gate: 'leader-changes', detail: '1 , the bar is 0' }] });
  });
  test('the first leader, and one after a stop, do not', () => {
    expect(judged(1).result).toBe('pass');
    expect(judged(9000).result).toBe('pass');
  });
});

describe('a scenario that breaks a promise on purpose', () => {
  const wanted = scenario({ anomalies: ['lost-write'] });
  test('passes if the checker found what it has to', () => {
    expect(judge(evidence({ scenario: wanted, history: historyOf([7]) })).result).toBe('pass');
  });
  test('fails if nothing was found', () => {
    expect(judge(evidence({ scenario: wanted })).result).toBe('fail');
  });
});
