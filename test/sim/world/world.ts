/** The world of one run: a clock, chance, networks, and the nodes of one cluster. */
import { asNodeId } from '@balsa/node/core/ids.ts';
import { createMemoryStateFolder } from '@balsa/node/storage/state/memory-state-store.ts';
import { createMemoryHub, type MemoryHub } from '@balsa/node/transport/memory-network.ts';
import { type Balsa, connect, type Transport } from '@balsa/client';
import { createSimDisk } from './disk/sim-disk.ts';
import type { DiskProfile } from './disk/disk-profile.ts';
import type { DiskFault, DiskFaultKind } from './disk/disk-fault.ts';
import { type ClientNetwork, createClientNetwork } from './client-network.ts';
import { clientAddressOf, nodeConfig, type NodeTuning } from './node-config.ts';
import { createProcessClock, type ProcessClock, type ProcessClockOptions } from './process-clock.ts';
import { createStreams, type Streams } from './random-streams.ts';
import { newNode, type NodeWatch, type SimNode } from './sim-node.ts';
import { createVirtualClock, type VirtualClock } from './virtual-clock.ts';

export interface WorldOptions {
  readonly seed: number;
  readonly nodes: number;
  readonly tuning: NodeTuning;
  /** Of each node's clock. */
  readonly clocks: (node: number) => ProcessClockOptions;
  readonly disks: (node: number) => DiskProfile;
  readonly onDiskFault: (node: number, fault: DiskFault) => void;
  readonly mayDiskFault: (node: number, kind: DiskFaultKind) => boolean;
  readonly watch: NodeWatch;
}

export interface World {
  readonly clock: VirtualClock;
  readonly random: Streams;
  readonly hub: MemoryHub;
  readonly clients: ClientNetwork;
  readonly nodes: readonly SimNode[];
  readonly watch: NodeWatch;
}

export function createWorld({ seed, nodes: count, tuning, clocks, disks, onDiskFault, mayDiskFault, watch }: WorldOptions): World {
  const clock = createVirtualClock();
  const random = createStreams(seed);
  const ids = Array.from({ length: count }, (_, place) => place + 1);
  const hub = createMemoryHub({ clock, nodes: ids.map(asNodeId) });
  const nodes = ids.map((id) =>
    newNode({
      config: nodeConfig(id, ids, tuning),
      hostLimits: tuning.host ?? {},
      disk: createSimDisk({
        clock,
        random: random(`disk-${id}`),
        profile: disks(id),
        onFault: (fault) => onDiskFault(id, fault),
        mayHappen: (kind) => mayDiskFault(id, kind),
      }),
      stateFolder: createMemoryStateFolder(),
      clockOptions: clocks(id),
    }),
  );
  return { clock, random, hub, clients: createClientNetwork(clock), nodes, watch };
}

/** A process that uses the client library. */
export interface SimClient {
  readonly name: string;
  readonly clock: ProcessClock;
  readonly transport: Transport;
  readonly connect: () => Promise<Balsa>;
}

export function createClient(world: World, name: string): SimClient {
  const clock = createProcessClock(world.clock, { rate: 1, wallOffsetMs: 0 });
  const transport = world.clients.transport(name, clock);
  const addresses = world.nodes.map(({ id }) => clientAddressOf(id));
  const ports = { clock, transport, random: world.random(name) };
  return { name, clock, transport, connect: () => connect(addresses, { clientId: name, ports }) };
}
