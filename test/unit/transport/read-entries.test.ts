/** Who is answered when entries are asked for over the wire, and how much at once. */
import { asGroupId, asNodeId, asRaftIndex } from '@balsa/node/core/ids.ts';
import type { EntriesAnswer } from '@balsa/node/ports/network.ts';
import { askerOf, protocolVersion } from '@balsa/node/transport/identity.ts';
import { defaultLimits } from '@balsa/node/transport/limits.ts';
import { PeerServiceClient, type ReadEntriesRequest, type ReadEntriesResponse } from '@balsa/proto/peer';
import { credentials, type ServiceError, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type GrpcNode, openGrpcNode } from '../../contract/harness/grpc-node.ts';

const one = { self: asNodeId(1), clusterId: () => 'c', storeId: 'store-1', verifyPeer: () => 'ok' };
const range = { groupId: 5, generation: 1, first: 8, last: 9, maxBytes: 2 ** 31 };
const good: ReadEntriesRequest = { ...askerOf(one, asNodeId(2)), ...range };
const nothing: EntriesAnswer = { logStart: asRaftIndex(0), commit: asRaftIndex(7), entries: [], snapshot: undefined };

describe('read entries', () => {
  let two: GrpcNode;
  let client: InstanceType<typeof PeerServiceClient>;
  beforeEach(async () => {
    two = await openGrpcNode(2, { verifyPeer: (_node, store) => (store === 'store-1' ? 'ok' : 'data folder was swapped') });
    two.dial(1, 1);
    two.heard.answer = async () => nothing;
    client = new PeerServiceClient(`127.0.0.1:${two.port}`, credentials.createInsecure());
  });
  afterEach(async () => {
    client.close();
    await two.close();
  });
  const ask = (request: ReadEntriesRequest): Promise<ReadEntriesResponse | ServiceError> =>
    new Promise((resolve) => {
      client.readEntries(request, (error, response) => resolve(error ?? response));
    });

  it('answers a peer, and bounds what it asks for', async () => {
    expect(await ask(good)).toMatchObject({ hello: { nodeId: 2, clusterId: 'c' }, commit: 7 });
    expect(two.heard.asked).toEqual([
      {
        from: asNodeId(1),
        request: {
          group: asGroupId(5),
          generation: 1,
          first: asRaftIndex(8),
          last: asRaftIndex(9),
          bytesMax: defaultLimits.readEntriesBytesMax,
        },
      },
    ]);
  });

  it.each([
    ['another cluster', { clusterId: 'x' }],
    ['another addressee', { expectedNodeId: 3 }],
    ['another protocol', { protocolVersion: protocolVersion + 1 }],
    ['a swapped data folder', { storeId: 'other' }],
    ['nobody that is known', { nodeId: 4 }],
  ])('refuses %s', async (_who, change) => {
    expect(await ask({ ...good, ...change })).toMatchObject({ code: status.FAILED_PRECONDITION });
    expect(two.heard.asked).toEqual([]);
    expect(two.events).toContainEqual(expect.objectContaining({ kind: 'refused', by: 'self' }));
  });

  it('refuses what is no range', async () => {
    expect(await ask({ ...good, first: 9, last: 8 })).toMatchObject({ code: status.INVALID_ARGUMENT });
    expect(two.heard.asked).toEqual([]);
  });

  it('serves a few calls at a time, and others when these have ended', async () => {
    const held = Promise.withResolvers<EntriesAnswer>();
    two.heard.answer = () => held.promise;
    const max = defaultLimits.readEntriesCallsMax;
    const calls = Array.from({ length: max + 1 }, () => ask(good));
    expect(await Promise.race(calls)).toMatchObject({ code: status.RESOURCE_EXHAUSTED });
    held.resolve(nothing);
    const answers = await Promise.all(calls);
    expect(answers.filter((answer) => 'hello' in answer)).toHaveLength(max);
    expect(await ask(good)).toMatchObject({ commit: 7 });
  });
});
