/**
 * A cluster of the stronger tier in the shape that the nemesis and a run know. It has no
 * links: faults that need some find none and say so.
 */
import type { BrokerOptions } from '../cluster/brokers.ts';
import type { ChaosCluster } from '../cluster/chaos-cluster.ts';
import type { NamespaceNetwork } from '../netns/namespace-network.ts';
import { startNamespaceCluster } from '../netns/namespace-cluster.ts';
import { healPackets } from '../netns/packet-faults.ts';
import { FaultImpossible } from './fault.ts';

export interface HardCluster extends ChaosCluster {
  readonly namespaces: NamespaceNetwork;
}

/** Resolves when all nodes are ready. The caller has made sure of the rights (netns/capabilities.ts). */
export async function startHardCluster(options: BrokerOptions): Promise<HardCluster> {
  const cluster = await startNamespaceCluster(options);
  const { network } = cluster;
  const none = (): never => {
    throw new FaultImpossible('nodes in network namespaces have no links; take a fault that ends in -hard');
  };
  return {
    ...cluster,
    namespaces: network,
    link: none,
    clientLink: none,
    links: [],
    // Before the processes end it is done again, and waited for.
    heal: () => void healPackets(network),
  };
}
