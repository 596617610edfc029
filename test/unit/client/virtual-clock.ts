/** A clock that jumps from one timer to the next: waiting costs nothing and order is reproducible. */
import type { Clock } from '@balsa/client';

interface Timer {
  readonly atMs: number;
  readonly order: number;
  readonly callback: () => void;
}

export interface VirtualClock extends Clock {
  /** Lets time pass until `work` settles; fails if nothing is left that could settle it, or after `limitMs` of virtual time. */
  readonly run: <T>(work: Promise<T>, limitMs?: number) => Promise<T>;
  /** Lets `ms` of virtual time pass. */
  readonly advance: (ms: number) => Promise<void>;
  readonly pendingTimers: () => number;
}

const settleTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

export function createVirtualClock(): VirtualClock {
  const timers = new Set<Timer>();
  let nowMs = 1_000;
  let order = 0;
  const after = (delayMs: number, callback: () => void) => {
    const timer = { atMs: nowMs + Math.max(0, delayMs), order: order++, callback };
    timers.add(timer);
    return () => void timers.delete(timer);
  };
  const fireNext = (): boolean => {
    let next: Timer | undefined;
    for (const timer of timers) {
      if (next === undefined || timer.atMs < next.atMs || (timer.atMs === next.atMs && timer.order < next.order)) next = timer;
    }
    if (next === undefined) return false;
    timers.delete(next);
    nowMs = Math.max(nowMs, next.atMs);
    next.callback();
    return true;
  };
  const run = async <T>(work: Promise<T>, limitMs = 600_000): Promise<T> => {
    let settled = false;
    const watched = work.finally(() => {
      settled = true;
    });
    watched.catch(() => undefined);
    const endMs = nowMs + limitMs;
    for (;;) {
      await settleTurn();
      if (settled) return await watched;
      if (nowMs > endMs) throw new Error(`not settled within ${limitMs} ms of virtual time`);
      if (!fireNext()) throw new Error('nothing is scheduled that could settle the work');
    }
  };
  return {
    monotonicMs: () => nowMs,
    wallMs: () => 1_700_000_000_000 + Math.floor(nowMs),
    after,
    nextTurn: (callback) => void after(0, callback),
    run,
    advance: (ms) => run(new Promise((resolve) => after(ms, resolve))),
    pendingTimers: () => timers.size,
  };
}

/** A small seeded generator (mulberry32), enough for jitter and faults in tests. */
export function seededRandom(seed: number): { readonly below: (exclusiveMax: number) => number } {
  let state = seed >>> 0;
  return {
    below: (exclusiveMax) => {
      state = (state + 0x6d2b79f5) >>> 0;
      let mixed = Math.imul(state ^ (state >>> 15), state | 1);
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
      return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * exclusiveMax);
    },
  };
}
