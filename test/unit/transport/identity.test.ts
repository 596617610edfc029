/** Two nodes that must not talk: each side refuses, says why, and tries again slowly; once mended, they meet. */
import { asNodeId } from '@balsa/node/core/ids.ts';
import { checkSubscriber, helloMismatch, type Identity, protocolVersion, subscribeRequest } from '@balsa/node/transport/identity.ts';
import type { GrpcNetworkOptions } from '@balsa/node/transport/vocabulary.ts';
import { PeerChannel } from '@balsa/proto/peer';
import { afterEach, describe, expect, it } from 'vitest';
import { type GrpcNode, openGrpcNode, until } from '../../contract/harness/grpc-node.ts';
import { connected } from '../../contract/harness/recorder.ts';

const identity = (change: Partial<Identity> = {}): Identity => ({
  self: asNodeId(2),
  clusterId: () => 'c',
  storeId: 's2',
  verifyPeer: () => 'ok',
  ...change,
});
const one = identity({ self: asNodeId(1), storeId: 's1' });
const good = subscribeRequest(one, asNodeId(2), 'bulk');

describe('identity', () => {
  it('takes a subscriber that fits', () => {
    expect(checkSubscriber(identity(), good)).toEqual({ ok: true, peer: 1, channel: 'bulk' });
    expect(checkSubscriber(identity({ clusterId: () => '' }), good)).toMatchObject({ ok: true });
    expect(checkSubscriber(identity(), { ...good, clusterId: '' })).toMatchObject({ ok: true });
  });

  it.each([
    ['protocol', { protocolVersion: protocolVersion + 1 }, 'speaks peer protocol'],
    ['target', { expectedNodeId: 3 }, 'expects node 3 here'],
    ['self', { nodeId: 2 }, 'another process claims to be node 2'],
    ['cluster', { clusterId: 'x' }, 'belongs to cluster x'],
    ['channel', { channel: PeerChannel.PEER_CHANNEL_UNSPECIFIED }, 'unknown channel'],
  ])('refuses a subscriber with the wrong %s', (_name, change, reason) => {
    expect(checkSubscriber(identity(), { ...good, ...change })).toEqual({ ok: false, reason: expect.stringContaining(reason) });
  });

  it('asks its owner about the data folder of both ends', () => {
    const strict = identity({ verifyPeer: (node, store) => (node === 1 && store === 's1' ? 'ok' : 'data folder was swapped') });
    expect(checkSubscriber(strict, good)).toMatchObject({ ok: true });
    expect(checkSubscriber(strict, { ...good, storeId: 'other' })).toEqual({ ok: false, reason: 'data folder was swapped' });
    expect(helloMismatch(strict, asNodeId(1), { clusterId: 'c', nodeId: 1, storeId: 's1' })).toBeUndefined();
    expect(helloMismatch(strict, asNodeId(1), { clusterId: 'c', nodeId: 1, storeId: 'other' })).toBe('data folder was swapped');
    expect(helloMismatch(strict, asNodeId(1), { clusterId: 'c', nodeId: 3, storeId: 's1' })).toContain('answered by node 3');
    expect(helloMismatch(strict, asNodeId(1), { clusterId: 'x', nodeId: 1, storeId: 's1' })).toContain('cluster x');
  });
});

describe('identity on the wire', () => {
  const nodes: GrpcNode[] = [];
  afterEach(async () => {
    await Promise.all(nodes.splice(0).map((node) => node.close()));
  });
  const openTwo = async (
    first: Partial<GrpcNetworkOptions>,
    second: Partial<GrpcNetworkOptions>,
  ): Promise<readonly [GrpcNode, GrpcNode]> => {
    const two = await openGrpcNode(2, second);
    const other = await openGrpcNode(1, first);
    nodes.push(two, other);
    other.dial(2, two.port);
    two.dial(1, other.port);
    return [other, two];
  };

  it('is refused by the server with its reason, retried, and accepted once it is mended', async () => {
    let cluster = 'x';
    const [first, second] = await openTwo({ clusterId: () => cluster }, {});
    const refusals = () => first.events.filter((event) => event.kind === 'refused' && event.by === 'peer');
    await until(() => refusals().length >= 2);
    expect(refusals()[0]).toMatchObject({ peer: 2, reason: expect.stringContaining('belongs to cluster x') });
    expect(second.events).toContainEqual({ kind: 'refused', peer: 1, by: 'self', reason: expect.stringContaining('belongs to cluster x') });
    expect(first.network.isConnected(asNodeId(2))).toBe(false);
    cluster = 'c';
    await connected(first.heard, first.network, 2);
    expect(first.heard.peers).toEqual(['lost 2', 'up 2']);
  });

  it('is refused by the subscriber if the server is not who it should be', async () => {
    const [first, second] = await openTwo({ verifyPeer: (_node, store) => (store === 'store-2' ? 'data folder was swapped' : 'ok') }, {});
    await until(() => first.events.some((event) => event.kind === 'refused' && event.by === 'self'));
    expect(first.network.isConnected(asNodeId(2))).toBe(false);
    expect(second.network.isConnected(asNodeId(1))).toBe(false);
  });

  it('does not serve a node that is not a peer', async () => {
    const two = await openGrpcNode(2);
    const first = await openGrpcNode(1);
    nodes.push(two, first);
    first.dial(2, two.port);
    await until(() => first.events.some((event) => event.kind === 'refused'));
    expect(first.events).toContainEqual({ kind: 'refused', peer: 2, by: 'peer', reason: 'node 1 is not a known peer of node 2' });
  });
});
