/** Flushing and closing a producer. */
import { type CallOptions, openScope, withinScope } from '../cluster/call-scope.ts';
import { asBalsaError, BalsaError } from '../errors.ts';
import { expedite, refuseWaiting } from './admission.ts';
import type { Delivery } from './batch.ts';
import { fifoSize } from './fifo.ts';
import type { ProducerState } from './producer-state.ts';
import { abandonAll } from './replies.ts';

export async function flush(state: ProducerState, options: CallOptions): Promise<void> {
  const { clock } = state.context.ports;
  const scope = openScope(clock, options, Number.POSITIVE_INFINITY);
  if (fifoSize(state.waiting) > 0) await withinScope(clock, scope, behindWaiting(state));
  const batches = [...state.pipelines.values()].flatMap((each) => [
    ...each.sent,
    ...each.ready,
    ...(each.open === undefined ? [] : [each.open]),
  ]);
  const settled = batches.map((batch) => new Promise<void>((resolve) => batch.onSettled.push(resolve)));
  expedite(state);
  await withinScope(clock, scope, Promise.all(settled));
}

/** Resolves when all that waits now has left the queue. Batches must not linger meanwhile, or there never is room. */
function behindWaiting(state: ProducerState): Promise<void> {
  return new Promise((resolve) => {
    const delivery: Delivery = { resolve: () => resolve(), reject: () => resolve() };
    const deadlineMs = Number.POSITIVE_INFINITY;
    const barrier = { record: undefined, bytesMax: 0, partition: undefined, onAdmitted: resolve, isTaken: false, isWithdrawn: false };
    state.waiting.items.push({ ...barrier, deadlineMs, delivery });
    expedite(state);
  });
}

export async function closeProducer(state: ProducerState, options: CallOptions): Promise<void> {
  if (state.phase !== 'open') return;
  const timeout = options.timeout ?? state.settings.deliveryTimeoutMs;
  try {
    const flushed = flush(state, { ...options, timeout });
    state.phase = 'closing';
    await flushed;
  } catch (thrown) {
    const error = asBalsaError(thrown);
    if (error.code !== 'TIMEOUT' && error.code !== 'ABORTED') throw error;
  } finally {
    const closed = new BalsaError('CLOSED', { detail: 'The producer was closed before the record was acknowledged.', topic: state.topic });
    refuseWaiting(state, closed);
    abandonAll(state, closed);
  }
}
