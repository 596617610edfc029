/**
 * Network over gRPC. The receiver dials: this node subscribes to every peer's outboxes
 * (link.ts) and serves its own (peer-service.ts), on a gRPC server that the caller owns.
 *
 * A peer is *up* when all four streams of the pair stand: this node's control and bulk
 * subscriptions have shown a valid hello, and the peer holds both subscriptions here.
 * It is *lost* when it was up and any of the four closes, or when the first attempt to
 * reach it fails; once lost it is not lost again before it was up.
 *
 * A frame that cannot be queued is dropped and counted; Raft sends again.
 */
import type { Server } from '@grpc/grpc-js';
import { assert } from '../core/assert.ts';
import { asNodeId } from '../core/ids.ts';
import type { Network, NetworkHandler } from '../ports/network.ts';
import { type Channel, channels } from './channel.ts';
import { readEntries } from './entries-call.ts';
import { createReadEntriesHandler } from './entries-service.ts';
import { helloFrame } from './identity.ts';
import { defaultLimits } from './limits.ts';
import { type LinkFailure, openLink } from './link.ts';
import { attachStream, detachStream, type FrameStream } from './outbox.ts';
import { createPeer, type NetworkState, type Peer, peerStats, queuedBytes } from './peer.ts';
import { createSubscribeHandler, peerServiceDefinition } from './peer-service.ts';
import { receive } from './receiving.ts';
import { send } from './sending.ts';
import type { GrpcNetworkOptions, PeerAddress, PeerStats } from './vocabulary.ts';

export interface GrpcNetwork extends Network {
  /** Serves the peer service on `server`; call it before the server is bound. */
  readonly register: (server: Server) => void;
  /** Dials peers that are new or moved, and leaves those that are not named any more. */
  readonly setPeers: (peers: readonly PeerAddress[]) => void;
  readonly stats: () => readonly PeerStats[];
}

export function createGrpcNetwork(options: GrpcNetworkOptions): GrpcNetwork {
  const state: NetworkState = { options, limits: { ...defaultLimits, ...options.limits }, peers: new Map(), handler: undefined };
  setPeers(state, options.peers);
  return {
    start: (handler) => start(state, handler),
    send: (to, messages) => send(state, to, messages),
    readEntries: (peer, request) => readEntries(state, peer, request),
    queuedBytes: (to) => queuedBytes(state.peers.get(to)),
    isConnected: (peer) => state.peers.get(peer)?.standing === 'up',
    stop: async () => stop(state),
    register: (server) => {
      server.addService(peerServiceDefinition, { subscribe: subscribeHandler(state), readEntries: createReadEntriesHandler(state) });
    },
    setPeers: (peers) => setPeers(state, peers),
    stats: () => [...state.peers.values()].map(peerStats),
  };
}

function start(state: NetworkState, handler: NetworkHandler): void {
  assert(state.handler === undefined, 'network is started already');
  state.handler = handler;
  for (const peer of state.peers.values()) dialPeer(state, peer);
}

function stop(state: NetworkState): void {
  state.handler = undefined;
  for (const peer of state.peers.values()) {
    leavePeer(peer);
    peer.standing = 'new';
  }
}

function setPeers(state: NetworkState, addresses: readonly PeerAddress[]): void {
  const wanted = new Map(addresses.map((each) => [each.nodeId, each]));
  assert(!wanted.has(state.options.self), 'a node is not its own peer', { self: state.options.self });
  for (const [nodeId, peer] of state.peers) {
    if (wanted.get(nodeId)?.address === peer.address.address) continue;
    state.peers.delete(nodeId);
    leavePeer(peer);
    if (peer.standing === 'up') losePeer(state, peer, 'not a peer any more');
  }
  for (const [nodeId, address] of wanted) {
    if (state.peers.has(nodeId)) continue;
    const peer = createPeer(state.limits, address);
    state.peers.set(nodeId, peer);
    if (state.handler !== undefined) dialPeer(state, peer);
  }
}

function dialPeer(state: NetworkState, peer: Peer): void {
  const { clock, random, onEvent } = state.options;
  const { nodeId } = peer.address;
  peer.link = openLink({
    peer: peer.address,
    own: state.options,
    limits: state.limits,
    clock,
    random,
    onUp: () => review(state, peer, ''),
    onDown: (cause) => onLinkDown(state, peer, cause),
    onMessages: (channel, messages, frameBytes) => receive(state, peer, channel, messages, frameBytes),
    onBadFrame: (channel, reason) => {
      peer.channels[channel].framesBad++;
      onEvent({ kind: 'bad-frame', peer: nodeId, channel, reason });
    },
  });
}

function leavePeer(peer: Peer): void {
  peer.link?.close();
  peer.link = undefined;
  for (const cancel of peer.calls) cancel();
  for (const channel of channels) peer.channels[channel].outbox.stream?.end();
}

function onLinkDown(state: NetworkState, peer: Peer, { reason, refusedBy }: LinkFailure): void {
  if (refusedBy !== undefined) state.options.onEvent({ kind: 'refused', peer: peer.address.nodeId, by: refusedBy, reason });
  review(state, peer, reason);
  if (peer.standing === 'new') losePeer(state, peer, reason);
}

/** Compares what is told of the peer with what its four streams say. */
function review(state: NetworkState, peer: Peer, reason: string): void {
  const { handler, peers, options } = state;
  const { nodeId } = peer.address;
  if (handler === undefined || peers.get(nodeId) !== peer) return;
  const served = channels.every((channel) => peer.channels[channel].outbox.stream !== undefined);
  const up = served && peer.link?.isUp() === true;
  if (up === (peer.standing === 'up')) return;
  if (!up) return losePeer(state, peer, reason);
  peer.standing = 'up';
  options.onEvent({ kind: 'peer-up', peer: nodeId });
  handler.onPeerUp(nodeId);
}

function losePeer(state: NetworkState, peer: Peer, reason: string): void {
  const { nodeId } = peer.address;
  peer.standing = 'lost';
  state.options.onEvent({ kind: 'peer-lost', peer: nodeId, reason });
  state.handler?.onPeerLost(nodeId);
}

function subscribeHandler(state: NetworkState): ReturnType<typeof createSubscribeHandler> {
  const { options, peers } = state;
  const detach = (peer: Peer, channel: Channel, stream: FrameStream, reason: string): void => {
    if (detachStream(peer.channels[channel].outbox, stream)) review(state, peer, reason);
  };
  return createSubscribeHandler({
    own: options,
    isRunning: () => state.handler !== undefined,
    isKnown: (nodeId) => peers.has(nodeId),
    onSubscribed: (nodeId, channel, stream) => {
      const peer = peers.get(nodeId);
      assert(peer !== undefined, 'subscription of an unknown peer', { nodeId });
      const { outbox } = peer.channels[channel];
      const earlier = outbox.stream;
      earlier?.end();
      if (earlier !== undefined) detach(peer, channel, earlier, 'the peer subscribed again');
      attachStream(outbox, stream, helloFrame(options));
      review(state, peer, '');
    },
    onUnsubscribed: (nodeId, channel, stream) => {
      const peer = peers.get(nodeId);
      if (peer !== undefined) detach(peer, channel, stream, 'the peer closed its subscription');
    },
    onRefused: (peer, reason) => options.onEvent({ kind: 'refused', peer: asNodeId(peer), by: 'self', reason }),
  });
}
