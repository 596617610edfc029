/** Figures of availability from hand-made probes and timelines. Times are milliseconds here. */
import { analyse } from '@balsa/chaos/availability/analyse.ts';
import { distributionOf } from '@balsa/chaos/availability/distribution.ts';
import { gapsWithin, seriesOf } from '@balsa/chaos/availability/gaps.ts';
import type { ProbeSample } from '@balsa/chaos/record/probe-sample.ts';
import type { TimelineEvent } from '@balsa/chaos/record/timeline.ts';
import { describe, expect, test } from 'vitest';

const ns = (ms: number): number => ms * 1e6;
const deadlineMs = 1000;

const sample = (dueMs: number, latencyMs: number | undefined, more: Partial<ProbeSample> = {}): ProbeSample => ({
  probe: 'write',
  topic: 'orders',
  partition: 0,
  dueNs: ns(dueMs),
  ...(latencyMs === undefined ? { error: 'TIMEOUT' } : { doneNs: ns(dueMs + latencyMs) }),
  ...more,
});

/** A probe every 20 ms from 0 to `endMs`, each answered after 2 ms; those due in [from, to) not at all. */
const probing = (endMs: number, from: number, to: number, more: Partial<ProbeSample> = {}): ProbeSample[] =>
  Array.from({ length: endMs / 20 }, (_, i) => sample(i * 20, i * 20 >= from && i * 20 < to ? undefined : 2, more));

const phase = (tMs: number, name: 'warmup' | 'calm' | 'fault' | 'settle', repeat: number): TimelineEvent => ({
  kind: 'phase',
  tNs: ns(tMs),
  phase: name,
  repeat,
});

const timelineOf = (beganMs: number, endedMs: number, repeat = 1): TimelineEvent[] => [
  phase(0, 'calm', repeat),
  phase(beganMs - 10, 'fault', repeat),
  {
    kind: 'fault-began',
    tNs: ns(beganMs),
    fault: 1,
    repeat,
    name: 'kill',
    what: 'kill -9 of node 1',
    nodes: [1],
    partitionsLed: [{ topic: 'orders', partition: 0 }],
  },
  { kind: 'leader', tNs: ns(beganMs + 300), topic: 'orders', partition: 0, leader: 2, term: 2 },
  { kind: 'fault-ended', tNs: ns(endedMs), fault: 1, by: 'schedule' },
  { kind: 'fully-replicated', tNs: ns(endedMs + 250), repeat },
  phase(4000, 'settle', 0),
];

describe('gaps', () => {
  const [series] = seriesOf([sample(0, 5), sample(20, 5), sample(500, 5)]);
  test('one that began before the window counts whole, one that is open at its end up to there', () => {
    expect(gapsWithin(series!, { fromNs: ns(100), toNs: ns(900) })).toEqual([
      { fromNs: ns(25), toNs: ns(505) },
      { fromNs: ns(505), toNs: ns(900) },
    ]);
  });
  test('without any success the whole window is one', () => {
    const [silent] = seriesOf([sample(100, undefined)]);
    expect(gapsWithin(silent!, { fromNs: ns(100), toNs: ns(900) })).toEqual([{ fromNs: ns(100), toNs: ns(900) }]);
  });
  test('an answer that is an error is no success', () => {
    const [refused] = seriesOf([sample(0, 5), sample(20, 5, { error: 'NOT_LEADER' })]);
    expect(refused!.successesNs).toEqual([ns(5)]);
  });
});

describe('a leader is killed at 1000 ms and comes back at 2000 ms; writes fail for 400 ms', () => {
  const figures = analyse({ timeline: timelineOf(1000, 2000), probes: probing(4000, 1000, 1400), deadlineMs });

  test('gap, first success and unavailable time', () => {
    // Last success 980 + 2, next one 1400 + 2.
    expect(figures.write?.longestGapMs).toEqual({ n: 1, min: 420, p50: 420, p95: 420, max: 420 });
    expect(figures.write?.firstSuccessMs.max).toBe(402);
    // Of the gap, what lies behind the beginning of the fault and exceeds 100 ms.
    expect(figures.write?.unavailableMs.max).toBe(302);
  });
  test('leader change and full replication count from the beginning and the end of the fault', () => {
    expect(figures.repeats).toMatchObject([{ repeat: 1, leaderChanges: 1, leaderChangeMs: 300, fullReplicationMs: 250, blastRadius: 0 }]);
  });
  test('latency before, during and after; what was not answered counts as the deadline', () => {
    const { before, during, after } = figures.write!.latency;
    expect(before).toMatchObject({ n: 50, p50Ms: 2, p999Ms: 2, missedShare: 0 });
    expect(during).toMatchObject({ n: 50, p50Ms: 2, p99Ms: deadlineMs, missedShare: 0.4 });
    expect(after).toMatchObject({ n: 100, p99Ms: 2, missedShare: 0 });
  });
  test('kinds that were not probed have no figures', () => {
    expect(figures.read).toBeUndefined();
    expect(figures.repeats[0]?.longestGapMs).toEqual({ write: 420 });
  });
});

test('the worst partition counts, and the share of those that were hit', () => {
  const probes = [...probing(4000, 1000, 1200), ...probing(4000, 1000, 2600, { partition: 1 })];
  const figures = analyse({ timeline: timelineOf(1000, 2000), probes, deadlineMs });
  expect(figures.write?.longestGapMs.max).toBe(1620);
  expect(figures.blastRadiusMax).toBe(0.5);
});

test('a partition that never serves again is unavailable to the end of the repeat', () => {
  const figures = analyse({ timeline: timelineOf(1000, 2000), probes: probing(4000, 1000, 5000), deadlineMs });
  expect(figures.write).toMatchObject({ longestGapMs: { max: 3018 }, firstSuccessMs: { max: 3000 }, unavailableMs: { max: 2900 } });
});

test('a repeat without a fault has no figures', () => {
  const timeline = [phase(0, 'calm', 1), phase(500, 'fault', 1), phase(900, 'settle', 0)];
  expect(analyse({ timeline, probes: probing(1000, 0, 0), deadlineMs })).toMatchObject({ repeats: [], write: undefined });
});

test('distributions are by nearest rank', () => {
  expect(distributionOf([])).toBeUndefined();
  expect(distributionOf([5, 1, 3])).toEqual({ n: 3, min: 1, p50: 3, p95: 5, max: 5 });
  expect(distributionOf(Array.from({ length: 20 }, (_, i) => i + 1))).toMatchObject({ p50: 10, p95: 19, max: 20 });
});
