/** The Clock and Random ports on the machine's own. */
import { randomBytes, randomInt } from 'node:crypto';
import type { Clock } from '../ports/clock.ts';
import type { Random } from '../ports/random.ts';

export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  after: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
  every: (periodMs, callback) => {
    const timer = setInterval(callback, periodMs);
    return () => clearInterval(timer);
  },
  nextTurn: (callback) => {
    setImmediate(callback);
  },
};

export const systemRandom: Random = {
  below: (exclusiveMax) => randomInt(exclusiveMax),
  hex: (bytes) => randomBytes(bytes).toString('hex'),
};
