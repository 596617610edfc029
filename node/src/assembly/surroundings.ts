/**
 * What a node is built on, and what may stand at the seams between its parts. There is
 * nothing unless the node was started with `--unsafe-faults` (faults/faulty-surroundings.ts).
 */
import type { Broker } from '../broker/broker.ts';
import type { HttpEdgeOptions } from '../edges/http/http-server.ts';
import type { RunningHost } from '../host/host.ts';
import type { HostObserver } from '../host/options.ts';
import type { Clock } from '../ports/clock.ts';
import type { Disk } from '../ports/disk.ts';
import type { Network } from '../ports/network.ts';
import type { Random } from '../ports/random.ts';
import { nodeDisk } from '../storage/disk/node-disk.ts';
import { discardStateStore, openStateStore } from '../storage/state/rocks-state-store.ts';
import type { StateFolders } from './storage.ts';
import { systemClock, systemRandom } from './system-clock.ts';

export interface Surroundings {
  readonly disk: Disk;
  readonly stateFolders: StateFolders;
  readonly clock: Clock;
  readonly random: Random;
  readonly network: (network: Network) => Network;
  readonly host: (host: RunningHost) => RunningHost;
  readonly observer: (observer: HostObserver) => HostObserver;
  readonly broker: (broker: Broker) => Broker;
  readonly faultsPage: HttpEdgeOptions['faults'];
}

export const realSurroundings: Surroundings = {
  disk: nodeDisk,
  stateFolders: { open: openStateStore, discard: discardStateStore },
  clock: systemClock,
  random: systemRandom,
  network: (network) => network,
  host: (host) => host,
  observer: (observer) => observer,
  broker: (broker) => broker,
  faultsPage: undefined,
};
