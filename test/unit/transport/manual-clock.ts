/** A clock that moves when the test says so; timers that are due together run in the order they were set. */
import type { Clock } from '@balsa/node/ports/clock.ts';

export interface ManualClock extends Clock {
  /** Moves on, running what becomes due on the way. */
  readonly advance: (ms: number) => void;
}

export function createManualClock(): ManualClock {
  let nowMs = 0;
  let serial = 0;
  const timers = new Map<number, { readonly dueMs: number; readonly run: () => void }>();
  const after = (delayMs: number, run: () => void): (() => void) => {
    const id = serial++;
    timers.set(id, { dueMs: nowMs + delayMs, run });
    return () => void timers.delete(id);
  };
  const next = (limitMs: number) =>
    [...timers].filter(([, { dueMs }]) => dueMs <= limitMs).sort(([a, x], [b, y]) => x.dueMs - y.dueMs || a - b)[0];
  return {
    monotonicMs: () => nowMs,
    wallMs: () => nowMs,
    after,
    every: () => {
      throw new Error('not used');
    },
    nextTurn: (run) => void after(0, run),
    advance: (ms) => {
      const end = nowMs + ms;
      for (let due = next(end); due !== undefined; due = next(end)) {
        timers.delete(due[0]);
        nowMs = due[1].dueMs;
        due[1].run();
      }
      nowMs = end;
    },
  };
}
