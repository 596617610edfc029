/** The produce stream: one request, one answer, in the order in which they are decided. */
import type { ProduceRequest, ProduceResponse } from '@balsa/proto/client';
import { Acks } from '@balsa/proto/client';
import { brokerError } from '../../broker/broker-error.ts';
import type { Durability } from '../../host/vocabulary.ts';
import type { EdgeOptions } from './edge-options.ts';
import type { Answer, StreamWork } from './request-stream.ts';
import { toWireError } from './wire-error.ts';

/** What a request costs besides its batch. */
const requestOverheadBytes = 512;
const nothing = (): void => {};

export function produceWork({ broker, limits, observer }: EdgeOptions): StreamWork<ProduceRequest, ProduceResponse> {
  const answer = async (request: ProduceRequest): Promise<Answer<ProduceResponse>> => {
    observer.onRequest('Produce');
    const { correlation, topic, partition, timeoutMs, batch } = request;
    try {
      const produced = await broker.produce({ topic, partition, acks: durabilityOf(request), timeoutMs, batch });
      const { group, term, index, durableCopies, baseOffset, duplicate } = produced;
      const receipt = { groupId: group, term, index, durableCopies };
      return { response: { correlation, error: undefined, baseOffset, receipt, duplicate }, sent: nothing };
    } catch (error) {
      const refused = toWireError(error, observer);
      return { response: { correlation, error: refused, baseOffset: undefined, receipt: undefined, duplicate: false }, sent: nothing };
    }
  };
  return {
    requestsMax: limits.streamRequestsInflightMax,
    bytesMax: limits.produceStreamBytesMax,
    stallMs: limits.streamStallMs,
    bytesOf: ({ batch }) => batch.length + requestOverheadBytes,
    answer,
  };
}

function durabilityOf({ acks }: ProduceRequest): Durability {
  switch (acks) {
    case Acks.ACKS_UNSPECIFIED:
    case Acks.ACKS_QUORUM:
      return 'quorum';
    case Acks.ACKS_LEADER:
      return 'leader';
    case Acks.ACKS_NONE:
      return 'none';
    default:
      throw brokerError('INVALID_REQUEST', `The field acks has the unknown value ${acks}.`);
  }
}
