/**
 * Time as one process of the world sees it: its clock may run fast or slow and show a wrong
 * wall time, and its callbacks run only while the process does. A paused process (SIGSTOP)
 * finds everything that happened meanwhile when it goes on, in order; a dead one, nothing.
 */
import type { Clock } from '@balsa/node/ports/clock.ts';
import type { VirtualClock } from './virtual-clock.ts';

export interface ProcessClock extends Clock {
  /** Runs `callback` now, when the process goes on, or never. */
  readonly enter: (callback: () => void) => void;
  readonly pause: () => void;
  readonly resume: () => void;
  readonly kill: () => void;
  readonly isPaused: () => boolean;
  readonly isDead: () => boolean;
  /** Moves the wall clock. */
  readonly stepWall: (deltaMs: number) => void;
}

export interface ProcessClockOptions {
  /** Seconds of this clock per second of the world. */
  readonly rate: number;
  readonly wallOffsetMs: number;
}

export function createProcessClock(world: VirtualClock, { rate, wallOffsetMs }: ProcessClockOptions): ProcessClock {
  const bornMs = world.monotonicMs();
  let offsetMs = wallOffsetMs;
  let isPaused = false;
  let isDead = false;
  /** What waits for the process to go on; nothing overtakes it. */
  let backlog: (() => void)[] = [];
  const enter = (callback: () => void): void => {
    if (isDead) return;
    if (isPaused || backlog.length > 0) backlog.push(callback);
    else callback();
  };
  /** Each is an event of its own, with promise reactions drained in between. */
  const catchUp = (): void => {
    if (isPaused || isDead || backlog.length === 0) return;
    const [next] = backlog;
    // Still listed while it runs, so that what it causes at once comes after the others.
    next?.();
    backlog.shift();
    world.nextTurn(catchUp);
  };
  const after: Clock['after'] = (delayMs, callback) => {
    let isWanted = true;
    const cancel = world.after(delayMs / rate, () => enter(() => isWanted && callback()));
    return () => {
      isWanted = false;
      cancel();
    };
  };
  return {
    // From above zero, as a monotonic clock counts from the start of the machine.
    monotonicMs: () => 1000 + (world.monotonicMs() - bornMs) * rate,
    wallMs: () => Math.floor(world.wallMs() + (world.monotonicMs() - bornMs) * (rate - 1) + offsetMs),
    after,
    every: (periodMs, callback) => {
      const again = (): void => {
        cancel = after(periodMs, again);
        callback();
      };
      let cancel = after(periodMs, again);
      return () => cancel();
    },
    nextTurn: (callback) => world.nextTurn(() => enter(callback)),
    enter,
    pause: () => {
      isPaused = true;
    },
    resume: () => {
      isPaused = false;
      world.nextTurn(catchUp);
    },
    kill: () => {
      isDead = true;
      backlog = [];
    },
    isPaused: () => isPaused,
    isDead: () => isDead,
    stepWall: (deltaMs) => {
      offsetMs += deltaMs;
    },
  };
}
