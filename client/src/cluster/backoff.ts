/**
 * Pauses between tries. The first are short, because a failover takes a few hundred
 * milliseconds; the cap keeps a long outage from becoming a busy loop. Jitter (half of
 * the pause) keeps clients from trying in step.
 */
import type { Random } from '../ports/random.ts';

const firstMs = 10;
const capMs = 500;
const steps = 1024;

/** Milliseconds to wait after `failures` (1 or more) failures in a row. */
export function backoffMs(failures: number, random: Random): number {
  const full = Math.min(capMs, firstMs * 2 ** Math.min(failures, 16));
  return full / 2 + (full / 2) * (random.below(steps) / steps);
}
