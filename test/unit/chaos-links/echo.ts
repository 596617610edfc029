/** A plain echo server, a link to it, and clients; all ended by `closeAll`. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { type Link, type LinkOptions, openLink } from '@balsa/chaos/links/link.ts';

const duties: (() => unknown)[] = [];

export async function closeAll(): Promise<void> {
  for (let duty = duties.pop(); duty !== undefined; duty = duties.pop()) await duty();
}

export interface Echo {
  readonly server: Server;
  readonly address: string;
  readonly sockets: Set<Socket>;
  readonly received: () => number;
  readonly connections: () => Promise<number>;
}

/** Sends back what it gets; `onData` replaces that. */
export async function startEcho(onData: (socket: Socket, bytes: Buffer) => void = (socket, bytes) => socket.write(bytes)): Promise<Echo> {
  const sockets = new Set<Socket>();
  let received = 0;
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('data', (bytes: Buffer) => {
      received += bytes.length;
      onData(socket, bytes);
    });
    socket.on('error', () => undefined);
    socket.once('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  duties.push(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  const connections = (): Promise<number> =>
    new Promise((resolve, reject) => server.getConnections((error, count) => (error === null ? resolve(count) : reject(error))));
  return { server, sockets, address: `127.0.0.1:${(server.address() as AddressInfo).port}`, received: () => received, connections };
}

export async function startLink(target: string, options: Partial<LinkOptions> = {}): Promise<Link> {
  const link = await openLink({ name: 'test', target, ...options });
  duties.push(link.close);
  return link;
}

export interface TestClient {
  readonly socket: Socket;
  /** All that came back so far. */
  readonly text: () => string;
  readonly bytes: () => number;
  /** How the other side ended the connection. */
  readonly end: () => 'none' | 'fin' | 'reset';
}

export async function dial(address: string): Promise<TestClient> {
  const [host, port] = address.split(':');
  const socket = connect({ host: host!, port: Number(port), allowHalfOpen: true });
  const chunks: Buffer[] = [];
  let end: 'none' | 'fin' | 'reset' = 'none';
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.once('end', () => (end = 'fin'));
  socket.on('error', () => (end = 'reset'));
  duties.push(() => socket.destroy());
  await once(socket, 'connect');
  return {
    socket,
    text: () => Buffer.concat(chunks).toString(),
    bytes: () => chunks.reduce((sum, chunk) => sum + chunk.length, 0),
    end: () => end,
  };
}

export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = performance.now() + 10_000;
  while (!(await condition())) {
    if (performance.now() > endMs) throw new Error(`not within 10 s: ${what}`);
    await delay(2);
  }
}
