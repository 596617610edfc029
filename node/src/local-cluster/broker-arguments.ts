/** The command line of one broker of a local cluster. The names are those of node/src/config. */
import type { NodeAddresses } from './addresses.ts';

/** Segments are preallocated; a cluster on one machine has one set per node. */
const segmentBytes = '64MiB';

export function brokerArguments(id: number, dir: string, addresses: readonly NodeAddresses[]): readonly string[] {
  const own = addresses[id - 1];
  if (own === undefined) throw new RangeError(`no addresses for node ${id}`);
  const members = addresses.map((node, i) => `${i + 1}=${node.peerAddress}/${node.clientAddress}`).join(',');
  const settings: readonly (readonly [string, string])[] = [
    ['node.id', String(id)],
    ['cluster.members', members],
    ['data.dir', dir],
    ['listen.client', own.clientAddress],
    ['listen.peer', own.peerAddress],
    ['listen.http', own.httpAddress],
    ['journal.segmentBytes', segmentBytes],
  ];
  return settings.flatMap(([path, value]) => [`--${path}`, value]);
}
