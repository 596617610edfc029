/** One direction of a connection without its sockets: order, holes, ends and bounds. */
import { combined, healthy, type Impairment, impaired, unimpaired } from '@balsa/chaos/links/impairment.ts';
import {
  arrive,
  arriveEnd,
  createLane,
  depart,
  type End,
  isBroken,
  isFinished,
  isFull,
  type Lane,
  laneBytesMax,
  laneChunksMax,
} from '@balsa/chaos/links/lane.ts';
import { createTokenBucket, type TokenBucket } from '@balsa/chaos/links/token-bucket.ts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

const chunk = (text: string): Buffer => Buffer.from(text);
const next = (lane: Lane, impairment: Impairment, nowMs: number, bucket: TokenBucket = createTokenBucket()) =>
  depart(lane, impairment, bucket, nowMs);

describe('forward', () => {
  test('bytes leave at once, then the end, then nothing', () => {
    const lane = createLane();
    arrive(lane, chunk('one'), 0, 0);
    arrive(lane, chunk('two'), 0, 0);
    lane.end = 'fin';
    expect(next(lane, unimpaired, 0)).toEqual({ kind: 'bytes', bytes: chunk('one') });
    expect(next(lane, unimpaired, 0)).toEqual({ kind: 'bytes', bytes: chunk('two') });
    expect(isFinished(lane)).toBe(false);
    expect(next(lane, unimpaired, 0)).toEqual({ kind: 'end', how: 'fin', late: false });
    expect(isFinished(lane)).toBe(true);
    expect(next(lane, unimpaired, 0)).toEqual({ kind: 'wait', untilMs: undefined });
  });

  test('an end may leave later than the last byte, counted from its first sign', () => {
    const lane = createLane();
    const slow = impaired({ endDelayMs: 50 });
    arrive(lane, chunk('one'), 10, 0);
    arriveEnd(lane, 'fin', 10);
    arriveEnd(lane, 'reset', 20);
    expect(next(lane, slow, 20)).toEqual({ kind: 'bytes', bytes: chunk('one') });
    expect(next(lane, slow, 59)).toEqual({ kind: 'wait', untilMs: 60 });
    expect(next(lane, slow, 60)).toEqual({ kind: 'end', how: 'reset', late: true });
  });

  test('a reset after a fin is passed on as well', () => {
    const lane = createLane();
    lane.end = 'fin';
    next(lane, unimpaired, 0);
    lane.end = 'reset';
    expect(isFinished(lane)).toBe(false);
    expect(next(lane, unimpaired, 0)).toEqual({ kind: 'end', how: 'reset', late: false });
  });

  test('a delay counts from the arrival; jitter never lets a chunk overtake', () => {
    const lane = createLane();
    const slow = impaired({ delayMs: 50, jitterMs: 50 });
    arrive(lane, chunk('late'), 0, 1);
    arrive(lane, chunk('early'), 10, -1);
    expect(next(lane, slow, 99)).toEqual({ kind: 'wait', untilMs: 100 });
    expect(next(lane, slow, 100)).toMatchObject({ kind: 'bytes', bytes: chunk('late') });
    // It was due at 10 already.
    expect(next(lane, slow, 100)).toMatchObject({ kind: 'bytes', bytes: chunk('early') });
  });

  test('under a rate a chunk leaves in pieces', () => {
    const lane = createLane();
    const bucket = createTokenBucket();
    const narrow = impaired({ bytesPerSecond: 20_000 });
    arrive(lane, Buffer.alloc(2_500, 'x'), 0, 0);
    expect(next(lane, narrow, 0, bucket)).toMatchObject({ kind: 'bytes', bytes: Buffer.alloc(1_000, 'x') });
    expect(lane.heldBytes).toBe(1_500);
    expect(next(lane, narrow, 0, bucket)).toEqual({ kind: 'wait', untilMs: 50 });
    expect(next(lane, narrow, 50, bucket)).toMatchObject({ kind: 'bytes' });
    expect(next(lane, narrow, 75, bucket)).toMatchObject({ kind: 'bytes', bytes: Buffer.alloc(500, 'x') });
    expect(lane.heldBytes).toBe(0);
  });
});

describe('hold and swallow', () => {
  const hold = impaired({ delivery: 'hold' });
  const swallow = impaired({ delivery: 'swallow' });

  test('held bytes and ends stay until it is over', () => {
    const lane = createLane();
    arrive(lane, chunk('held'), 0, 0);
    lane.end = 'fin';
    expect(next(lane, hold, 1_000)).toEqual({ kind: 'wait', untilMs: undefined });
    expect(isBroken(lane, hold)).toBe(false);
    expect(next(lane, unimpaired, 1_000)).toMatchObject({ kind: 'bytes' });
    expect(next(lane, unimpaired, 1_000)).toMatchObject({ kind: 'end' });
  });

  test.each(['bytes', 'fin', 'reset'] as const)(
    'a lane that lost %s lets nothing out again, and is broken when the cut is over',
    (lost) => {
      const lane = createLane();
      if (lost === 'bytes') arrive(lane, chunk('lost'), 0, 0);
      else lane.end = lost;
      expect(next(lane, swallow, 0)).toEqual(lost === 'bytes' ? { kind: 'swallowed', bytes: 4 } : { kind: 'wait', untilMs: undefined });
      expect(lane.heldBytes).toBe(0);
      expect(isBroken(lane, swallow)).toBe(false);
      expect(isBroken(lane, unimpaired)).toBe(true);
      arrive(lane, chunk('after'), 0, 0);
      expect(next(lane, unimpaired, 0)).toEqual({ kind: 'swallowed', bytes: 5 });
    },
  );

  test('a cut that nothing came through leaves no hole', () => {
    const lane = createLane();
    expect(next(lane, swallow, 0)).toEqual({ kind: 'wait', untilMs: undefined });
    expect(isBroken(lane, unimpaired)).toBe(false);
  });
});

test('is full by bytes and by chunks', () => {
  const wide = createLane();
  arrive(wide, Buffer.alloc(laneBytesMax - 1), 0, 0);
  expect(isFull(wide)).toBe(false);
  arrive(wide, chunk('x'), 0, 0);
  expect(isFull(wide)).toBe(true);
  const long = createLane();
  for (let i = 0; i < laneChunksMax; i += 1) arrive(long, chunk('x'), 0, 0);
  expect(isFull(long)).toBe(true);
});

describe('any schedule', () => {
  const impairment = fc.oneof(
    fc.record({
      delivery: fc.constantFrom('forward', 'hold', 'swallow'),
      delayMs: fc.nat(30),
      bytesPerSecond: fc.constantFrom(5_000, 1e9),
    }),
    fc.constant({}),
  );
  type Event =
    | { readonly kind: 'bytes'; readonly bytes: number; readonly jitterShare: number }
    | { readonly kind: 'end'; readonly how: End }
    | { readonly kind: 'impair'; readonly to: Partial<Impairment> };
  const event: fc.Arbitrary<Event> = fc.oneof(
    fc.record({
      kind: fc.constant('bytes'),
      bytes: fc.integer({ min: 1, max: 2_000 }),
      jitterShare: fc.double({ min: -1, max: 1, noNaN: true }),
    }),
    fc.record({ kind: fc.constant('end'), how: fc.constantFrom('fin', 'reset') }),
    fc.record({ kind: fc.constant('impair'), to: impairment }),
  );
  const schedule = fc.array(fc.record({ afterMs: fc.nat(40), event }), { maxLength: 60 });

  /** Plays it; numbers in the bytes tell their places in the stream. */
  function play(steps: readonly { readonly afterMs: number; readonly event: Event }[]) {
    const lane = createLane();
    const bucket = createTokenBucket();
    const out: number[] = [];
    let [nowMs, sent, swallowed, holed, ended] = [0, 0, 0, false, false];
    let state = unimpaired;
    for (const { afterMs, event: what } of steps) {
      nowMs += afterMs;
      if (what.kind === 'impair') state = impaired(what.to);
      if (what.kind === 'end' && lane.end !== 'reset') lane.end = what.how;
      if (what.kind === 'bytes' && lane.end === undefined) {
        const from = sent;
        arrive(lane, Buffer.from(Array.from({ length: what.bytes }, (_, i) => (from + i) % 251)), nowMs, what.jitterShare);
        sent += what.bytes;
      }
      for (let step = depart(lane, state, bucket, nowMs); step.kind !== 'wait'; step = depart(lane, state, bucket, nowMs)) {
        if (step.kind === 'bytes') {
          expect([holed, ended], 'nothing leaves behind a hole or an end').toEqual([false, false]);
          out.push(...step.bytes);
        }
        if (step.kind === 'swallowed') swallowed += step.bytes;
        if (step.kind === 'end') ended = true;
        if (step.kind === 'end') expect(out.length, 'the end comes last').toBe(sent);
        holed = lane.holed;
      }
      expect(lane.queue.reduce((sum, { bytes }) => sum + bytes.length, 0)).toBe(lane.heldBytes);
      expect(out.length + swallowed + lane.heldBytes).toBe(sent);
    }
    return out;
  }

  test('what comes out is the beginning of what went in', () => {
    fc.assert(
      fc.property(schedule, (steps) => {
        for (const [place, byte] of play(steps).entries()) expect(byte).toBe(place % 251);
      }),
    );
  });
});

describe('layers', () => {
  const layer = (upstream: Partial<Impairment>, admission: 'accept' | 'refuse' = 'accept') => ({
    ...healthy,
    admission,
    upstream: impaired(upstream),
  });

  test('together they are as bad as each, and the order does not matter', () => {
    const layers = [
      layer({ delivery: 'hold', delayMs: 20, jitterMs: 5, bytesPerSecond: 1_000 }),
      layer({ delivery: 'swallow', delayMs: 10, jitterMs: 10, endDelayMs: 40 }, 'refuse'),
      layer({ bytesPerSecond: 500, endDelayMs: 30 }),
    ];
    const all = {
      admission: 'refuse',
      upstream: { delivery: 'swallow', delayMs: 30, jitterMs: 15, endDelayMs: 40, bytesPerSecond: 500 },
      downstream: unimpaired,
    };
    expect(combined(layers)).toEqual(all);
    expect(combined(layers.toReversed())).toEqual(all);
    expect(combined([])).toEqual(healthy);
  });

  test.each([{ delayMs: -1 }, { delayMs: Number.POSITIVE_INFINITY }, { jitterMs: 1 }, { delayMs: 1, jitterMs: -1 }, { bytesPerSecond: 0 }])(
    '%o is no impairment',
    (change) => {
      expect(() => impaired(change)).toThrow(/delay|jitter|rate/);
    },
  );
});
