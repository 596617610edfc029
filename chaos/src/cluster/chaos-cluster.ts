/**
 * A cluster to be hurt: real broker processes whose every path, between each other and to
 * their clients, leads through a link of this process.
 *
 * Owned by process id. Whatever happens to the harness (an error, an exit, kill -9), the
 * processes end and, unless asked to keep it, the folder goes.
 */
import { reserveAddresses } from '@balsa/node/local-cluster/addresses.ts';
import { assertNodeCount, type BrokerOptions, type Brokers, createBrokers, startBrokers, stopBrokers } from './brokers.ts';
import { type Guard, startGuard } from './guard.ts';
import { type ClusterLinks, type ClusterNetwork, openNetwork } from './network.ts';

export interface ChaosClusterOptions extends BrokerOptions {
  /** 0 (inclusive) to 1 (exclusive): jitter of the links. */
  readonly random?: () => number;
}

export interface ChaosCluster extends AsyncDisposable, ClusterLinks, Brokers {
  /** Ends processes, links and guard; the first call counts. */
  readonly stop: () => Promise<void>;
}

/** Resolves when all nodes are ready; if they do not become so, nothing is left behind. */
export async function startChaosCluster(options: ChaosClusterOptions): Promise<ChaosCluster> {
  assertNodeCount(options.nodes);
  await using started = new AsyncDisposableStack();
  const guard = startGuard();
  started.defer(guard.release);
  const reserved = await reserveAddresses(options.nodes, 'free');
  started.defer(reserved.release);
  const network = await openNetwork(reserved.nodes, options.random ?? Math.random);
  started.defer(network.close);
  const brokers = brokersOf(options, reserved.nodes, network, guard);
  started.defer(() => stopBrokers(brokers));
  // With the faults over, leaders can hand over and the processes end in order.
  started.defer(network.heal);
  await startBrokers(brokers, options);
  const owned = started.move();
  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopping ??= owned.disposeAsync();
    return stopping;
  };
  const { link, clientLink, links, heal } = network;
  return { ...brokers, link, clientLink, links, heal, stop, [Symbol.asyncDispose]: stop };
}

function brokersOf(options: BrokerOptions, addresses: Parameters<typeof openNetwork>[0], network: ClusterNetwork, guard: Guard): Brokers {
  const paths = {
    // A node dials the link that carries the other's messages to it.
    peer: (from: number, to: number) => network.link(from, to).address,
    client: (node: number) => network.clientLink(node).address,
  };
  return createBrokers(options, { addresses, paths, guard });
}
