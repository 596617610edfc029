/**
 * The gRPC server of the client API: data, admin and health services on one port.
 *
 * Memory bound of this edge: per stream one decoded request ahead of
 * produceStreamBytesMax, and one answer being written; per connection one HTTP/2 window.
 * What the requests hold inside the broker has the broker's own bounds.
 */
import type { Socket } from 'node:net';
import { AdminServiceService } from '@balsa/proto/admin';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { openServerWindow } from '../../transport/server-window.ts';
import { adminHandlers } from './admin-service.ts';
import { dataHandlers, dataServiceDefinition } from './data-service.ts';
import type { EdgeOptions } from './edge-options.ts';
import { healthHandlers, healthServiceDefinition } from './health-service.ts';

export interface ClientServer {
  /** Resolves to the port; rejects with the system's error if the address cannot be used. */
  readonly listen: (address: string) => Promise<number>;
  /** Lets calls under way finish for `graceMs`, then cuts them off. */
  readonly stop: (graceMs: number) => Promise<void>;
}

/** The largest batch that any topic may allow, and its frame. */
const requestBytesMax = 33 * 1024 * 1024;
const windowBytes = 4 * 1024 * 1024;
const concurrentStreamsMax = 1000;
const pingIntervalMs = 10_000;
const pingTimeoutMs = 10_000;
/** For clients to hear that their calls were cut off, before their connections are. */
const farewellMs = 200;

export function createClientServer(options: EdgeOptions): ClientServer {
  const server = new Server({
    'grpc.max_receive_message_length': requestBytesMax,
    'grpc.max_send_message_length': -1,
    'grpc.max_concurrent_streams': concurrentStreamsMax,
    // Connections of vanished clients go, and with them what they hold.
    'grpc.keepalive_time_ms': pingIntervalMs,
    'grpc.keepalive_timeout_ms': pingTimeoutMs,
    'grpc.enable_channelz': 0,
  });
  const connections = openServerWindow(server, windowBytes);
  const gate = { options, inflight: 0 };
  server.addService(dataServiceDefinition, dataHandlers(options, gate));
  server.addService(AdminServiceService, adminHandlers(options, gate));
  const isReady = (): boolean => options.broker.readiness().every(({ problem }) => problem === undefined);
  server.addService(healthServiceDefinition, healthHandlers(['balsa.v1.DataService', 'balsa.v1.AdminService'], isReady));
  let bound = '';
  return {
    listen: (address) =>
      new Promise((resolve, reject) => {
        server.bindAsync(address, ServerCredentials.createInsecure(), (error, port) => {
          if (error !== null) return reject(error);
          bound = address.replace(/:\d+$/, `:${port}`);
          resolve(port);
        });
      }),
    stop: (graceMs) => stop(server, connections, bound, graceMs),
  };
}

/**
 * `drain` and not `forceShutdown`, which without channelz knows of no connection and closes none.
 * A session that has ended still waits for the end of the other side, which a client that is
 * paused or out of reach never sends: its connection is cut off.
 */
function stop(server: Server, connections: ReadonlySet<Socket>, bound: string, graceMs: number): Promise<void> {
  if (bound !== '') server.drain(bound, graceMs);
  const late = setTimeout(() => connections.forEach((socket) => socket.destroy()), graceMs + farewellMs);
  return new Promise((resolve) => {
    server.tryShutdown(() => {
      clearTimeout(late);
      resolve();
    });
  });
}
