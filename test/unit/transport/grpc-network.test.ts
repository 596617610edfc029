/** What only the gRPC transport has: bad peers, half-open connections, moving peers, frame sizes. */
import { asNodeId } from '@balsa/node/core/ids.ts';
import type { Channel } from '@balsa/node/transport/channel.ts';
import { encodeMessage } from '@balsa/node/transport/codec.ts';
import { encodeFrame, sizeMessage } from '@balsa/node/transport/frame-encoder.ts';
import { helloFrame, subscribeRequest } from '@balsa/node/transport/identity.ts';
import { defaultLimits } from '@balsa/node/transport/limits.ts';
import { peerServiceDefinition } from '@balsa/node/transport/peer-service.ts';
import { openSubscription } from '@balsa/node/transport/subscription.ts';
import { PeerChannel, type RaftMessage, type SubscribeRequest } from '@balsa/proto/peer';
import { Server, type ServerWritableStream } from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from 'vitest';
import { type GrpcNode, listen, openGrpcNode, openProxy, until } from '../../contract/harness/grpc-node.ts';
import { append, connected, heartbeat } from '../../contract/harness/recorder.ts';

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function open(...args: Parameters<typeof openGrpcNode>): Promise<GrpcNode> {
  const node = await openGrpcNode(...args);
  cleanups.push(node.close);
  return node;
}

async function openPair(limits: NonNullable<Parameters<typeof openGrpcNode>[1]>['limits'] = {}): Promise<readonly [GrpcNode, GrpcNode]> {
  const one = await open(1, { limits });
  const two = await open(2, { limits });
  one.dial(2, two.port);
  two.dial(1, one.port);
  await Promise.all([connected(one.heard, one.network, 2), connected(two.heard, two.network, 1)]);
  return [one, two];
}

/** A server that answers a subscription of `channel` with exactly `frames`. */
async function openFalsePeer(channel: PeerChannel, frames: readonly Uint8Array[]): Promise<number> {
  const server = new Server();
  const subscribe = (call: ServerWritableStream<SubscribeRequest, Uint8Array>): void => {
    for (const frame of call.request.channel === channel ? frames : [hello]) call.write(frame);
  };
  server.addService(peerServiceDefinition, { subscribe });
  cleanups.push(() => server.forceShutdown());
  return listen(server);
}

/** Subscribes to node 1 as node 2 would, and counts the frames, hello included. */
function subscribeAs2(port: number, channel: Channel) {
  const own = { self: asNodeId(2), clusterId: () => 'c', storeId: 's', verifyPeer: () => 'ok' };
  let frames = 0;
  let closed = false;
  const target = { address: `127.0.0.1:${port}`, channel, request: subscribeRequest(own, asNodeId(1), channel), limits: defaultLimits };
  const subscription = openSubscription(target, {
    onFrame: () => {
      frames++;
    },
    onClosed: () => {
      closed = true;
    },
  });
  cleanups.push(subscription.close);
  return { close: subscription.close, frames: () => frames, closed: () => closed };
}

const hello = helloFrame({ self: asNodeId(2), clusterId: () => 'c', storeId: 's', verifyPeer: () => 'ok' });
const frameOf = (...messages: readonly RaftMessage[]): Uint8Array => encodeFrame(messages.map(sizeMessage));
const good = encodeMessage(heartbeat(2, 1, 4));

describe('grpc network', () => {
  it('drops a bad message, counts it, and delivers the rest of the frame', async () => {
    const bad: RaftMessage = { ...good, term: 0 };
    const port = await openFalsePeer(PeerChannel.PEER_CHANNEL_CONTROL, [hello, frameOf(bad, good), frameOf(bad)]);
    const one = await open(1);
    one.dial(2, port);
    await until(() => one.network.stats()[0]!.control.messagesBad === 2);
    expect(one.heard.messages()).toEqual([heartbeat(2, 1, 4)]);
    expect(one.events).toContainEqual({ kind: 'message-dropped', peer: 2, channel: 'control', reason: 'request of term 0' });
    expect(one.events.some((event) => event.kind === 'bad-frame')).toBe(false);
  });

  it.each([
    ['garbage', [hello, Uint8Array.of(0xff, 0xff, 0xff)]],
    ['a number above 2^53', [hello, Uint8Array.of(0x12, 11, 0x20, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1)]],
    ['a second hello', [hello, hello]],
    ['no hello', [frameOf(good)]],
  ])('closes the stream on a bad frame: %s', async (_name, frames) => {
    const port = await openFalsePeer(PeerChannel.PEER_CHANNEL_BULK, frames);
    const one = await open(1);
    one.dial(2, port);
    await until(() => one.events.filter((event) => event.kind === 'bad-frame').length >= 2);
    expect(one.events.find((event) => event.kind === 'bad-frame')).toMatchObject({ peer: 2, channel: 'bulk' });
    expect(one.heard.frames).toEqual([]);
    expect(one.network.stats()[0]!.bulk.framesBad).toBeGreaterThanOrEqual(2);
  });

  it('refuses a server that is another node than the one it dialled', async () => {
    const stranger = helloFrame({ self: asNodeId(3), clusterId: () => 'c', storeId: 's', verifyPeer: () => 'ok' });
    const port = await openFalsePeer(PeerChannel.PEER_CHANNEL_CONTROL, [stranger, frameOf(good)]);
    const one = await open(1);
    one.dial(2, port);
    await until(() => one.events.filter((event) => event.kind === 'refused').length >= 2);
    expect(one.events[0]).toEqual({ kind: 'refused', peer: 2, by: 'self', reason: 'the address of node 2 is answered by node 3' });
    expect(one.heard.frames).toEqual([]);
  });

  it('cuts both streams when one of them fails', async () => {
    const streams = { control: 0, bulk: 0 };
    const bulkCalls: ServerWritableStream<SubscribeRequest, Uint8Array>[] = [];
    const server = new Server();
    server.addService(peerServiceDefinition, {
      subscribe: (call: ServerWritableStream<SubscribeRequest, Uint8Array>) => {
        const channel = call.request.channel === PeerChannel.PEER_CHANNEL_CONTROL ? 'control' : 'bulk';
        streams[channel]++;
        call.once('close', () => streams[channel]--);
        call.write(hello);
        if (channel === 'bulk') bulkCalls.push(call);
      },
    });
    cleanups.push(() => server.forceShutdown());
    const one = await open(1, { limits: { reconnectMsMin: 60_000, reconnectMsMax: 60_000 } });
    one.dial(2, await listen(server));
    await until(() => streams.control === 1 && streams.bulk === 1);
    bulkCalls[0]!.end();
    await until(() => streams.control === 0 && streams.bulk === 0);
  });

  it('is up only while the peer holds both its subscriptions, and serves the newest', async () => {
    const one = await open(1);
    one.dial(2, await openFalsePeer(PeerChannel.PEER_CHANNEL_CONTROL, [hello, frameOf(good)]));
    await one.heard.until(() => one.heard.frames.length === 1);
    expect(one.heard.peers).toEqual([]);
    const first = { control: subscribeAs2(one.port, 'control'), bulk: subscribeAs2(one.port, 'bulk') };
    await connected(one.heard, one.network, 2);
    first.bulk.close();
    await one.heard.until(() => one.heard.peers.at(-1) === 'lost 2');
    const second = subscribeAs2(one.port, 'bulk');
    await one.heard.until(() => one.heard.peers.length === 3);
    const third = subscribeAs2(one.port, 'bulk');
    await one.heard.until(() => one.heard.peers.length === 5);
    expect(one.heard.peers).toEqual(['up 2', 'lost 2', 'up 2', 'lost 2', 'up 2']);
    await until(() => second.closed());
    one.network.send(asNodeId(2), [append(1, 2, 1, Uint8Array.of(1))]);
    await until(() => third.frames() === 2);
    expect(second.frames()).toBe(1);
  });

  it('gives up on a peer that accepts and says nothing, and tries again', async () => {
    const port = await openFalsePeer(PeerChannel.PEER_CHANNEL_BULK, []);
    const one = await open(1, { limits: { helloTimeoutMs: 30 } });
    one.dial(2, port);
    await one.heard.until(() => one.heard.peers.includes('lost 2'));
    expect(one.events).toContainEqual({ kind: 'peer-lost', peer: 2, reason: expect.stringContaining('no answer') });
    const real = await open(2);
    real.dial(1, one.port);
    one.dial(2, real.port);
    await connected(one.heard, one.network, 2);
  });

  it('notices a half-open connection by its unanswered pings', async () => {
    const limits = { pingIntervalMs: 60, controlPingTimeoutMs: 60 };
    const one = await open(1, { limits });
    const two = await open(2, { limits });
    const proxy = await openProxy(two.port);
    cleanups.push(proxy.close);
    one.dial(2, proxy.port);
    two.dial(1, one.port);
    await connected(one.heard, one.network, 2);
    proxy.freeze();
    const started = performance.now();
    await one.heard.until(() => one.heard.peers.at(-1) === 'lost 2');
    expect(performance.now() - started).toBeLessThan(1_500);
  });

  it('cuts frames between messages at the frame bound', async () => {
    const [one, two] = await openPair({ frameBytes: 10_000 });
    const messages = Array.from({ length: 20 }, (_, at) => append(1, 2, at + 1, new Uint8Array(at === 7 ? 50_000 : 3_000)));
    one.network.send(asNodeId(2), messages);
    await until(() => two.heard.messages().length === 20);
    expect(two.heard.messages()).toEqual(messages);
    expect(two.heard.frames.map((frame) => frame.messages.length)).toEqual([3, 3, 1, 1, 3, 3, 3, 3]);
  });

  it('drops and counts a message above the size bound, and sends the others', async () => {
    const [one, two] = await openPair({ messageBytesMax: 10_000 });
    const messages = [
      append(1, 2, 1, new Uint8Array(9_000)),
      append(1, 2, 2, new Uint8Array(11_000)),
      append(1, 2, 3, new Uint8Array(9_000)),
    ];
    one.network.send(asNodeId(2), messages);
    await until(() => two.heard.messages().length === 2);
    expect(two.heard.messages()).toEqual([messages[0], messages[2]]);
    expect(one.network.stats()[0]!.bulk.messagesOversized).toBe(1);
  });

  it('counts overflow and reports it once per episode', async () => {
    const [one] = await openPair({ bulkQueueBytesMax: 100_000 });
    await until(() => one.network.queuedBytes(asNodeId(2)) === 0);
    for (let index = 1; index <= 10; index++) one.network.send(asNodeId(2), [append(1, 2, index, new Uint8Array(30_000))]);
    expect(one.network.stats()[0]!.bulk.framesOverflowed).toBe(7);
    expect(one.events.filter((event) => event.kind === 'queue-overflow')).toHaveLength(1);
    await until(() => one.network.queuedBytes(asNodeId(2)) === 0);
    for (let index = 1; index <= 10; index++) one.network.send(asNodeId(2), [append(1, 2, index, new Uint8Array(30_000))]);
    expect(one.events.filter((event) => event.kind === 'queue-overflow')).toHaveLength(2);
  });

  it('loses a peer that is not named any more, and meets it again at another address', async () => {
    const [one, two] = await openPair();
    const proxy = await openProxy(two.port);
    cleanups.push(proxy.close);
    one.dial(2, proxy.port);
    await one.heard.until(() => one.heard.peers.filter((event) => event === 'up 2').length === 2);
    expect(one.heard.peers.slice(-2)).toEqual(['lost 2', 'up 2']);
    one.network.setPeers([]);
    expect(one.network.isConnected(asNodeId(2))).toBe(false);
    expect(one.heard.peers.at(-1)).toBe('lost 2');
    await two.heard.until(() => two.heard.peers.at(-1) === 'lost 1');
  });
});
