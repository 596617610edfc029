/** The harness tells when it was itself held up. */
import { setTimeout as delay } from 'node:timers/promises';
import { outageMs } from '@balsa/chaos/availability/analyse.ts';
import { createStallMeter, stallMsMin, watchStalls } from '@balsa/chaos/workload/stalls.ts';
import { expect, test } from 'vitest';

/** Ticks that come every 10 ms but for some that are late by so much. */
function tellOf(
  ticks: number,
  late: Readonly<Record<number, number>>,
): { readonly told: readonly number[]; readonly atEnd: readonly number[] } {
  const told: number[] = [];
  const meter = createStallMeter(0, (ms) => told.push(ms));
  let nowMs = 0;
  for (let tick = 1; tick <= ticks; tick += 1) {
    nowMs += 10 + (late[tick] ?? 0);
    meter.tick(nowMs);
  }
  const before = [...told];
  meter.end();
  return { told: before, atEnd: told.slice(before.length) };
}

test('a timer that is never late has nothing to tell, and what is a little late is no stall', () => {
  expect(tellOf(1000, {})).toEqual({ told: [], atEnd: [] });
  expect(tellOf(1000, { 5: 49, 6: 49, 700: 49 })).toEqual({ told: [], atEnd: [] });
});

test('a stall is told at once; more of them within a second in sum, when it is over', () => {
  expect(tellOf(2, { 2: 300 })).toEqual({ told: [300], atEnd: [] });
  expect(tellOf(60, { 2: 300, 20: 60, 30: 70 })).toEqual({ told: [300], atEnd: [130] });
  expect(tellOf(200, { 2: 300, 20: 60, 30: 70 })).toEqual({ told: [300, 130], atEnd: [] });
  expect(tellOf(300, { 2: 300, 200: 60 })).toEqual({ told: [300, 60], atEnd: [] });
});

test('a blocked event loop is told, and no more than there was', async () => {
  const stallsMs: number[] = [];
  const beganMs = performance.now();
  const stop = watchStalls((ms) => stallsMs.push(ms));
  await delay(30);
  const endMs = performance.now() + 300;
  while (performance.now() < endMs);
  await delay(30);
  stop();
  const totalMs = stallsMs.reduce((sum, ms) => sum + ms, 0);
  expect(totalMs).toBeGreaterThan(280);
  expect(totalMs).toBeLessThan(performance.now() - beganMs);
  const told = stallsMs.length;
  await delay(30);
  expect(stallsMs).toHaveLength(told);
});

test('no stall is long enough to pass for an outage and too short to be told', () => {
  // With a probe period of 20 ms, and as much for the probe itself.
  expect(stallMsMin + 2 * 20).toBeLessThan(outageMs);
});
