/**
 * The network of a cluster under faults: a link for every path.
 *
 * Between brokers the receiver dials: node B subscribes at node A to what A has to send to
 * B (and asks A for old entries). So the messages from A to B travel on connections that B
 * made, against the direction of dialling. A link is named by its messages: `link(A, B)`
 * carries what A says to B; B dials it (its member list names it as the address of A), its
 * target is A's peer port, its messages go *downstream*. Upstream on it B sends what keeps
 * the connection alive: the request, pings, flow control.
 *
 * Hence a cut of `link(A, B)` alone silences A towards B, and A hears from it that B's
 * pings stop. What a broken cable from A to B does, `cutOneWay`, concerns both links of the
 * pair: everything from A to B, messages and pings, is swallowed.
 *
 * Clients reach node B by `clientLink(B)`, and this is the address that B tells them.
 * Brokers use it too for the two calls that they make to the metadata leader (register,
 * allocate producer ids), because clients and brokers are told the same address; cutting
 * all peer links of a node does not stop these.
 *
 * HTTP (health, metrics) has no link: it is how this side observes.
 */
import { assert } from '@balsa/node/core/assert.ts';
import type { NodeAddresses } from '@balsa/node/local-cluster/addresses.ts';
import { type Link, openLink } from '../links/link.ts';

/** The links of a cluster. */
export interface ClusterLinks {
  /** Carries the messages of node `from` to node `to`. */
  readonly link: (from: number, to: number) => Link;
  /** Between the clients and a node. */
  readonly clientLink: (node: number) => Link;
  /** All of them. */
  readonly links: readonly Link[];
  /** Ends every fault of every link. */
  readonly heal: () => void;
}

export interface ClusterNetwork extends ClusterLinks {
  readonly close: () => Promise<void>;
}

/** By position of `addresses`; node id = position + 1. */
export async function openNetwork(addresses: readonly NodeAddresses[], random: () => number): Promise<ClusterNetwork> {
  const links = new Map<string, Link>();
  const open = async (name: string, target: string): Promise<void> => {
    links.set(name, await openLink({ name, target, protocol: 'grpc', random }));
  };
  try {
    for (const [i, { clientAddress, peerAddress }] of addresses.entries()) {
      await open(clientLinkName(i + 1), clientAddress);
      for (const [j] of addresses.entries()) if (i !== j) await open(linkName(i + 1, j + 1), peerAddress);
    }
  } catch (error) {
    await closeAll(links);
    throw error;
  }
  const named = (name: string): Link => {
    const link = links.get(name);
    assert(link !== undefined, 'there is no such link', { name });
    return link;
  };
  return {
    link: (from, to) => named(linkName(from, to)),
    clientLink: (node) => named(clientLinkName(node)),
    links: [...links.values()],
    heal: () => links.forEach((link) => link.heal()),
    close: () => closeAll(links),
  };
}

const linkName = (from: number, to: number): string => `node ${from} to node ${to}`;
const clientLinkName = (node: number): string => `clients to node ${node}`;

async function closeAll(links: ReadonlyMap<string, Link>): Promise<void> {
  await Promise.all([...links.values()].map((link) => link.close()));
}
