/**
 * Faults below TCP, between network namespaces: packets are dropped or refused by the kernel,
 * which retransmits and times out by itself. The stronger tier: needs rights that the
 * others do not.
 */
import * as z from 'zod';
import type { Proof } from '../cluster/proofs.ts';
import type { NamespaceNetwork, PacketFault } from '../netns/namespace-network.ts';
import { dropOneWay, isolateFromClients, isolateFromPeers, rejectPair } from '../netns/packet-faults.ts';
import { proveRejected, proveUnheard } from '../netns/packet-proofs.ts';
import { limitRate } from '../netns/rate-limit.ts';
import { proveBy } from './begun.ts';
import { type BegunFault, defineFault, type Fault, type FaultContext, FaultImpossible, noParameters } from './fault.ts';
import { alone, muted } from './ways.ts';

const needs = ['namespaces'] as const;

function networkOf({ cluster }: FaultContext): NamespaceNetwork {
  if (cluster.namespaces === undefined) throw new FaultImpossible('the nodes are not in network namespaces of their own');
  return cluster.namespaces;
}

/** All or none of them. */
async function beginPackets(
  begin: readonly (() => Promise<PacketFault>)[],
  prove: (faults: readonly PacketFault[], ending: AbortSignal) => Promise<readonly Proof[]>,
): Promise<BegunFault> {
  const faults: PacketFault[] = [];
  const heal = async (): Promise<void> => void (await Promise.all(faults.map((fault) => fault.heal())));
  try {
    for (const each of begin) faults.push(await each());
  } catch (error) {
    await heal();
    throw error;
  }
  return { prove: (ending) => prove(faults, ending), heal };
}

export const isolateHard = defineFault({
  name: 'isolate-hard',
  family: 'network',
  summary: 'The kernel drops every packet between the node and its peers',
  parameters: noParameters,
  needs,
  describe: (nodes) => `packets between ${nodes} and the peers are dropped`,
  begin: async (context, nodes) => {
    const network = networkOf(context);
    const ways = alone(network.nodes, nodes);
    return beginPackets(
      nodes.map((node) => () => isolateFromPeers(network, node)),
      () => Promise.all(ways.map(({ from, to }) => proveUnheard(network, from, to))),
    );
  },
});

export const dropHard = defineFault({
  name: 'drop-hard',
  family: 'network',
  summary: 'The kernels of its peers drop every packet of the node; it hears them, and their answers to nothing',
  parameters: noParameters,
  needs,
  describe: (nodes) => `packets of ${nodes} are dropped by the peers`,
  begin: async (context, nodes) => {
    const network = networkOf(context);
    const ways = muted(network.nodes, nodes);
    return beginPackets(
      ways.map(
        ({ from, to }) =>
          () =>
            dropOneWay(network, from, to),
      ),
      () => Promise.all(ways.map(({ from, to }) => proveUnheard(network, from, to))),
    );
  },
});

export const resetHard = defineFault({
  name: 'reset-hard',
  family: 'network',
  summary: 'The kernel resets connections between the node and its peers, and refuses new ones',
  parameters: noParameters,
  needs,
  describe: (nodes) => `connections between ${nodes} and the peers are reset by the kernel`,
  begin: async (context, nodes) => {
    const network = networkOf(context);
    const ways = muted(network.nodes, nodes);
    return beginPackets(
      ways.map(
        ({ from, to }) =>
          () =>
            rejectPair(network, from, to),
      ),
      (faults) =>
        Promise.all(
          faults.flatMap((fault, i) => {
            const way = ways[i];
            return way === undefined ? [] : [proveRejected(network, fault, way.from, way.to)];
          }),
        ),
    );
  },
});

export const cutClientsHard = defineFault({
  name: 'cut-clients-hard',
  family: 'network',
  summary: 'The kernel drops every packet between the node and its clients',
  parameters: noParameters,
  needs,
  describe: (nodes) => `packets between ${nodes} and clients are dropped`,
  begin: async (context, nodes) => {
    const network = networkOf(context);
    return beginPackets(
      nodes.map((node) => () => isolateFromClients(network, node)),
      (faults, ending) => Promise.all(faults.map((fault, i) => proveBy(ending, () => proveStruck(fault, nodes[i] ?? 0)))),
    );
  },
});

export const throttleHard = defineFault({
  name: 'throttle-hard',
  family: 'network',
  summary: 'The interface of the node sends so many bytes per second and no more',
  parameters: z.strictObject({ bytesPerSecond: z.number().int().min(1000).max(1_000_000_000).default(50_000) }),
  needs,
  describe: (nodes, { bytesPerSecond }) => `${bytesPerSecond} bytes per second from ${nodes}`,
  begin: async (context, nodes, { bytesPerSecond }) => {
    const network = networkOf(context);
    return beginPackets(
      nodes.map((node) => () => limitRate(network, node, bytesPerSecond)),
      (faults, ending) => Promise.all(faults.map((fault, i) => proveBy(ending, () => proveWaited(fault, nodes[i] ?? 0)))),
    );
  },
});

async function proveWaited(fault: PacketFault, node: number): Promise<Proof> {
  const packets = await fault.struck();
  return { claim: `what node ${node} sends has to wait`, holds: packets > 0, evidence: `${packets} packets had to wait or were too many` };
}

/** Clients try all the time; their packets are counted where they are dropped. */
async function proveStruck(fault: PacketFault, node: number): Promise<Proof> {
  const packets = await fault.struck();
  return { claim: `clients do not reach node ${node}`, holds: packets > 0, evidence: `${packets} packets were dropped` };
}

export const hardNetworkFaults: readonly Fault[] = [isolateHard, dropHard, resetHard, cutClientsHard, throttleHard];
