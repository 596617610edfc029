/** Waiting for a partition to move: new data, or a change of leadership. */
import type { Clock } from '../ports/clock.ts';
import type { PartitionReplica } from './partition-replica.ts';

/** Resolves at the next move of `replica`, after `timeoutMs`, or when `signal` aborts; the caller looks again. */
export function nextMove(replica: PartitionReplica, clock: Clock, timeoutMs: number, signal: AbortSignal | undefined): Promise<void> {
  if (signal?.aborted === true) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      replica.waiters.delete(done);
      cancelTimer();
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const cancelTimer = clock.after(timeoutMs, done);
    signal?.addEventListener('abort', done, { once: true });
    replica.waiters.add(done);
  });
}
