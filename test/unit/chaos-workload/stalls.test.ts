/** The harness tells when it was itself held up. */
import { setTimeout as delay } from 'node:timers/promises';
import { outageMs } from '@balsa/chaos/availability/analyse.ts';
import { stallMsMin, watchStalls } from '@balsa/chaos/workload/stalls.ts';
import { expect, test } from 'vitest';

test('a blocked event loop is told, with how long it was', async () => {
  const stallsMs: number[] = [];
  const beganMs = performance.now();
  const stop = watchStalls((ms) => stallsMs.push(ms));
  await delay(30);
  const endMs = performance.now() + 300;
  while (performance.now() < endMs);
  await delay(30);
  stop();
  expect(Math.max(...stallsMs)).toBeGreaterThan(280);
  expect(stallsMs.reduce((sum, ms) => sum + ms, 0)).toBeLessThan(performance.now() - beganMs);
  const told = stallsMs.length;
  const againMs = performance.now() + 2 * stallMsMin;
  while (performance.now() < againMs);
  await delay(30);
  expect(stallsMs).toHaveLength(told);
});

test('no stall is long enough to pass for an outage and too short to be told', () => {
  // With a probe period of 20 ms, and as much for the probe itself.
  expect(stallMsMin + 2 * 20).toBeLessThan(outageMs);
});
