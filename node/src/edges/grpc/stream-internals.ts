/**
 * Two bounds that grpc-js leaves no public way to set. This is the one place that knows
 * the fields behind them; both are tested against the pinned version, and without the
 * fields nothing breaks but the bound.
 *
 *  - A server stream is a Duplex in object mode: paused, it still takes 16 messages from
 *    the connection, whatever their size, which would multiply the bound on one stream.
 *  - A stream whose client takes no data cannot be ended, because the status would queue
 *    behind the data; only HTTP/2's reset ends it.
 */
import { constants } from 'node:http2';
import type { Http2Stream } from 'node:http2';

interface CallInternals {
  readonly nextCall?: CallInternals;
  readonly stream?: Http2Stream;
}

interface StreamInternals {
  readonly _readableState?: { highWaterMark: number };
  readonly call?: CallInternals;
}

/** At most one message is decoded ahead while the stream is paused. */
export function limitReadAhead(stream: object): void {
  const state = (stream as StreamInternals)._readableState;
  if (state !== undefined) state.highWaterMark = 1;
}

/** Ends the stream at once, without its status; the client sees RESOURCE_EXHAUSTED. */
export function resetStream(stream: object): void {
  let call = (stream as StreamInternals).call;
  while (call?.nextCall !== undefined) call = call.nextCall;
  call?.stream?.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
}
