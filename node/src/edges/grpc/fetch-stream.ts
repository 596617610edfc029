/**
 * The fetch stream. Its requests may all wait for data at the same time, so they count as
 * nothing until there is something to send; then they share the stream's bytes.
 */
import type { FetchRequest } from '@balsa/proto/client';
import type { ByteBudget } from '../../broker/byte-budget.ts';
import { createByteBudget } from '../../broker/byte-budget.ts';
import type { EdgeOptions } from './edge-options.ts';
import type { FetchAnswer } from './fetch-response-codec.ts';
import type { Answer, StreamWork } from './request-stream.ts';
import { toWireError } from './wire-error.ts';

const nothing = (): void => {};

/** Work of one stream. */
export function fetchWork({ broker, limits, observer }: EdgeOptions): StreamWork<FetchRequest, FetchAnswer> {
  const budget: ByteBudget = createByteBudget(limits.fetchStreamBytesMax);
  const answer = async (request: FetchRequest, signal: AbortSignal): Promise<Answer<FetchAnswer>> => {
    observer.onRequest('Fetch');
    const { correlation, topic, partition, offset, bytesMax, waitMsMax } = request;
    try {
      const { highWatermark, logStart, batches, release } = await broker.fetch({
        topic,
        partition,
        offset,
        bytesMax,
        waitMsMax,
        signal,
        budget,
      });
      return { response: { correlation, error: undefined, highWatermark, logStart, batches }, sent: release };
    } catch (error) {
      const refused = toWireError(error, observer);
      return { response: { correlation, error: refused, highWatermark: 0, logStart: 0, batches: [] }, sent: nothing };
    }
  };
  return {
    requestsMax: limits.streamRequestsInflightMax,
    bytesMax: Number.POSITIVE_INFINITY,
    stallMs: limits.streamStallMs,
    bytesOf: () => 0,
    answer,
  };
}
