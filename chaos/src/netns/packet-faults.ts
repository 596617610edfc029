/**
 * Faults of the network between namespaces, as rules of the packet filter. Unlike a link
 * they are below TCP: the kernels on both sides retransmit and time out by themselves.
 *
 * Each fault is a table of its own in the namespace of one node; what one of several
 * tables drops stays dropped, so faults overlap, and each ends alone.
 */
import type { NamespaceNetwork, PacketFault } from './namespace-network.ts';
import { ports } from './namespace-network.ts';
import { deleteTable, readCounters, setTable } from './packet-table.ts';

interface Rules {
  readonly input: readonly string[];
  readonly output: readonly string[];
}

const struckCounter = 'struck';
const drop = `counter name ${struckCounter} drop`;
/** The sender gets a reset for what it sent; resets pass, or nobody would ever get one. */
const reset = `tcp flags & rst == 0 counter name ${struckCounter} reject with tcp reset`;

/** No packet from node `from` reaches node `to`; the other way is open. */
export function dropOneWay(network: NamespaceNetwork, from: number, to: number): Promise<PacketFault> {
  return setRules(network, to, { input: [`ip saddr ${network.subnet.node(from)} ${drop}`], output: [] });
}

/** The node and its peers do not hear each other; its clients reach it. */
export function isolateFromPeers(network: NamespaceNetwork, node: number): Promise<PacketFault> {
  const peers = network.nodes.filter((id) => id !== node).map((id) => network.subnet.node(id));
  const set = `{ ${peers.join(', ')} }`;
  return setRules(network, node, { input: [`ip saddr ${set} ${drop}`], output: [`ip daddr ${set} ${drop}`] });
}

/** The node and its clients do not hear each other; health and metrics, by which this side observes, go on. */
export function isolateFromClients(network: NamespaceNetwork, node: number): Promise<PacketFault> {
  const { harness } = network.subnet;
  return setRules(network, node, {
    input: [`ip saddr ${harness} tcp dport ${ports.client} ${drop}`],
    output: [`ip daddr ${harness} tcp sport ${ports.client} ${drop}`],
  });
}

/** Connections between the two are reset at the next packet, and new ones are refused. */
export function rejectPair(network: NamespaceNetwork, one: number, other: number): Promise<PacketFault> {
  const address = network.subnet.node(other);
  return setRules(network, one, { input: [`ip saddr ${address} ${reset}`], output: [`ip daddr ${address} ${reset}`] });
}

/** Ends every fault. */
export async function healPackets({ faults }: NamespaceNetwork): Promise<void> {
  await Promise.all([...faults].map(({ heal }) => heal()));
}

let tables = 0;

async function setRules(network: NamespaceNetwork, node: number, rules: Rules): Promise<PacketFault> {
  const namespace = network.namespace(node);
  tables += 1;
  const table = `fault${tables}`;
  const chain = (name: keyof Rules): readonly string[] =>
    rules[name].length === 0 ? [] : [`chain ${name} {`, `type filter hook ${name} priority 0; policy accept;`, ...rules[name], '}'];
  await setTable(namespace, table, [`counter ${struckCounter} { }`, ...chain('input'), ...chain('output')]);
  let healing: Promise<void> | undefined;
  let struckAtEnd = 0;
  const read = async (): Promise<number> => (await readCounters(namespace, table)).get(struckCounter) ?? 0;
  const fault: PacketFault = {
    struck: () => (healing === undefined ? read() : healing.then(() => struckAtEnd)),
    heal: () => {
      healing ??= (async () => {
        struckAtEnd = await read();
        await deleteTable(namespace, table);
        network.faults.delete(fault);
      })();
      return healing;
    },
  };
  network.faults.add(fault);
  return fault;
}
