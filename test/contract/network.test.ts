/** One suite for the gRPC network and its in-memory twin: what the port promises. */
import { reservePorts } from '@balsa/node/local-cluster/free-ports.ts';
import { asGroupId, asNodeId, asRaftIndex, asTerm } from '@balsa/node/core/ids.ts';
import type { Entry } from '@balsa/node/core/raft/entry.ts';
import { type EntriesAnswer, type EntriesRequest, type GroupMessage, type Network, PeerUnavailable } from '@balsa/node/ports/network.ts';
import { peerServerOptions } from '@balsa/node/transport/channel-options.ts';
import { createGrpcNetwork } from '@balsa/node/transport/grpc-network.ts';
import { entrySize } from '@balsa/node/transport/entry-size.ts';
import { createMemoryHub } from '@balsa/node/transport/memory-network.ts';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { groupMessage } from './harness/group-message.ts';
import { append, connected, createRecorder, heartbeat, type Recorder } from './harness/recorder.ts';
import { systemClock, systemRandom } from './harness/system-clock.ts';

const kib = 1024;
const queues = { controlQueueBytesMax: 64 * kib, bulkQueueBytesMax: 1024 * kib };
const nodeIds = [1, 2, 3];

interface Node {
  readonly network: Network;
  readonly heard: Recorder;
  /** The process ends without a word. */
  readonly kill: () => Promise<void>;
}

interface Subject {
  readonly open: (id: number) => Promise<Node>;
  readonly close: () => Promise<void>;
}

async function grpcSubject(): Promise<Subject> {
  // Peers must know each other's ports before any of them listens. Reserved ones lie where the system hands out none.
  const reserved = await reservePorts(nodeIds.length);
  const ports = new Map(nodeIds.map((id, place) => [id, reserved.ports[place] ?? 0]));
  const servers = new Map<number, Server>();
  const bind = async (id: number, server: Server): Promise<void> => {
    await new Promise<void>((resolve, reject) => {
      server.bindAsync(`127.0.0.1:${ports.get(id)}`, ServerCredentials.createInsecure(), (error) =>
        error === null ? resolve() : reject(error),
      );
    });
  };
  const open = async (id: number): Promise<Node> => {
    const network = createGrpcNetwork({
      self: asNodeId(id),
      clusterId: () => 'c',
      storeId: `store-${id}`,
      peers: nodeIds.filter((peer) => peer !== id).map((peer) => ({ nodeId: asNodeId(peer), address: `127.0.0.1:${ports.get(peer)}` })),
      verifyPeer: () => 'ok',
      clock: systemClock,
      random: systemRandom,
      limits: { ...queues, reconnectMsMin: 5, reconnectMsMax: 20 },
      onEvent: () => undefined,
    });
    const server = new Server(peerServerOptions());
    network.register(server);
    await bind(id, server);
    servers.set(id, server);
    const heard = createRecorder();
    network.start(heard);
    const kill = async (): Promise<void> => {
      server.forceShutdown();
      await network.stop();
    };
    return { network, heard, kill };
  };
  return {
    open,
    close: async () => {
      for (const server of servers.values()) server.forceShutdown();
      reserved.release();
    },
  };
}

async function memorySubject(): Promise<Subject> {
  const hub = createMemoryHub({ clock: systemClock, nodes: nodeIds.map(asNodeId), ...queues });
  return {
    open: async (id) => {
      const network = hub.attach(asNodeId(id));
      const heard = createRecorder();
      network.start(heard);
      return { network, heard, kill: async () => hub.crash(asNodeId(id)) };
    },
    close: async () => undefined,
  };
}

describe.each([
  ['grpc', grpcSubject],
  ['memory', memorySubject],
] as const)('network contract: %s', (_name, createSubject) => {
  let subject: Subject;
  const nodes: Node[] = [];

  const open = async (id: number): Promise<Node> => {
    const node = await subject.open(id);
    nodes.push(node);
    return node;
  };
  const openPair = async (): Promise<readonly [Node, Node]> => {
    const one = await open(1);
    const two = await open(2);
    await Promise.all([connected(one.heard, one.network, 2), connected(two.heard, two.network, 1)]);
    return [one, two];
  };

  beforeEach(async () => {
    subject = await createSubject();
  });
  afterEach(async () => {
    await Promise.all(nodes.splice(0).map(({ network }) => network.stop()));
    await subject.close();
  });

  it('tells both sides once that the other is up', async () => {
    const [one, two] = await openPair();
    expect(one.heard.peers.filter((event) => event === 'up 2')).toHaveLength(1);
    expect(two.heard.peers.filter((event) => event === 'up 1')).toHaveLength(1);
    expect(one.network.isConnected(asNodeId(3))).toBe(false);
  });

  it('tells once of a peer that was never there', async () => {
    const [one] = await openPair();
    await one.heard.until(() => one.heard.peers.includes('lost 3'));
    const three = await open(3);
    await connected(one.heard, one.network, 3);
    await connected(three.heard, three.network, 1);
    expect(one.heard.peers.filter((event) => event.endsWith('3'))).toEqual(['lost 3', 'up 3']);
  });

  it('carries every kind of message unchanged', async () => {
    const [one, two] = await openPair();
    await fc.assert(
      fc.asyncProperty(groupMessage(asNodeId(1), asNodeId(2)), async (message) => {
        one.network.send(asNodeId(2), [message]);
        await two.heard.until(() => two.heard.frames.length > 0);
        expect(two.heard.frames.splice(0)).toEqual([{ from: asNodeId(1), messages: [message] }]);
      }),
      { numRuns: 300 },
    );
  });

  it('delivers what one call sends on a channel as one frame', async () => {
    const [one, two] = await openPair();
    const control = [heartbeat(1, 2, 1), heartbeat(1, 2, 2)];
    const bulk = [append(1, 2, 10, Uint8Array.of(1)), append(1, 2, 20, Uint8Array.of(2))];
    one.network.send(asNodeId(2), [control[0]!, bulk[0]!, bulk[1]!, control[1]!]);
    await two.heard.until(() => two.heard.frames.length === 2);
    expect(two.heard.frames.map((frame) => frame.messages)).toEqual(expect.arrayContaining([control, bulk]));
  });

  it('keeps the order of each channel', async () => {
    const [one, two] = await openPair();
    const rounds = Array.from({ length: 300 }, (_, round) => round + 1);
    for (const round of rounds) {
      one.network.send(asNodeId(2), [heartbeat(1, 2, round), append(1, 2, round, new Uint8Array(round))]);
    }
    await two.heard.until(() => two.heard.messages().length === 600);
    expect(roundsOf(two.heard.messages())).toEqual(rounds);
    expect(indexesOf(two.heard.messages())).toEqual(rounds);
  });

  it('tells at once that a peer is gone, and again when it is back', async () => {
    const [one, two] = await openPair();
    await two.kill();
    await one.heard.until(() => one.heard.peers.includes('lost 2') && !one.network.isConnected(asNodeId(2)));
    one.network.send(asNodeId(2), [heartbeat(1, 2, 1)]);
    const again = await open(2);
    await connected(one.heard, one.network, 2);
    await connected(again.heard, again.network, 1);
    one.network.send(asNodeId(2), [heartbeat(1, 2, 2)]);
    await again.heard.until(() => again.heard.frames.length > 0);
    expect(roundsOf(again.heard.messages())).toEqual([2]);
    expect(one.heard.peers.filter((event) => event.endsWith('2')).slice(-3)).toEqual(['up 2', 'lost 2', 'up 2']);
  });

  it('tells at once that a peer has stopped in order', async () => {
    const [one, two] = await openPair();
    await two.network.stop();
    await one.heard.until(() => one.heard.peers.at(-1) === 'lost 2');
    expect(two.network.isConnected(asNodeId(1))).toBe(false);
  });

  it('is silent after stop', async () => {
    const [one, two] = await openPair();
    for (let round = 0; round < 50; round++) two.network.send(asNodeId(1), [heartbeat(2, 1, round)]);
    await one.network.stop();
    const before = { frames: one.heard.frames.length, peers: one.heard.peers.length };
    await two.heard.until(() => two.heard.peers.at(-1) === 'lost 1');
    expect({ frames: one.heard.frames.length, peers: one.heard.peers.length }).toEqual(before);
  });

  it('bounds its queues, and never lets control wait for bulk', async () => {
    const [one, two] = await openPair();
    const payload = new Uint8Array(100 * kib);
    for (let round = 1; round <= 100; round++) one.network.send(asNodeId(2), [append(1, 2, round, payload)]);
    expect(one.network.queuedBytes(asNodeId(2))).toBeLessThanOrEqual(queues.bulkQueueBytesMax);
    expect(one.network.queuedBytes(asNodeId(2))).toBeGreaterThan(queues.bulkQueueBytesMax / 2);
    one.network.send(asNodeId(2), [heartbeat(1, 2, 77)]);
    await two.heard.until(() => roundsOf(two.heard.messages()).includes(77));
    await drained(one.network, 2);
    one.network.send(asNodeId(2), [append(1, 2, 500, payload)]);
    await two.heard.until(() => indexesOf(two.heard.messages()).includes(500));
    const arrived = indexesOf(two.heard.messages());
    expect(arrived).toEqual([...Array.from({ length: arrived.length - 1 }, (_, at) => at + 1), 500]);
    expect(arrived.length).toBeLessThan(15);
  });

  it('takes one frame above the bound when nothing else is queued', async () => {
    const [one, two] = await openPair();
    await drained(one.network, 2);
    const payload = new Uint8Array(5 * queues.bulkQueueBytesMax).fill(7);
    one.network.send(asNodeId(2), [append(1, 2, 1, payload)]);
    await two.heard.until(() => two.heard.frames.length === 1);
    const [received] = two.heard.messages();
    const sent = append(1, 2, 1, payload);
    expect(Buffer.compare(payloadOf(received!), payloadOf(sent))).toBe(0);
  });

  describe('entries for a peer', () => {
    const request = { group: asGroupId(5), generation: 1, first: asRaftIndex(8), last: asRaftIndex(10), bytesMax: 1000 };
    const payload = Uint8Array.of(1, 2, 3);
    const entries: Entry<Uint8Array>[] = [
      { kind: 'command', index: asRaftIndex(8), term: asTerm(3), size: entrySize(3), payload },
      { kind: 'noop', index: asRaftIndex(9), term: asTerm(4), size: entrySize(0) },
    ];
    const answer: EntriesAnswer = { logStart: asRaftIndex(2), commit: asRaftIndex(9), entries, snapshot: undefined };

    it('carries request and answer unchanged', async () => {
      const [one, two] = await openPair();
      two.heard.answer = async () => answer;
      expect(await one.network.readEntries(asNodeId(2), request)).toEqual(answer);
      expect(two.heard.asked).toEqual([{ from: asNodeId(1), request }]);
    });

    it('carries that there is nothing: what was asked for is not committed', async () => {
      const [one, two] = await openPair();
      const nothing: EntriesAnswer = { ...answer, commit: asRaftIndex(4), entries: [] };
      two.heard.answer = async () => nothing;
      expect(await one.network.readEntries(asNodeId(2), request)).toEqual(nothing);
    });

    it('carries the start of a log', async () => {
      const [one, two] = await openPair();
      const membership = { voters: [asNodeId(1), asNodeId(2)], outgoing: [], learners: [], learnersNext: [], autoLeave: false };
      const snapshot = { index: asRaftIndex(8), term: asTerm(3), membership, state: new Uint8Array(5 * 1024 * kib).fill(7) };
      const withStart: EntriesAnswer = { logStart: asRaftIndex(8), commit: asRaftIndex(9), entries: [], snapshot };
      two.heard.answer = async () => withStart;
      const received = await one.network.readEntries(asNodeId(2), request);
      expect(Buffer.compare(received.snapshot!.state, snapshot.state)).toBe(0);
      expect({ ...received.snapshot, state: 0 }).toEqual({ ...snapshot, state: 0 });
    });

    it.each<[string, (request: EntriesRequest) => Promise<EntriesAnswer | undefined>]>([
      ['the peer does not have the group', async () => undefined],
      ['the peer fails', () => Promise.reject(new Error('broken'))],
      ['entries behind the commit index', async () => ({ ...answer, commit: asRaftIndex(8) })],
      ['more entries than asked for', async () => ({ ...answer, commit: asRaftIndex(99), entries: fourEntries() })],
      ['falling terms', async () => ({ ...answer, entries: entries.map((entry, at) => ({ ...entry, term: asTerm(5 - at) })) })],
      ['entries that the log does not have any more', async () => ({ ...answer, logStart: asRaftIndex(8) })],
    ])('rejects: %s', async (_what, respond) => {
      const [one, two] = await openPair();
      two.heard.answer = respond;
      await expect(one.network.readEntries(asNodeId(2), request)).rejects.toBeInstanceOf(PeerUnavailable);
    });

    const fourEntries = (): Entry<Uint8Array>[] =>
      [8, 9, 10, 11].map((index) => ({ kind: 'noop', index: asRaftIndex(index), term: asTerm(4), size: entrySize(0) }));

    it('rejects when the peer is not there, or goes', async () => {
      const [one, two] = await openPair();
      await expect(one.network.readEntries(asNodeId(3), request)).rejects.toBeInstanceOf(PeerUnavailable);
      await expect(one.network.readEntries(asNodeId(9), request)).rejects.toBeInstanceOf(PeerUnavailable);
      two.heard.answer = async () => {
        await two.kill();
        return answer;
      };
      await expect(one.network.readEntries(asNodeId(2), request)).rejects.toBeInstanceOf(PeerUnavailable);
    });
  });

  it('drops what nobody can hear, without a word', async () => {
    const one = await open(1);
    one.network.send(asNodeId(2), [heartbeat(1, 2, 1)]);
    one.network.send(asNodeId(9), [heartbeat(1, 9, 1)]);
    expect(one.network.queuedBytes(asNodeId(2))).toBe(0);
    expect(one.network.queuedBytes(asNodeId(9))).toBe(0);
    expect(one.network.isConnected(asNodeId(9))).toBe(false);
    await one.network.stop();
    one.network.send(asNodeId(2), [heartbeat(1, 2, 2)]);
    await one.network.stop();
  });
});

const roundsOf = (messages: readonly GroupMessage[]): number[] =>
  messages.flatMap(({ message }) => (message.kind === 'heartbeat-request' ? [message.readRound] : []));
const indexesOf = (messages: readonly GroupMessage[]): number[] =>
  messages.flatMap(({ message }) => (message.kind === 'append-request' ? [message.index] : []));

function payloadOf({ message }: GroupMessage): Uint8Array {
  const entry = message.kind === 'append-request' ? message.entries[0] : undefined;
  return entry?.kind === 'command' ? entry.payload : new Uint8Array();
}

async function drained(network: Network, peer: number): Promise<void> {
  while (network.queuedBytes(asNodeId(peer)) > 0) await new Promise((resolve) => setImmediate(resolve));
}
