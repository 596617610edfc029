/**
 * The time of the world: it stands still until told to go on. Events run in the order of
 * (due time, order of scheduling), and between two events all promise reactions are
 * drained, so a run depends on nothing but its inputs.
 *
 * Time is counted in whole microseconds: sums of fractions would depend on their order.
 */
import type { Clock } from '@balsa/node/ports/clock.ts';
import { createEventHeap, type TimedEvent } from './event-heap.ts';

export interface VirtualClock extends Clock {
  /** Runs everything that is due within the next `durationMs`. */
  readonly advance: (durationMs: number) => Promise<void>;
  /** Runs events until `condition` holds; throws after `limitMs` of virtual time. */
  readonly until: (what: string, condition: () => boolean, limitMs: number) => Promise<void>;
  /** Settles a promise; throws if it is pending after `limitMs` of virtual time. */
  readonly settle: <Result>(what: string, promise: Promise<Result>, limitMs: number) => Promise<Result>;
  /** Events that ran so far. */
  readonly events: () => number;
}

/** 2020-09-13, so that wall time is recognisable in output. */
export const epochMs = 1_600_000_000_000;
const microsPerMs = 1000;
/** More events than that at one instant are a loop. */
const eventsAtOnceMax = 100_000;

export function createVirtualClock(): VirtualClock {
  const heap = createEventHeap();
  let nowUs = 0;
  let events = 0;
  /** Events since time last moved. */
  let atOnce = 0;
  const schedule = (delayMs: number, callback: () => void): TimedEvent =>
    heap.push(nowUs + Math.max(0, Math.ceil(delayMs * microsPerMs)), callback);
  const runNext = async (endUs: number): Promise<boolean> => {
    const next = heap.peek();
    if (next === undefined || next.dueUs > endUs) return false;
    heap.pop();
    atOnce = next.dueUs > nowUs ? 0 : atOnce + 1;
    if (atOnce > eventsAtOnceMax) throw new Error(`time stands still: more than ${eventsAtOnceMax} events at ${nowUs} µs`);
    nowUs = Math.max(nowUs, next.dueUs);
    events += 1;
    next.callback();
    await drain();
    return true;
  };
  const until = async (what: string, condition: () => boolean, limitMs: number): Promise<void> => {
    const endUs = nowUs + limitMs * microsPerMs;
    await drain();
    while (!condition()) if (!(await runNext(endUs))) throw new Error(`not within ${limitMs} ms of virtual time: ${what}`);
  };
  return {
    monotonicMs: () => nowUs / microsPerMs,
    wallMs: () => epochMs + Math.floor(nowUs / microsPerMs),
    after: (delayMs, callback) => {
      const event = schedule(delayMs, callback);
      return () => heap.cancel(event);
    },
    every: (periodMs, callback) => {
      const again = (): void => {
        event = schedule(periodMs, again);
        callback();
      };
      let event = schedule(periodMs, again);
      return () => heap.cancel(event);
    },
    nextTurn: (callback) => void schedule(0, callback),
    advance: async (durationMs) => {
      const endUs = nowUs + Math.round(durationMs * microsPerMs);
      await drain();
      while (await runNext(endUs)) continue;
      nowUs = endUs;
    },
    until,
    settle: async (what, promise, limitMs) => {
      let done = false;
      const finished = promise.finally(() => {
        done = true;
      });
      finished.catch(() => {});
      await until(what, () => done, limitMs);
      return await finished;
    },
    events: () => events,
  };
}

/** Lets all promise reactions run, however many follow from each other. */
function drain(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
