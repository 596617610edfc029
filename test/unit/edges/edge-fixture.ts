/** A broker over the fake host behind the real gRPC server, on a free port. */
import { AdminServiceClient } from '@balsa/proto/admin';
import type { FetchRequest, FetchResponse, ProduceRequest, ProduceResponse } from '@balsa/proto/client';
import { DataServiceClient } from '@balsa/proto/client';
import type { EdgeLimits } from '@balsa/node/edges/grpc/edge-options.ts';
import { createClientServer } from '@balsa/node/edges/grpc/client-server.ts';
import type { ClientDuplexStream, ClientOptions, ServiceError } from '@grpc/grpc-js';
import { credentials } from '@grpc/grpc-js';
import type { Fixture, FixtureOptions } from '../broker/fixture.ts';
import { startFixture } from '../broker/fixture.ts';

export const edgeLimits: EdgeLimits = {
  produceStreamBytesMax: 16 * 1024 * 1024,
  fetchStreamBytesMax: 8 * 1024 * 1024,
  streamRequestsInflightMax: 1024,
  streamStallMs: 30_000,
  streamsMax: 100,
  unaryInflightMax: 100,
};

export interface EdgeFixture extends Fixture {
  readonly data: DataServiceClient;
  readonly admin: AdminServiceClient;
  readonly address: string;
  readonly refused: string[];
  readonly unexpected: unknown[];
  readonly streams: () => number;
  /** A client of its own connection. */
  readonly connect: (options?: ClientOptions) => DataServiceClient;
  readonly close: () => Promise<void>;
}

export async function startEdge(limits: Partial<EdgeLimits> = {}, options: FixtureOptions = {}): Promise<EdgeFixture> {
  const fixture = await startFixture(options);
  const refused: string[] = [];
  const unexpected: unknown[] = [];
  let streams = 0;
  const server = createClientServer({
    broker: fixture.broker,
    limits: { ...edgeLimits, ...limits },
    observer: {
      onRefused: (code) => refused.push(code),
      onUnexpected: (error) => unexpected.push(error),
      onRequest: () => {},
      onStreams: (open) => {
        streams = open;
      },
    },
    measures: async () => ({ version: 'test', uptimeMs: 1, memoryBytes: 2, journalBytes: 3, diskFreeBytes: 4 }),
  });
  const address = `127.0.0.1:${await server.listen('127.0.0.1:0')}`;
  const clients: DataServiceClient[] = [];
  const connect = (clientOptions: ClientOptions = {}): DataServiceClient => {
    const client = new DataServiceClient(address, credentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1,
      'grpc.max_receive_message_length': 64 * 1024 * 1024,
      ...clientOptions,
    });
    clients.push(client);
    return client;
  };
  const admin = new AdminServiceClient(address, credentials.createInsecure());
  return {
    ...fixture,
    data: connect(),
    admin,
    address,
    refused,
    unexpected,
    streams: () => streams,
    connect,
    close: async () => {
      admin.close();
      for (const client of clients) client.close();
      fixture.stop();
      await server.stop(50);
    },
  };
}

/** Requests on one stream with answers by correlation. */
export interface Exchange<Request, Response> {
  readonly stream: ClientDuplexStream<Request, Response>;
  readonly ask: (request: Omit<Request, 'correlation'>) => Promise<Response>;
  readonly failed: Promise<ServiceError>;
}

export function exchange<Request extends { correlation: number }, Response extends { correlation: number }>(
  stream: ClientDuplexStream<Request, Response>,
): Exchange<Request, Response> {
  let last = 0;
  const waiting = new Map<number, (response: Response) => void>();
  stream.on('data', (response: Response) => {
    waiting.get(response.correlation)?.(response);
    waiting.delete(response.correlation);
  });
  const failed = new Promise<ServiceError>((resolve) => {
    stream.on('error', resolve);
  });
  const ask = (request: Omit<Request, 'correlation'>): Promise<Response> => {
    last += 1;
    const correlation = last;
    return new Promise((resolve) => {
      waiting.set(correlation, resolve);
      stream.write({ ...request, correlation } as Request);
    });
  };
  return { stream, ask, failed };
}

export type ProduceExchange = Exchange<ProduceRequest, ProduceResponse>;
export type FetchExchange = Exchange<FetchRequest, FetchResponse>;

/** A unary call as a promise. */
export const call = <Response>(send: (done: (error: ServiceError | null, response: Response) => void) => unknown): Promise<Response> =>
  new Promise((resolve, reject) => {
    send((error, response) => (error === null ? resolve(response) : reject(error)));
  });
