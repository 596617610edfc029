/**
 * Ports for a local cluster that nobody else will take.
 *
 * Asking the kernel for port 0 and closing the socket again leaves a gap in which the
 * port can be given to anyone, and a killed node loses its port for good. Instead ports
 * come in fixed blocks below the range from which kernels hand out ports by themselves.
 * The first port of a block is its guard: whoever listens on it owns the whole block. The
 * kernel makes that exclusive between processes and ends it when the owner dies, so there
 * is no stale state to clean up.
 */
import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { LocalClusterError } from './local-cluster-error.ts';

const host = '127.0.0.1';
const firstPort = 20_000;
/** Linux hands out ports from 32768 on, others from 49152. */
const endPort = 32_768;
const blockSize = 16;
const blockCount = Math.floor((endPort - firstPort) / blockSize);

export interface PortReservation {
  readonly ports: readonly number[];
  readonly release: () => void;
}

/** Reserves `count` ports for this process until `release` or its death. */
export async function reservePorts(count: number, random: () => number = Math.random): Promise<PortReservation> {
  const guards: Server[] = [];
  const ports: number[] = [];
  const start = Math.floor(random() * blockCount);
  for (let i = 0; i < blockCount && ports.length < count; i += 1) {
    const guardPort = firstPort + ((start + i) % blockCount) * blockSize;
    const guard = await listen(guardPort);
    if (guard === undefined) continue;
    guards.push(guard);
    for (let port = guardPort + 1; port < guardPort + blockSize && ports.length < count; port += 1) {
      if (await isFree(port)) ports.push(port);
    }
  }
  const release = (): void => guards.forEach((guard) => guard.close());
  if (ports.length === count) return { ports, release };
  release();
  throw new LocalClusterError('PORT_IN_USE', `no ${count} free ports between ${firstPort} and ${endPort}`);
}

/** Whether a server could listen on the port now. */
export async function isFree(port: number): Promise<boolean> {
  const server = await listen(port);
  if (server === undefined) return false;
  await new Promise((resolve) => server.close(resolve));
  return true;
}

/** A server that listens on the port and does not keep the process alive; undefined if the port is taken. */
function listen(port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen({ port, host, exclusive: true }, () => resolve(server.unref()));
  });
}
