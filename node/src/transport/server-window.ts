/**
 * Opens the HTTP/2 receive window of a gRPC server.
 *
 * grpc-js applies `grpc-node.flow_control_window` to clients only; a server keeps
 * HTTP/2's 64 KiB per stream and per connection, which bounds a producer to one window
 * per round trip. The server makes its http2 servers in `createHttp2Server`, which is
 * private; this is the one place that knows it. Should a later grpc-js not have it,
 * this throws at start, and the version is pinned.
 */
import type { Http2Server } from 'node:http2';
import type { Socket } from 'node:net';
import type { Server } from '@grpc/grpc-js';

interface ServerInternals {
  createHttp2Server?: (credentials: unknown) => Http2Server;
}

/**
 * Call before `bindAsync`. Every connection accepted later gets windows of `windowBytes`.
 * Returns the connections that are open, which the server does not tell.
 */
export function openServerWindow(server: Server, windowBytes: number): ReadonlySet<Socket> {
  const connections = new Set<Socket>();
  const internals = server as unknown as ServerInternals;
  const create = internals.createHttp2Server;
  if (create === undefined) throw new Error('this version of @grpc/grpc-js has no createHttp2Server: the server window cannot be opened');
  internals.createHttp2Server = (credentials) => {
    const http2Server = create.call(server, credentials);
    http2Server.on('session', (session) => {
      session.settings({ initialWindowSize: windowBytes });
      session.setLocalWindowSize(windowBytes);
    });
    http2Server.on('connection', (socket: Socket) => {
      connections.add(socket);
      socket.once('close', () => connections.delete(socket));
    });
    return http2Server;
  };
  return connections;
}
