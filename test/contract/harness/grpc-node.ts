/** A gRPC server with a network on it, and small servers and proxies to set beside it. */
import { createServer, connect, type Server as TcpServer, type Socket } from 'node:net';
import { asNodeId, type NodeId } from '@balsa/node/core/ids.ts';
import { peerServerOptions } from '@balsa/node/transport/channel-options.ts';
import { createGrpcNetwork, type GrpcNetwork } from '@balsa/node/transport/grpc-network.ts';
import type { GrpcNetworkOptions, TransportEvent } from '@balsa/node/transport/vocabulary.ts';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { createRecorder, type Recorder } from './recorder.ts';
import { systemClock, systemRandom } from './system-clock.ts';

export interface GrpcNode {
  readonly network: GrpcNetwork;
  readonly heard: Recorder;
  readonly events: TransportEvent[];
  readonly port: number;
  /** host:port of the peer, as this node is to dial it. */
  readonly dial: (peer: number, port: number) => void;
  readonly close: () => Promise<void>;
}

export async function listen(server: Server, port = 0): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
}

/** Starts a node that serves at once and dials when told to. */
export async function openGrpcNode(id: number, options: Partial<GrpcNetworkOptions> = {}): Promise<GrpcNode> {
  const events: TransportEvent[] = [];
  const heard = createRecorder();
  const network = createGrpcNetwork({
    self: asNodeId(id),
    clusterId: () => 'c',
    storeId: `store-${id}`,
    peers: [],
    verifyPeer: () => 'ok',
    clock: systemClock,
    random: systemRandom,
    onEvent: (event) => events.push(event),
    ...options,
    limits: { reconnectMsMin: 5, reconnectMsMax: 20, refusedRetryMs: 60, ...options.limits },
  });
  const server = new Server(peerServerOptions());
  network.register(server);
  const port = await listen(server);
  network.start(heard);
  const peers = new Map<NodeId, string>();
  return {
    network,
    heard,
    events,
    port,
    dial: (peer, at) => {
      peers.set(asNodeId(peer), `127.0.0.1:${at}`);
      network.setPeers([...peers].map(([nodeId, address]) => ({ nodeId, address })));
    },
    close: async () => {
      await network.stop();
      server.forceShutdown();
    },
  };
}

export interface TcpProxy {
  readonly port: number;
  /** From now on nothing passes, and nobody is told: a cable that was pulled. */
  readonly freeze: () => void;
  readonly close: () => void;
}

export async function openProxy(target: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let frozen = false;
  const server: TcpServer = createServer((near) => {
    const far = connect(target, '127.0.0.1');
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on('data', (data) => {
        if (!frozen) to.write(data);
      });
      from.on('error', () => undefined);
      from.on('close', () => {
        sockets.delete(from);
        if (!frozen) to.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    freeze: () => {
      frozen = true;
    },
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

export const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
};
