/**
 * A schedule that does not wait for what it started: what is due is due, whatever became of
 * the things before it. Pure; time comes in.
 */
export interface OpenLoop {
  readonly periodMs: number;
  nextMs: number;
  /** Due, but not handed out because it was asked for too late. */
  skipped: number;
}

export const createOpenLoop = (startMs: number, periodMs: number): OpenLoop => ({ periodMs, nextMs: startMs, skipped: 0 });

/**
 * Times that have become due, oldest first, at most `max`: after a long silence of the caller
 * the oldest are skipped and counted. `factor` divides the period from now on.
 */
export function takeDue(loop: OpenLoop, nowMs: number, max = Infinity, factor = 1): readonly number[] {
  const periodMs = loop.periodMs / factor;
  const behind = nowMs < loop.nextMs ? 0 : Math.floor((nowMs - loop.nextMs) / periodMs) + 1;
  const skipped = Math.max(0, behind - max);
  const firstMs = loop.nextMs + skipped * periodMs;
  loop.skipped += skipped;
  loop.nextMs = firstMs + (behind - skipped) * periodMs;
  return Array.from({ length: behind - skipped }, (_, i) => firstMs + i * periodMs);
}
