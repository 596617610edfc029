/**
 * A bound on bytes that are in memory at one time. Takers either get their share at
 * once, or are refused (`tryTake`), or wait in order (`take`).
 *
 * One taker may exceed the limit if it is alone, so that a limit below the largest
 * request slows things down but never blocks them for ever.
 */
import type { Clock } from '../ports/clock.ts';

interface Waiting {
  readonly bytes: number;
  readonly grant: () => void;
}

export interface ByteBudget {
  readonly bytesMax: number;
  used: number;
  readonly queue: Waiting[];
}

export const createByteBudget = (bytesMax: number): ByteBudget => ({ bytesMax, used: 0, queue: [] });

const fits = (budget: ByteBudget, bytes: number): boolean => budget.used === 0 || budget.used + bytes <= budget.bytesMax;

export function tryTake(budget: ByteBudget, bytes: number): boolean {
  if (budget.queue.length > 0 || !fits(budget, bytes)) return false;
  budget.used += bytes;
  return true;
}

/** Resolves to whether the share was granted before `timeoutMs` passed. */
export function take(budget: ByteBudget, bytes: number, clock: Clock, timeoutMs: number): Promise<boolean> {
  if (tryTake(budget, bytes)) return Promise.resolve(true);
  return new Promise((resolve) => {
    const waiting: Waiting = {
      bytes,
      grant: () => {
        cancelTimer();
        resolve(true);
      },
    };
    const cancelTimer = clock.after(timeoutMs, () => {
      budget.queue.splice(budget.queue.indexOf(waiting), 1);
      resolve(false);
      grantWaiting(budget);
    });
    budget.queue.push(waiting);
  });
}

export function giveBack(budget: ByteBudget, bytes: number): void {
  budget.used -= bytes;
  grantWaiting(budget);
}

function grantWaiting(budget: ByteBudget): void {
  for (let next = budget.queue[0]; next !== undefined && fits(budget, next.bytes); next = budget.queue[0]) {
    budget.queue.shift();
    budget.used += next.bytes;
    next.grant();
  }
}
