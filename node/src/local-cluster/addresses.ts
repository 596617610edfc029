/** Where the nodes of a local cluster listen. With a port base P, node n uses P+n-1, P+10+n-1 and P+20+n-1. */
import { isFree, reservePorts } from './free-ports.ts';
import { LocalClusterError } from './local-cluster-error.ts';

/** With a port base, more nodes than this would run into the ports of the next kind. */
export const nodesMax = 9;
const kindStep = 10;
const host = '127.0.0.1';

/** The three listening addresses of one node, host:port. */
export interface NodeAddresses {
  readonly clientAddress: string;
  readonly peerAddress: string;
  readonly httpAddress: string;
}

export interface ReservedAddresses {
  /** By position; node id = position + 1. */
  readonly nodes: readonly NodeAddresses[];
  readonly release: () => void;
}

export async function reserveAddresses(nodeCount: number, portBase: number | 'free'): Promise<ReservedAddresses> {
  if (portBase === 'free') {
    const { ports, release } = await reservePorts(nodeCount * 3);
    const nodes = Array.from({ length: nodeCount }, (_, i) => addressesOf(ports.slice(i * 3, i * 3 + 3)));
    return { nodes, release };
  }
  const portsOf = (i: number): readonly number[] => [portBase + i, portBase + kindStep + i, portBase + 2 * kindStep + i];
  const ports = Array.from({ length: nodeCount }, (_, i) => portsOf(i));
  for (const port of ports.flat()) {
    if (!(await isFree(port))) throw new LocalClusterError('PORT_IN_USE', `port ${port} is in use by another process`);
  }
  return { nodes: ports.map(addressesOf), release: () => undefined };
}

function addressesOf(ports: readonly number[]): NodeAddresses {
  const [client, peer, http] = ports.map((port) => `${host}:${port}`);
  if (client === undefined || peer === undefined || http === undefined) throw new RangeError('a node needs three ports');
  return { clientAddress: client, peerAddress: peer, httpAddress: http };
}
