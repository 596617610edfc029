/** A schedule that owes nothing to what became of the things before. */
import { createOpenLoop, takeDue } from '@balsa/chaos/workload/open-loop.ts';
import fc from 'fast-check';
import { expect, test } from 'vitest';

test('nothing is due before its time, and then what is', () => {
  const loop = createOpenLoop(100, 20);
  expect(takeDue(loop, 99)).toEqual([]);
  expect(takeDue(loop, 100)).toEqual([100]);
  expect(takeDue(loop, 119)).toEqual([]);
  expect(takeDue(loop, 165)).toEqual([120, 140, 160]);
});

test('however late and irregularly it is asked, every period is handed out once', () => {
  const property = fc.property(
    fc.array(fc.integer({ min: 0, max: 500 }), { maxLength: 50 }),
    fc.integer({ min: 1, max: 100 }),
    (pauses, periodMs) => {
      const loop = createOpenLoop(0, periodMs);
      let nowMs = 0;
      const due: number[] = [];
      for (const pauseMs of pauses) {
        nowMs += pauseMs;
        due.push(...takeDue(loop, nowMs));
      }
      expect(due).toEqual(pauses.length === 0 ? [] : Array.from({ length: Math.floor(nowMs / periodMs) + 1 }, (_, i) => i * periodMs));
    },
  );
  fc.assert(property);
});

test('after a long silence the oldest are skipped, and counted', () => {
  const loop = createOpenLoop(0, 10);
  expect(takeDue(loop, 1000, 3)).toEqual([980, 990, 1000]);
  expect(loop.skipped).toBe(98);
  expect(takeDue(loop, 1010, 3)).toEqual([1010]);
  expect(loop.skipped).toBe(98);
});

test('a factor changes the rate from now on', () => {
  const loop = createOpenLoop(0, 10);
  const perSecond = (from: number, factor: number): number => takeDue(loop, from + 999.9, Infinity, factor).length;
  expect([perSecond(0, 1), perSecond(1000, 20), perSecond(2000, 0.5), perSecond(3000, 1)]).toEqual([100, 2000, 50, 100]);
});
