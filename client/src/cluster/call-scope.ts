/** Bounds of one call of the public surface: how long it may take and how its caller can abort it. */
import { type Duration, durationMs } from '../duration.ts';
import { BalsaError } from '../errors.ts';
import type { Clock } from '../ports/clock.ts';

/** Last argument of every call. */
export interface CallOptions {
  /** Aborts the call; it then fails with ABORTED. */
  readonly signal?: AbortSignal | undefined;
  /** Longest time the call may take, retries included; it then fails with TIMEOUT. */
  readonly timeout?: Duration | undefined;
}

export interface CallScope {
  /** Monotonic time of the end; Infinity for calls that end only by success, failure or abort. */
  readonly deadlineMs: number;
  readonly signal: AbortSignal | undefined;
}

export function openScope(clock: Clock, options: CallOptions, defaultTimeoutMs: number): CallScope {
  const timeoutMs = options.timeout === undefined ? defaultTimeoutMs : durationMs(options.timeout, 'timeout');
  return { deadlineMs: clock.monotonicMs() + timeoutMs, signal: options.signal };
}

export function remainingMs(clock: Clock, scope: CallScope): number {
  return scope.deadlineMs - clock.monotonicMs();
}

/** Throws ABORTED or TIMEOUT if the call is over; `reason` is the last failure. */
export function checkScope(clock: Clock, scope: CallScope, reason?: BalsaError): void {
  if (scope.signal?.aborted === true) throw aborted(scope.signal);
  if (remainingMs(clock, scope) <= 0) throw timedOut(reason);
}

export function aborted(signal: AbortSignal, effect?: 'none'): BalsaError {
  return new BalsaError('ABORTED', { cause: signal.reason, effect });
}

export function timedOut(reason: BalsaError | undefined): BalsaError {
  if (reason === undefined) return new BalsaError('TIMEOUT');
  const { topic, partition, leader } = reason;
  return new BalsaError('TIMEOUT', {
    detail: `No success before the deadline; last: ${reason.message}`,
    cause: reason,
    topic,
    partition,
    leader,
  });
}

/** Waits, at most to the scope's end; rejects at once when the caller aborts. */
export function pause(clock: Clock, scope: CallScope, ms: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const { signal } = scope;
    if (signal?.aborted === true) {
      reject(aborted(signal));
      return;
    }
    const cancel = clock.after(Math.max(0, Math.min(ms, remainingMs(clock, scope))), () => {
      signal?.removeEventListener('abort', abort);
      resolve();
    });
    const abort = () => {
      cancel();
      if (signal !== undefined) reject(aborted(signal));
    };
    signal?.addEventListener('abort', abort, { once: true });
  });
}

/** `work`, unless the scope ends first; shared work goes on without this caller. */
export function withinScope<Result>(clock: Clock, scope: CallScope, work: Promise<Result>): Promise<Result> {
  const { signal } = scope;
  return new Promise((resolve, reject) => {
    const stop = () => {
      finish();
      reject(signal?.aborted === true ? aborted(signal) : timedOut(undefined));
    };
    const cancel = scope.deadlineMs === Number.POSITIVE_INFINITY ? undefined : clock.after(Math.max(0, remainingMs(clock, scope)), stop);
    const finish = () => {
      cancel?.();
      signal?.removeEventListener('abort', stop);
    };
    if (signal?.aborted === true) stop();
    else signal?.addEventListener('abort', stop, { once: true });
    void work.then(resolve, reject).finally(finish);
  });
}
