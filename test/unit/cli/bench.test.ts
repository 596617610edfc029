import { describe, expect, test } from 'vitest';
import { Latencies } from '../../../client/cli/bench/latencies.ts';
import { createPacer } from '../../../client/cli/bench/pacer.ts';

describe('bench', () => {
  test('percentiles have three digits', () => {
    const latencies = new Latencies();
    for (let ms = 1; ms <= 1000; ms += 1) latencies.record(ms);
    const { count, p50Ms, p95Ms, p99Ms, maxMs } = latencies.summary();
    expect(count).toBe(1000);
    for (const [actual, expected] of [
      [p50Ms, 500],
      [p95Ms, 950],
      [p99Ms, 990],
      [maxMs, 1000],
    ] as const) {
      expect(Math.abs(actual - expected) / expected).toBeLessThan(0.002);
    }
  });

  test('no latency at all, and one below the resolution', () => {
    const latencies = new Latencies();
    expect(latencies.summary()).toEqual({ count: 0, p50Ms: 0, p95Ms: 0, p99Ms: 0, maxMs: 0 });
    latencies.record(0);
    expect(latencies.summary().maxMs).toBe(0.001);
  });

  test('an open loop stays on its schedule whatever happens', () => {
    const pacer = createPacer(1000, 200);
    expect([pacer.dueMs(0), pacer.dueMs(1), pacer.dueMs(200)]).toEqual([1000, 1005, 2000]);
    expect([999, 1000, 1004, 1005, 2000].map((nowMs) => pacer.dueCount(nowMs))).toEqual([0, 1, 1, 2, 201]);
  });
});
