/**
 * A fault with an end: it heals by itself when its time is over, whoever forgets it.
 *
 * Invariants: a fault is healed exactly once, whoever asks first, the caller or the time;
 * nobody who asks is told before it is over. A fault that fails to take effect has nothing
 * to heal, and a heal that fails is told to everyone who asks.
 */
import { assert } from '@balsa/node/core/assert.ts';

/** Ends a fault; does nothing where it is over already. */
export type Heal = () => void | Promise<void>;
/** Takes effect, and returns what ends it. */
export type Fault = () => Heal | Promise<Heal>;

export interface LastingFault extends AsyncDisposable {
  /** Undefined while it lasts. */
  readonly ended: () => 'healed' | 'expired' | undefined;
  /** Settles when it is over, also if it has expired before; rejects if its end failed. */
  readonly heal: () => Promise<void>;
}

/** Longest life of a fault; no run of the harness needs more. */
export const ttlMsMax = 3_600_000;

/** Settles when the fault has taken effect; from then on it lasts `ttlMs`, or until it is healed. */
export async function applyFor(fault: Fault, ttlMs: number): Promise<LastingFault> {
  assert(ttlMs > 0 && ttlMs <= ttlMsMax, `a fault lasts up to ${ttlMsMax} ms`, { ttlMs });
  const undo = await fault();
  let ended: 'healed' | 'expired' | undefined;
  let healing: Promise<void> | undefined;
  const end = (how: 'healed' | 'expired'): Promise<void> => {
    clearTimeout(expiry);
    healing ??= (async () => {
      await undo();
      ended = how;
    })();
    return healing;
  };
  // A failure is told to the next one who heals; here is nobody to tell.
  const expiry = setTimeout(() => void end('expired').catch(() => undefined), ttlMs);
  const heal = (): Promise<void> => end('healed');
  return { ended: () => ended, heal, [Symbol.asyncDispose]: heal };
}
