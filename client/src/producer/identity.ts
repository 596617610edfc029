/** Producer ids: one is asked for at the first record, another when a partition has used up its epochs. */
import { DataServiceService } from '@balsa/proto/client';
import { openScope } from '../cluster/call-scope.ts';
import { callController } from '../cluster/controller-call.ts';
import { asBalsaError, type BalsaError } from '../errors.ts';
import type { Pipeline } from './pipeline.ts';
import type { ProducerState } from './producer-state.ts';
import { refuseAll } from './replies.ts';

/** Gets a producer id, once for all partitions that lack one. */
export function acquireIdentity(state: ProducerState, pipeline: Pipeline): void {
  pipeline.hold = 'identity';
  if (state.isAcquiring) return;
  state.isAcquiring = true;
  const scope = openScope(state.context.ports.clock, {}, state.settings.deliveryTimeoutMs);
  // Kept for records whose deadline comes before the end of this call: their senders shall learn the reason.
  const onFailure = (error: BalsaError): boolean => {
    state.identityError = error;
    return false;
  };
  callController(state.context, DataServiceService.initProducer, {}, scope, { onFailure }).then(
    ({ producerId, producerEpoch }) => {
      state.identity = { producerId, producerEpoch };
      state.identityError = undefined;
      releaseIdentityHolds(state);
    },
    (thrown: unknown) => {
      const error = asBalsaError(thrown);
      if (!error.retriable) for (const held of heldForIdentity(state)) refuseAll(state, held, error);
      releaseIdentityHolds(state);
    },
  );
}

function heldForIdentity(state: ProducerState): Pipeline[] {
  return [...state.pipelines.values()].filter((pipeline) => pipeline.hold === 'identity');
}

function releaseIdentityHolds(state: ProducerState): void {
  state.isAcquiring = false;
  for (const pipeline of heldForIdentity(state)) {
    pipeline.hold = undefined;
    pipeline.identity = state.identity;
    state.wake(pipeline);
  }
}
