/**
 * The served half: peers subscribe to this node's outboxes. A subscription replaces an
 * earlier one of the same peer and channel, because a peer that subscribes again has
 * given up the old stream, whether or not this side has noticed yet.
 */
import { PeerServiceService, type SubscribeRequest } from '@balsa/proto/peer';
import { type handleServerStreamingCall, type ServerWritableStream, status } from '@grpc/grpc-js';
import type { NodeId } from '../core/ids.ts';
import type { Channel } from './channel.ts';
import { checkSubscriber, type Identity } from './identity.ts';
import type { FrameStream } from './outbox.ts';

/** PeerService with the frames of a subscription encoded already. */
export const peerServiceDefinition = {
  subscribe: { ...PeerServiceService.subscribe, responseSerialize: asBuffer, responseDeserialize: (frame: Buffer): Uint8Array => frame },
  readEntries: PeerServiceService.readEntries,
} as const;

export type SubscribeHandler = handleServerStreamingCall<SubscribeRequest, Uint8Array>;

export interface Subscribers {
  readonly own: Identity;
  /** The network is started and not stopped. */
  readonly isRunning: () => boolean;
  readonly isKnown: (peer: NodeId) => boolean;
  readonly onSubscribed: (peer: NodeId, channel: Channel, stream: FrameStream) => void;
  readonly onUnsubscribed: (peer: NodeId, channel: Channel, stream: FrameStream) => void;
  readonly onRefused: (peer: number, reason: string) => void;
}

export function createSubscribeHandler(subscribers: Subscribers): SubscribeHandler {
  return (call) => {
    if (!subscribers.isRunning()) return refuse(call, status.UNAVAILABLE, 'this node is not ready for its peers');
    const check = checkSubscriber(subscribers.own, call.request);
    if (!check.ok) return refuseAndTell(subscribers, call, check.reason);
    const { peer, channel } = check;
    if (!subscribers.isKnown(peer))
      return refuseAndTell(subscribers, call, `node ${peer} is not a known peer of node ${subscribers.own.self}`);
    const stream = frameStream(call);
    call.once('close', () => subscribers.onUnsubscribed(peer, channel, stream));
    subscribers.onSubscribed(peer, channel, stream);
  };
}

function frameStream(call: ServerWritableStream<SubscribeRequest, Uint8Array>): FrameStream {
  return {
    write: (frame, done) => {
      if (!call.writable) return;
      call.write(frame, (error: Error | null | undefined) => {
        if (!error) done();
      });
    },
    end: () => call.end(),
  };
}

function refuseAndTell(subscribers: Subscribers, call: ServerWritableStream<SubscribeRequest, Uint8Array>, reason: string): void {
  subscribers.onRefused(call.request.nodeId, reason);
  refuse(call, status.FAILED_PRECONDITION, reason);
}

function refuse(call: ServerWritableStream<SubscribeRequest, Uint8Array>, code: status, details: string): void {
  call.emit('error', { code, details });
}

function asBuffer(frame: Uint8Array): Buffer {
  return Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength);
}
