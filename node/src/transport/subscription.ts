/**
 * One dialled stream: a Subscribe call on a connection of its own. Reports raw frames
 * until it closes, and closes once, for one cause. A subscription is never reused; a
 * new one starts with a fresh channel, so no hidden backoff or stale name resolution
 * of an earlier attempt is in its way.
 */
import { PeerServiceService, type SubscribeRequest } from '@balsa/proto/peer';
import { Client, type ClientReadableStream, credentials, type StatusObject, status } from '@grpc/grpc-js';
import type { Channel } from './channel.ts';
import { subscriptionOptions } from './channel-options.ts';
import type { TransportLimits } from './limits.ts';

export interface SubscriptionTarget {
  readonly address: string;
  readonly channel: Channel;
  readonly request: SubscribeRequest;
  readonly limits: TransportLimits;
}

export interface SubscriptionHandler {
  readonly onFrame: (frame: Uint8Array) => void;
  /** Not called after `close`. `refused`: the peer understood the request and will not serve it. */
  readonly onClosed: (cause: { readonly reason: string; readonly refused: boolean }) => void;
}

export interface Subscription {
  /** Cuts the connection; nothing is reported afterwards. */
  readonly close: () => void;
}

export function openSubscription(target: SubscriptionTarget, handler: SubscriptionHandler): Subscription {
  const client = new Client(target.address, credentials.createInsecure(), subscriptionOptions(target.limits, target.channel));
  const call = subscribe(client, target.request);
  let open = true;
  const close = (): void => {
    open = false;
    call.cancel();
    client.close();
  };
  call.on('data', (frame: Uint8Array) => {
    if (open) handler.onFrame(frame);
  });
  // Every error comes as a status too; a stream without an error listener would end the process.
  call.on('error', () => undefined);
  call.on('status', (end: StatusObject) => {
    if (!open) return;
    close();
    handler.onClosed({ reason: reasonOf(end), refused: end.code === status.FAILED_PRECONDITION });
  });
  return { close };
}

/** Frames are handed over undecoded, so that a bad one is the link's to judge and count. */
function subscribe(client: Client, request: SubscribeRequest): ClientReadableStream<Uint8Array> {
  const { path, requestSerialize } = PeerServiceService.subscribe;
  return client.makeServerStreamRequest(path, requestSerialize, asPlainBytes, request);
}

/** Payloads are cut out of this array without a copy; they must be what the ports promise, not Buffers. */
function asPlainBytes(frame: Buffer): Uint8Array {
  return new Uint8Array(frame.buffer, frame.byteOffset, frame.byteLength);
}

function reasonOf(end: StatusObject): string {
  return end.code === status.OK ? 'the peer ended the stream' : end.details;
}
