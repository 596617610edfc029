/**
 * When operations of a simulated disk end. Those of one lane (a file, or all names) end in
 * the order in which they were called, those of different lanes as their latencies have it.
 * One that takes no time costs a microtask, any other one timer.
 */
import type { Clock } from '@balsa/node/ports/clock.ts';

export interface Lane {
  /** When its last operation ends, in time of the disk's clock. */
  endsMs: number;
  /** Operations that wait for a timer. */
  waiting: number;
}

export interface Completions {
  clock: Clock;
  /** No operation ends before. */
  stalledUntilMs: number;
  /** The process is gone: nothing settles any more. */
  isDead: boolean;
}

export const createLane = (): Lane => ({ endsMs: 0, waiting: 0 });

export const never = <T>(): Promise<T> => new Promise(() => undefined);

/** Calls `outcome` when the operation ends, and settles as it does. */
export function complete<T>(completions: Completions, lane: Lane, latencyMs: number, outcome: () => T): Promise<T> {
  const nowMs = completions.clock.monotonicMs();
  const endsMs = Math.max(nowMs, lane.endsMs, completions.stalledUntilMs) + latencyMs;
  lane.endsMs = endsMs;
  const isAtOnce = endsMs === nowMs && lane.waiting === 0;
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      if (!isAtOnce) lane.waiting--;
      if (completions.isDead) return;
      try {
        resolve(outcome());
      } catch (error) {
        reject(error);
      }
    };
    if (isAtOnce) {
      queueMicrotask(settle);
      return;
    }
    lane.waiting++;
    completions.clock.after(endsMs - nowMs, settle);
  });
}
