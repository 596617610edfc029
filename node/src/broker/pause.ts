/** Waiting on the broker's clock. */
import type { Clock } from '../ports/clock.ts';

export const pause = (clock: Clock, delayMs: number): Promise<void> =>
  new Promise((resolve) => {
    clock.after(delayMs, resolve);
  });

const pollMs = 10;

/** Looks at `holds` every few milliseconds; resolves to whether it held before `timeoutMs` passed. */
export async function waitUntil(clock: Clock, timeoutMs: number, holds: () => boolean): Promise<boolean> {
  const deadlineMs = clock.monotonicMs() + timeoutMs;
  while (!holds()) {
    if (clock.monotonicMs() >= deadlineMs) return false;
    await pause(clock, pollMs);
  }
  return true;
}
