/**
 * A clock that stands still until told to go on. Events run in the order of (due time,
 * order of scheduling); between two events all promise reactions are drained, so a run
 * depends on nothing but its inputs.
 */
import type { Clock } from '@balsa/node/ports/clock.ts';

interface Timer {
  readonly dueMs: number;
  readonly sequence: number;
  readonly callback: () => void;
  cancelled: boolean;
}

export interface VirtualClock extends Clock {
  /** Runs everything that is due within the next `durationMs`. */
  readonly advance: (durationMs: number) => Promise<void>;
  /** Runs events until `condition` holds; throws after `limitMs` of virtual time. */
  readonly until: (what: string, condition: () => boolean, limitMs: number) => Promise<void>;
}

/** 2020-09-13, so that wall time is recognisable in test output. */
const epochMs = 1_600_000_000_000;

export function createVirtualClock(): VirtualClock {
  const timers: Timer[] = [];
  let nowMs = 0;
  let sequence = 0;
  const schedule = (dueMs: number, callback: () => void): Timer => {
    sequence += 1;
    const timer = { dueMs, sequence, callback, cancelled: false };
    const place = timers.findIndex((other) => other.dueMs > dueMs);
    timers.splice(place === -1 ? timers.length : place, 0, timer);
    return timer;
  };
  const runNext = async (endMs: number): Promise<boolean> => {
    await drain();
    const next = timers[0];
    if (next === undefined || next.dueMs > endMs) return false;
    timers.shift();
    nowMs = Math.max(nowMs, next.dueMs);
    if (!next.cancelled) next.callback();
    return true;
  };
  return {
    monotonicMs: () => nowMs,
    wallMs: () => epochMs + Math.floor(nowMs),
    after: (delayMs, callback) => {
      const timer = schedule(nowMs + Math.max(0, delayMs), callback);
      return () => {
        timer.cancelled = true;
      };
    },
    every: (periodMs, callback) => {
      let timer = schedule(nowMs + periodMs, again);
      function again(): void {
        timer = schedule(timer.dueMs + periodMs, again);
        callback();
      }
      return () => {
        timer.cancelled = true;
      };
    },
    nextTurn: (callback) => void schedule(nowMs, callback),
    advance: async (durationMs) => {
      const endMs = nowMs + durationMs;
      while (await runNext(endMs)) continue;
      nowMs = endMs;
    },
    until: async (what, condition, limitMs) => {
      const endMs = nowMs + limitMs;
      await drain();
      while (!condition()) {
        if (!(await runNext(endMs))) throw new Error(`not within ${limitMs} ms of virtual time: ${what}`);
        await drain();
      }
    },
  };
}

/** Lets all promise reactions run, however many follow from each other. */
function drain(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
