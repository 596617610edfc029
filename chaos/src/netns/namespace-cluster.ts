/**
 * A cluster of the stronger tier: real broker processes, each in a network namespace of its
 * own, that reach each other without a link of this process in between. Needs root and
 * what capabilities.ts looks for; nothing of the portable tier does.
 *
 * Owned like a ChaosCluster: whatever happens to the harness, the processes end, and
 * namespaces, interfaces and rules go.
 */
import { assertNodeCount, type BrokerOptions, type Brokers, createBrokers, startBrokers, stopBrokers } from '../cluster/brokers.ts';
import { startGuard } from '../cluster/guard.ts';
import { type NamespaceNetwork, openNamespaceNetwork, ports } from './namespace-network.ts';
import { healPackets } from './packet-faults.ts';

export interface NamespaceCluster extends AsyncDisposable, Brokers {
  readonly network: NamespaceNetwork;
  /** Ends processes, and removes everything that was made; the first call counts. */
  readonly stop: () => Promise<void>;
}

/** Resolves when all nodes are ready; if they do not become so, nothing is left behind. */
export async function startNamespaceCluster(options: BrokerOptions): Promise<NamespaceCluster> {
  assertNodeCount(options.nodes);
  await using started = new AsyncDisposableStack();
  const guard = startGuard();
  started.defer(guard.release);
  const network = await openNamespaceNetwork(options.nodes, guard);
  const { addresses, subnet, launcher } = network;
  const paths = {
    peer: (from: number) => `${subnet.node(from)}:${ports.peer}`,
    client: (node: number) => `${subnet.node(node)}:${ports.client}`,
  };
  const brokers = createBrokers(options, { addresses, paths, guard, launcher });
  started.defer(() => stopBrokers(brokers));
  started.defer(() => healPackets(network));
  await startBrokers(brokers, options);
  const owned = started.move();
  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopping ??= owned.disposeAsync();
    return stopping;
  };
  return { ...brokers, network, stop, [Symbol.asyncDispose]: stop };
}
