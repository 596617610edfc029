/**
 * Who talks to whom. Both sides check the other before a message passes: the server
 * its subscriber (SubscribeRequest), the subscriber its server (PeerHello, the first
 * frame). A mismatch is a mistake of configuration, or a data folder that was swapped;
 * two clusters or two owners of one node id must never exchange votes.
 */
import { PeerFrame, type PeerHello, type SubscribeRequest } from '@balsa/proto/peer';
import { asNodeId, type NodeId } from '../core/ids.ts';
import { type Channel, channelFrom, wireChannel } from './channel.ts';
import type { GrpcNetworkOptions } from './vocabulary.ts';

/** Raised when PeerFrame changes in a way that an older peer would misread. */
export const protocolVersion = 1;

export type Identity = Pick<GrpcNetworkOptions, 'self' | 'clusterId' | 'storeId' | 'verifyPeer'>;

export type SubscriberCheck =
  | { readonly ok: true; readonly peer: NodeId; readonly channel: Channel }
  | { readonly ok: false; readonly reason: string };

/** Who asks, in every request between brokers. */
export type Asker = Pick<SubscribeRequest, 'clusterId' | 'nodeId' | 'storeId' | 'expectedNodeId' | 'protocolVersion'>;

export function askerOf({ self, clusterId, storeId }: Identity, peer: NodeId): Asker {
  return { clusterId: clusterId(), nodeId: self, storeId, expectedNodeId: peer, protocolVersion };
}

/** Why this node does not talk to whoever sent `request`; undefined if it does. */
export const askerMismatch = (own: Identity, request: Asker): string | undefined =>
  subscriberMismatch(own, request) ?? sameIdentity(own, request);

export function subscribeRequest(own: Identity, peer: NodeId, channel: Channel): SubscribeRequest {
  return { ...askerOf(own, peer), channel: wireChannel[channel] };
}

export const helloOf = ({ self, clusterId, storeId }: Identity): PeerHello => ({ clusterId: clusterId(), nodeId: self, storeId });

export const helloFrame = (own: Identity): Buffer => Buffer.from(PeerFrame.encode({ hello: helloOf(own), messages: [] }).finish());

export function checkSubscriber(own: Identity, request: SubscribeRequest): SubscriberCheck {
  const channel = channelFrom(request.channel);
  const reason = askerMismatch(own, request);
  if (reason !== undefined) return { ok: false, reason };
  if (channel === undefined) return { ok: false, reason: `unknown channel ${request.channel}` };
  return { ok: true, peer: asNodeId(request.nodeId), channel };
}

/** Why `hello` does not come from `expected`; undefined if it does. */
export function helloMismatch(own: Identity, expected: NodeId, hello: PeerHello): string | undefined {
  if (hello.nodeId !== expected) return `the address of node ${expected} is answered by node ${hello.nodeId}`;
  return sameIdentity(own, hello);
}

function subscriberMismatch({ self }: Identity, request: Asker): string | undefined {
  if (request.protocolVersion !== protocolVersion) {
    return `node ${request.nodeId} speaks peer protocol ${request.protocolVersion}, node ${self} speaks ${protocolVersion}`;
  }
  if (request.expectedNodeId !== self) return `node ${request.nodeId} expects node ${request.expectedNodeId} here, this is node ${self}`;
  return request.nodeId === self ? `another process claims to be node ${self}` : undefined;
}

function sameIdentity(own: Identity, other: PeerHello): string | undefined {
  const ownCluster = own.clusterId();
  if (ownCluster !== '' && other.clusterId !== '' && ownCluster !== other.clusterId) {
    return `node ${other.nodeId} belongs to cluster ${other.clusterId}, node ${own.self} to cluster ${ownCluster}`;
  }
  const verdict = own.verifyPeer(asNodeId(other.nodeId), other.storeId);
  return verdict === 'ok' ? undefined : verdict;
}
