/**
 * The switch that everything durable or visible hangs on. Once the power is off no work of
 * a device begins, and no answer is given any more: nothing that is about to be lost has a
 * consequence.
 */
import type { Clock } from '../ports/clock.ts';

export interface Power {
  readonly isOff: () => boolean;
  /** At once; resolves when no work of a device is under way any more, at the latest after `waitMsMax`. */
  readonly switchOff: (waitMsMax: number) => Promise<void>;
  /** What the operating system does: waited for when the power goes, as it would be done after the roll-back. */
  readonly device: <T>(work: () => Promise<T>) => Promise<T>;
  /** What waits for devices itself: never answered once the power is off, and not waited for. */
  readonly answer: <T>(work: () => Promise<T>) => Promise<T>;
}

export const never = <T>(): Promise<T> => new Promise<T>(() => {});

export function createPower(clock: Pick<Clock, 'after'>): Power {
  const underWay = new Set<Promise<unknown>>();
  let off = false;
  const answer = async <T>(work: () => Promise<T>): Promise<T> => {
    if (off) return never();
    try {
      return await work();
    } finally {
      if (off) await never();
    }
  };
  return {
    isOff: () => off,
    switchOff: async (waitMsMax) => {
      off = true;
      const late = Promise.withResolvers<void>();
      const cancel = clock.after(waitMsMax, late.resolve);
      await Promise.race([late.promise, Promise.allSettled(underWay)]);
      cancel();
    },
    device: (work) =>
      answer(() => {
        const promise = work();
        underWay.add(promise);
        return promise.finally(() => underWay.delete(promise));
      }),
    answer,
  };
}
