/**
 * Looks whether the node's addresses can be used before anything else happens, so that a
 * port in use is one clear sentence and not a half-started node. Port 0 becomes a free
 * port here, because the node tells its addresses to others before it listens.
 */
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import type { Config } from '../config/schema.ts';
import type { Endpoint } from '../config/units.ts';
import { formatEndpoint, parseEndpoint } from '../config/units.ts';
import { StartFailure } from './exit-code.ts';

export interface ListenAddresses {
  readonly client: Endpoint;
  readonly peer: Endpoint;
  readonly http: Endpoint;
}

export async function claimAddresses({ listen }: Config): Promise<ListenAddresses> {
  return {
    client: await probe('listen.client', listen.client),
    peer: await probe('listen.peer', listen.peer),
    http: await probe('listen.http', listen.http),
  };
}

function probe(key: string, address: string): Promise<Endpoint> {
  const wanted = parseEndpoint(address);
  if (wanted === undefined) throw new StartFailure('CONFIG_INVALID', `${key} is not host:port: ${address}.`);
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => reject(addressFailure(key, address, error)));
    server.listen({ ...wanted, exclusive: true }, () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve({ host: wanted.host, port }));
    });
  });
}

export function addressFailure(key: string, address: string, error: NodeJS.ErrnoException): StartFailure {
  if (error.code === 'EADDRINUSE')
    return new StartFailure('PORT_IN_USE', `${address} (${key}) is in use by another process.`, { cause: error });
  const why = error.code === 'EACCES' ? 'this user may not listen there' : `the system refuses it (${error.code ?? error.message})`;
  return new StartFailure('CONFIG_INVALID', `${address} (${key}) cannot be listened on: ${why}.`, { cause: error });
}

export interface Advertised {
  readonly clientAddress: string;
  readonly peerAddress: string;
  readonly httpAddress: string;
}

/** What others are told: set explicitly, or as the member list says, or where the node listens. */
export function advertisedAddresses({ advertise, cluster, node }: Config, listening: ListenAddresses): Advertised {
  const member = cluster.members.find(({ id }) => id === node.id);
  return {
    clientAddress: advertise.client ?? member?.client ?? formatEndpoint(listening.client),
    peerAddress: advertise.peer ?? member?.peer ?? formatEndpoint(listening.peer),
    httpAddress: advertise.http ?? formatEndpoint(listening.http),
  };
}
