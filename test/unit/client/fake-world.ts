/** A fake cluster on a memory network under a virtual clock, and a client connected to it. */
import { type Balsa, connect, type ConnectOptions } from '@balsa/client';
import { createFakeCluster, type FakeCluster, fakeService } from './fake-broker.ts';
import { createMemoryNetwork, type MemoryNetwork } from './memory-transport.ts';
import { createVirtualClock, seededRandom, type VirtualClock } from './virtual-clock.ts';

export interface FakeWorld {
  readonly clock: VirtualClock;
  readonly cluster: FakeCluster;
  readonly network: MemoryNetwork;
  readonly connect: (options?: ConnectOptions) => Promise<Balsa>;
}

export function createFakeWorld(
  options: { readonly nodes?: number; readonly seed?: number; readonly latencyMs?: () => number } = {},
): FakeWorld {
  const clock = createVirtualClock();
  const cluster = createFakeCluster(clock, options.nodes ?? 3);
  const network = createMemoryNetwork(clock, options.latencyMs);
  for (const { nodeId, address } of cluster.nodes.values()) network.serve(address, fakeService(cluster, nodeId));
  const ports = { clock, random: seededRandom(options.seed ?? 1), transport: network.transport };
  return { clock, cluster, network, connect: (extra = {}) => clock.run(connect('balsa://node1,node2,node3', { ports, ...extra })) };
}
