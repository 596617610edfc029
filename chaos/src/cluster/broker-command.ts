/** The command line of one broker that reaches others over paths. The names are those of node/src/config. */
import type { NodeAddresses } from '@balsa/node/local-cluster/addresses.ts';

/** Settings of the broker by their path, for example `raft.heartbeatMs`. */
export type BrokerConfig = Readonly<Record<string, string | number | boolean>>;

/** Under which addresses a broker is reached, if not where it listens. */
export interface Paths {
  /** Node `to` dials this to be told what node `from` has to say to it. */
  readonly peer: (from: number, to: number) => string;
  readonly client: (node: number) => string;
}

/** The smallest that is allowed: data of chaos runs is small, and there is a set of segments per node. */
const segmentBytes = '48MiB';

/** `addresses` are where the nodes listen, by position; node id = position + 1. Later settings override earlier ones. */
export function brokerCommand(
  id: number,
  dir: string,
  addresses: readonly NodeAddresses[],
  paths: Paths,
  config: BrokerConfig,
): readonly string[] {
  const own = addresses[id - 1];
  if (own === undefined) throw new RangeError(`no addresses for node ${id}`);
  // Its own entry is only told to others.
  const peerAddress = (other: number): string => (other === id ? own.peerAddress : paths.peer(other, id));
  const members = addresses.map((_, i) => `${i + 1}=${peerAddress(i + 1)}/${paths.client(i + 1)}`);
  const settings: BrokerConfig = {
    'node.id': id,
    'cluster.members': members.join(','),
    'data.dir': dir,
    'listen.client': own.clientAddress,
    'listen.peer': own.peerAddress,
    'listen.http': own.httpAddress,
    'advertise.client': paths.client(id),
    'journal.segmentBytes': segmentBytes,
    'log.format': 'json',
    ...config,
  };
  return Object.entries(settings).flatMap(([path, value]) => [`--${path}`, String(value)]);
}
