/**
 * What a link does to the bytes of one direction, and to new connections.
 *
 * `forward` passes bytes on, late by `delayMs` +- `jitterMs` and no faster than
 * `bytesPerSecond`. `hold` (a clog) keeps them, up to a limit, and releases them in order:
 * what TCP does to a network that comes back soon. `swallow` (a cut) takes them and passes
 * nothing on, not even the end of a connection, so the other side stays half-open: what a
 * network looks like that does not come back before somebody's patience ends. The end of a
 * connection may come later than its last byte, by `endDelayMs`: until then one side is gone and
 * the other does not know (a slow close).
 *
 * Faults overlap: each is a layer over the healthy state, and all of them together make
 * what the link does. So each can end by itself without ending another.
 */
import { assert } from '@balsa/node/core/assert.ts';

/** `upstream`: from the side that dials the link to its target; `downstream`: back. */
export type Direction = 'upstream' | 'downstream';
export const directions: readonly Direction[] = ['upstream', 'downstream'];

export interface Impairment {
  readonly delivery: 'forward' | 'hold' | 'swallow';
  readonly delayMs: number;
  /** Largest deviation of the delay in either direction; never above `delayMs`. Order is kept. */
  readonly jitterMs: number;
  /** Shared by all connections of the link; Infinity: no limit. */
  readonly bytesPerSecond: number;
  readonly endDelayMs: number;
}

/** What happens to new connections; `refuse` resets them at once and leaves the existing ones alone. */
export type Admission = 'accept' | 'refuse';

export interface LinkState extends Readonly<Record<Direction, Impairment>> {
  readonly admission: Admission;
}

export const unimpaired: Impairment = {
  delivery: 'forward',
  delayMs: 0,
  jitterMs: 0,
  bytesPerSecond: Number.POSITIVE_INFINITY,
  endDelayMs: 0,
};
export const healthy: LinkState = { admission: 'accept', upstream: unimpaired, downstream: unimpaired };

export function isHealthy(state: LinkState): boolean {
  return state.admission === 'accept' && directions.every((direction) => isUnimpaired(state[direction]));
}

function isUnimpaired({ delivery, delayMs, bytesPerSecond, endDelayMs }: Impairment): boolean {
  return delivery === 'forward' && delayMs === 0 && bytesPerSecond === Number.POSITIVE_INFINITY && endDelayMs === 0;
}

/** A healthy direction with this change, checked. */
export function impaired(change: Partial<Impairment>): Impairment {
  const after = { ...unimpaired, ...change };
  assert(after.delayMs >= 0 && Number.isFinite(after.delayMs), 'a delay is a finite time', { ...after });
  assert(after.endDelayMs >= 0 && Number.isFinite(after.endDelayMs), 'the delay of an end is a finite time', { ...after });
  assert(after.jitterMs >= 0 && after.jitterMs <= after.delayMs, 'jitter is at most the delay', { ...after });
  assert(after.bytesPerSecond > 0, 'a rate is above zero; to stop bytes, hold them', { ...after });
  return after;
}

/** All layers at once: the worst delivery, the sum of the delays, the lowest rate, the latest end. */
export function combined(layers: Iterable<LinkState>): LinkState {
  let state = healthy;
  for (const layer of layers) {
    state = {
      admission: layer.admission === 'refuse' ? 'refuse' : state.admission,
      upstream: both(state.upstream, layer.upstream),
      downstream: both(state.downstream, layer.downstream),
    };
  }
  return state;
}

const badness: Readonly<Record<Impairment['delivery'], number>> = { forward: 0, hold: 1, swallow: 2 };

function both(one: Impairment, other: Impairment): Impairment {
  return {
    delivery: badness[one.delivery] >= badness[other.delivery] ? one.delivery : other.delivery,
    delayMs: one.delayMs + other.delayMs,
    jitterMs: one.jitterMs + other.jitterMs,
    bytesPerSecond: Math.min(one.bytesPerSecond, other.bytesPerSecond),
    endDelayMs: Math.max(one.endDelayMs, other.endDelayMs),
  };
}
