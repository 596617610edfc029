/** The rate of a link: never faster than agreed, never starved, always at once without a limit. */
import { createTokenBucket, take } from '@balsa/chaos/links/token-bucket.ts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

const rate = 100_000;
/** 50 ms worth of the rate. */
const burst = 5_000;

test('no limit grants everything, and takes nothing from the bucket', () => {
  const bucket = createTokenBucket();
  expect(take(bucket, Number.POSITIVE_INFINITY, 1e9, 0)).toEqual({ kind: 'granted', bytes: 1e9 });
  expect(bucket).toEqual(createTokenBucket());
});

test('after a silence one burst passes at once, then the rate rules', () => {
  const bucket = createTokenBucket();
  expect(take(bucket, rate, 1_000_000, 0)).toEqual({ kind: 'granted', bytes: burst });
  expect(take(bucket, rate, 1_000_000, 0)).toEqual({ kind: 'wait', untilMs: 50 });
  expect(take(bucket, rate, 1_000_000, 49)).toEqual({ kind: 'wait', untilMs: 50 });
  expect(take(bucket, rate, 1_000_000, 50)).toEqual({ kind: 'granted', bytes: burst });
  // An hour saves up no more than that.
  expect(take(bucket, rate, 1_000_000, 3_600_000)).toEqual({ kind: 'granted', bytes: burst });
  expect(take(bucket, rate, 1, 3_600_000)).toMatchObject({ kind: 'wait' });
});

test('what is less than a burst is granted whole or waits whole', () => {
  const bucket = createTokenBucket();
  expect(take(bucket, rate, 4_000, 0)).toEqual({ kind: 'granted', bytes: 4_000 });
  expect(take(bucket, rate, 2_000, 0)).toEqual({ kind: 'wait', untilMs: 10 });
  expect(take(bucket, rate, 1_000, 0)).toEqual({ kind: 'granted', bytes: 1_000 });
});

test('a rate of next to nothing still lets small chunks pass', () => {
  const bucket = createTokenBucket();
  expect(take(bucket, 1, 1_000, 0)).toEqual({ kind: 'granted', bytes: 64 });
  expect(take(bucket, 1, 1_000, 0)).toEqual({ kind: 'wait', untilMs: 64_000 });
  expect(take(bucket, 1, 1_000, 64_000)).toEqual({ kind: 'granted', bytes: 64 });
});

test('a clock that goes back and comes again grants nothing for it', () => {
  const bucket = createTokenBucket();
  take(bucket, rate, burst, 100);
  expect(take(bucket, rate, burst, 60)).toMatchObject({ kind: 'wait' });
  expect(take(bucket, rate, burst, 149)).toEqual({ kind: 'wait', untilMs: 150 });
});

describe('any schedule', () => {
  const step = fc.record({ pauseMs: fc.double({ min: 0, max: 200, noNaN: true }), wantedBytes: fc.integer({ min: 1, max: 20_000 }) });

  test('grants no more than the rate and one burst, in any window', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 60 }), fc.integer({ min: 1, max: 1_000_000 }), (steps, bytesPerSecond) => {
        const burstBytes = Math.max(64, Math.floor(bytesPerSecond / 20));
        const bucket = createTokenBucket();
        const grants: { readonly atMs: number; readonly bytes: number }[] = [];
        let nowMs = 0;
        for (const { pauseMs, wantedBytes } of steps) {
          nowMs += pauseMs;
          const grant = take(bucket, bytesPerSecond, wantedBytes, nowMs);
          if (grant.kind === 'granted') grants.push({ atMs: nowMs, bytes: grant.bytes });
        }
        for (const [i, { atMs }] of grants.entries()) {
          let sum = 0;
          for (const grant of grants.slice(i)) {
            sum += grant.bytes;
            expect(sum).toBeLessThanOrEqual(burstBytes + ((grant.atMs - atMs) / 1000) * bytesPerSecond + 1e-6);
          }
        }
      }),
    );
  });

  test('a wait is over when it says, and not much earlier', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 20 }), fc.integer({ min: 1, max: 1_000_000 }), (steps, bytesPerSecond) => {
        const bucket = createTokenBucket();
        let nowMs = 0;
        for (const { pauseMs, wantedBytes } of steps) {
          nowMs += pauseMs;
          const first = take(bucket, bytesPerSecond, wantedBytes, nowMs);
          if (first.kind === 'granted') continue;
          expect(first.untilMs).toBeGreaterThan(nowMs);
          expect(take({ ...bucket }, bytesPerSecond, wantedBytes, nowMs + (first.untilMs - nowMs) * 0.99)).toMatchObject({ kind: 'wait' });
          // Timers are whole milliseconds; a rounding error is far below one.
          nowMs = first.untilMs + 1e-3;
          expect(take(bucket, bytesPerSecond, wantedBytes, nowMs)).toMatchObject({ kind: 'granted' });
        }
      }),
    );
  });
});
