/** The Clock and Random ports on the machine's own, for tests that use real sockets. */
import type { Clock } from '@balsa/node/ports/clock.ts';
import type { Random } from '@balsa/node/ports/random.ts';

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
  nextTurn: (callback) => void setImmediate(callback),
};

export const systemRandom: Random = {
  below: (exclusiveMax) => Math.floor(Math.random() * exclusiveMax),
  hex: (bytes) => Array.from({ length: bytes * 2 }, () => Math.floor(Math.random() * 16).toString(16)).join(''),
};
