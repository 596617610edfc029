/** The fake cluster behind real gRPC servers on free ports. */
import { AdminServiceService } from '@balsa/proto/admin';
import { DataServiceService } from '@balsa/proto/client';
import {
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type UntypedServiceImplementation,
  type sendUnaryData,
} from '@grpc/grpc-js';
import { type FakeCluster, fakeService } from './fake-broker.ts';
import type { Service } from './memory-transport.ts';

export interface FakeServers {
  readonly addresses: readonly string[];
  /** Kills one node's server: connections break, new ones are refused. */
  readonly kill: (nodeId: number) => void;
  readonly stop: () => void;
}

export async function startFakeServers(cluster: FakeCluster): Promise<FakeServers> {
  const servers = new Map<number, Server>();
  for (const node of cluster.nodes.values()) {
    const server = new Server({ 'grpc.max_receive_message_length': 64 * 1024 * 1024 });
    const service = fakeService(cluster, node.nodeId);
    server.addService(DataServiceService, handlers(service, DataServiceService));
    server.addService(AdminServiceService, handlers(service, AdminServiceService));
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      );
    });
    node.address = `127.0.0.1:${port}`;
    servers.set(node.nodeId, server);
  }
  return {
    addresses: [...cluster.nodes.values()].map(({ address }) => address),
    kill: (nodeId) => servers.get(nodeId)?.forceShutdown(),
    stop: () => {
      for (const server of servers.values()) server.forceShutdown();
    },
  };
}

type Definition = Readonly<Record<string, { readonly path: string; readonly requestStream: boolean }>>;

function handlers(service: Service, definition: Definition): UntypedServiceImplementation {
  const entries = Object.entries(definition).map(([name, { path, requestStream }]) => {
    return [name, requestStream ? streamHandler(service, path) : unaryHandler(service, path)] as const;
  });
  return Object.fromEntries(entries);
}

function unaryHandler(service: Service, path: string) {
  return (call: ServerUnaryCall<unknown, unknown>, reply: sendUnaryData<unknown>) => {
    void service.unary
      .get(path)?.(call.request)
      .then((answer) => reply(null, answer));
  };
}

function streamHandler(service: Service, path: string) {
  return (call: ServerDuplexStream<unknown, unknown>) => {
    const peer = { send: (message: unknown) => void call.write(message), close: () => void call.end() };
    const stream = service.streams.get(path)?.(peer);
    call.on('data', (message) => stream?.onMessage(message));
    call.on('error', () => undefined);
    for (const event of ['end', 'cancelled', 'close']) call.on(event, () => stream?.onClosed());
    call.on('end', () => call.end());
  };
}
