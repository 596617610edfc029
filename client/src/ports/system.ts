/** The real clock and the real source of randomness. */
import type { Clock } from './clock.ts';
import type { Random } from './random.ts';

/** Node's timers fire at once beyond this. */
const timerMsMax = 2 ** 31 - 1;

export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  after: (delayMs, callback) => {
    const timer = setTimeout(callback, Math.min(delayMs, timerMsMax));
    return () => clearTimeout(timer);
  },
  nextTurn: (callback) => {
    setImmediate(callback);
  },
};

export const systemRandom: Random = {
  below: (exclusiveMax) => Math.floor(Math.random() * exclusiveMax),
};
