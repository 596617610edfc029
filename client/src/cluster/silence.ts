/**
 * Notices brokers that are silent. One that stands still or is cut off keeps its connections
 * open, and a request to it ends only with its time-out, long after the others have elected
 * another leader. So whoever waits for longer than `suspectMs` makes the client ask the
 * others who leads now, again and again while the silence lasts; a change of the view then
 * moves the waiting work.
 *
 * Silence proves nothing: a suspect is asked last, its answers count, and the suspicion ends with
 * time. Without an end nobody would hear that the broker speaks again, as long as any other
 * one answers, even if that other one knows nothing.
 */
import type { Clock } from '../ports/clock.ts';

/** Below the shortest election time-out of a broker, so that a new leader is found soon after there is one. */
export const suspectMs = 400;

/** How long a broker is suspected after its silence was last seen. */
export const suspicionMs = 2000;

interface Watched {
  /** Requests without an answer. */
  open: number;
  /** Since when an answer is due. */
  dueMs: number;
  /** When its silence was last seen, if nothing was heard since. */
  silentMs: number | undefined;
  cancel: (() => void) | undefined;
}

export interface SilenceWatch {
  readonly clock: Clock;
  readonly byAddress: Map<string, Watched>;
  /** Called while a broker is silent, at most every `suspectMs` for each. */
  onSilent: () => void;
}

export const createSilenceWatch = (clock: Clock): SilenceWatch => ({ clock, byAddress: new Map(), onSilent: () => undefined });

export function isSuspect({ clock, byAddress }: SilenceWatch, address: string): boolean {
  const silentMs = byAddress.get(address)?.silentMs;
  return silentMs !== undefined && clock.monotonicMs() - silentMs < suspicionMs;
}

/** How a wait ended: the broker said something, whatever it was, or nobody waits any more. */
export type WaitEnd = 'heard' | 'given-up';

/** A request leaves; what is returned is to be called once, when it has ended. `waitMs`: the broker may take so long to answer. */
export function awaitAnswer(watch: SilenceWatch, address: string, waitMs = 0): (end: WaitEnd) => void {
  const { clock, byAddress } = watch;
  const known = byAddress.get(address);
  const watched = known ?? { open: 0, dueMs: 0, silentMs: undefined, cancel: undefined };
  if (known === undefined) byAddress.set(address, watched);
  const dueMs = clock.monotonicMs() + waitMs;
  const isEarlier = watched.open === 0 || dueMs < watched.dueMs;
  if (isEarlier) watched.dueMs = dueMs;
  watched.open += 1;
  if (isEarlier || watched.cancel === undefined) lookAfter(watch, watched, waitMs + suspectMs);
  return (end) => {
    watched.open -= 1;
    if (end === 'heard') {
      watched.silentMs = undefined;
      watched.dueMs = clock.monotonicMs() + waitMs;
    }
    if (watched.open > 0) return;
    watched.cancel?.();
    watched.cancel = undefined;
  };
}

/** Never looks at once: what it finds makes requests, which are watched as well. */
function lookAfter(watch: SilenceWatch, watched: Watched, ms: number): void {
  watched.cancel?.();
  watched.cancel = watch.clock.after(ms, () => {
    watched.cancel = undefined;
    if (watched.open > 0) look(watch, watched);
  });
}

function look(watch: SilenceWatch, watched: Watched): void {
  const leftMs = watched.dueMs + suspectMs - watch.clock.monotonicMs();
  lookAfter(watch, watched, leftMs > 0 ? leftMs : suspectMs);
  if (leftMs > 0) return;
  watched.silentMs = watch.clock.monotonicMs();
  watch.onSilent();
}

export function closeSilenceWatch({ byAddress }: SilenceWatch): void {
  for (const { cancel } of byAddress.values()) cancel?.();
  byAddress.clear();
}
