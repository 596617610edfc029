/**
 * A network of namespaces: one for each node, each with an interface to a bridge that lies
 * in a namespace of its own, and one interface of the harness to the same bridge.
 *
 *     node 1 [eth0]--+
 *     node 2 [eth0]--+--[hub: bridge]--[<prefix>] harness
 *     node 3 [eth0]--+
 *
 * Everything but the harness' interface is inside of namespaces, so the machine's own
 * network and its packet filter are not touched; whoever deletes the namespaces has
 * deleted links and rules with them. The guardian does, at the end and when the
 * harness is killed.
 *
 * Every node counts the packets that it accepts from each other node: what it heard.
 */
import { randomInt } from 'node:crypto';
import { assert } from '@balsa/node/core/assert.ts';
import type { NodeAddresses } from '@balsa/node/local-cluster/addresses.ts';
import type { Guard } from '../cluster/guard.ts';
import { freshPrefix, freshSubnet, type Subnet } from './names.ts';
import { readCounters, setTable } from './packet-table.ts';
import { resolved, runTool } from './tools.ts';

/** The same for every node: each has all ports of its namespace for itself. */
export const ports = { client: 7070, peer: 7071, http: 7072 } as const;

/** Rules that are in effect. */
export interface PacketFault {
  /** Packets that they took so far. */
  readonly struck: () => Promise<number>;
  /** Ends them; further calls do nothing. */
  readonly heal: () => Promise<void>;
}

export interface NamespaceNetwork {
  readonly prefix: string;
  readonly subnet: Subnet;
  readonly nodes: readonly number[];
  readonly addresses: readonly NodeAddresses[];
  readonly namespace: (node: number) => string;
  /** Puts a program into the namespace of a node; its process id stays the same. */
  readonly launcher: (node: number) => readonly string[];
  /** Packets that node `to` has accepted from node `from`. */
  readonly heard: (from: number, to: number) => Promise<number>;
  /** In effect now. */
  readonly faults: Set<PacketFault>;
}

/** What it makes is removed when the guard is released. */
export async function openNamespaceNetwork(nodeCount: number, guard: Guard): Promise<NamespaceNetwork> {
  const prefix = freshPrefix(randomInt);
  const subnet = freshSubnet(randomInt);
  const nodes = Array.from({ length: nodeCount }, (_, i) => i + 1);
  const namespace = (node: number): string => {
    assert(nodes.includes(node), 'there is no such node', { node });
    return `${prefix}-${node}`;
  };
  await makeHub(prefix, subnet, guard);
  for (const node of nodes) await connectNode(prefix, namespace(node), node, subnet, guard);
  for (const node of nodes) await countHeard(namespace(node), node, nodes, subnet);
  return {
    prefix,
    subnet,
    nodes,
    addresses: nodes.map((node) => addressesOf(subnet.node(node))),
    namespace,
    launcher: (node) => resolved(['ip', 'netns', 'exec', namespace(node)]),
    heard: (from, to) => readHeard(namespace(to), from),
    faults: new Set(),
  };
}

const hubOf = (prefix: string): string => `${prefix}-hub`;
const bridge = 'bridge';
export const nodeInterface = 'eth0';

async function makeHub(prefix: string, { harness }: Subnet, guard: Guard): Promise<void> {
  const hub = hubOf(prefix);
  await addNamespace(hub, guard);
  await runTool(['ip', '-n', hub, 'link', 'add', bridge, 'type', 'bridge']);
  await runTool(['ip', '-n', hub, 'link', 'set', bridge, 'up']);
  guard.undo(resolved(['ip', 'link', 'del', prefix]));
  await runTool(['ip', 'link', 'add', prefix, 'type', 'veth', 'peer', 'name', 'harness', 'netns', hub]);
  await plug(hub, 'harness');
  await runTool(['ip', 'addr', 'add', `${harness}/24`, 'dev', prefix]);
  await runTool(['ip', 'link', 'set', prefix, 'up']);
}

async function connectNode(prefix: string, namespace: string, node: number, subnet: Subnet, guard: Guard): Promise<void> {
  const hub = hubOf(prefix);
  await addNamespace(namespace, guard);
  await runTool(['ip', '-n', hub, 'link', 'add', `node${node}`, 'type', 'veth', 'peer', 'name', nodeInterface, 'netns', namespace]);
  await plug(hub, `node${node}`);
  await runTool(['ip', '-n', namespace, 'addr', 'add', `${subnet.node(node)}/24`, 'dev', nodeInterface]);
  for (const name of ['lo', nodeInterface]) await runTool(['ip', '-n', namespace, 'link', 'set', name, 'up']);
}

async function addNamespace(name: string, guard: Guard): Promise<void> {
  // Told before it is there: what is not there cannot be forgotten.
  guard.undo(resolved(['ip', 'netns', 'del', name]));
  await runTool(['ip', 'netns', 'add', name]);
}

async function plug(hub: string, name: string): Promise<void> {
  await runTool(['ip', '-n', hub, 'link', 'set', name, 'master', bridge, 'up']);
}

const heardTable = 'heard';
const counterOf = (from: number): string => `from${from}`;

/** Behind the rules of faults (see packet-faults.ts): what they take is not heard. */
async function countHeard(namespace: string, node: number, nodes: readonly number[], subnet: Subnet): Promise<void> {
  const others = nodes.filter((other) => other !== node);
  await setTable(namespace, heardTable, [
    ...others.map((other) => `counter ${counterOf(other)} { }`),
    'chain in {',
    'type filter hook input priority 10; policy accept;',
    ...others.map((other) => `ip saddr ${subnet.node(other)} counter name ${counterOf(other)}`),
    '}',
  ]);
}

async function readHeard(namespace: string, from: number): Promise<number> {
  const packets = (await readCounters(namespace, heardTable)).get(counterOf(from));
  assert(packets !== undefined, 'every node counts what it hears from every other', { namespace, from });
  return packets;
}

function addressesOf(host: string): NodeAddresses {
  return { clientAddress: `${host}:${ports.client}`, peerAddress: `${host}:${ports.peer}`, httpAddress: `${host}:${ports.http}` };
}
