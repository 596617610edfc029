/**
 * Partitions as combinations of cut links. All swallow: nobody is told, connections stay
 * half-open, and only silence shows it. Each returns what ends it and nothing else;
 * `heal` of the links ends them all.
 */
import type { Undo } from '../links/link.ts';
import type { ClusterLinks } from './network.ts';

const cut = { delivery: 'swallow' } as const;

/** Nothing that node `from` sends reaches node `to`; the other way is open. */
export function cutOneWay(links: ClusterLinks, from: number, to: number): Undo {
  return all([links.link(from, to).impair(cut, 'downstream'), links.link(to, from).impair(cut, 'upstream')]);
}

export function cutPair(links: ClusterLinks, one: number, other: number): Undo {
  return all([cutOneWay(links, one, other), cutOneWay(links, other, one)]);
}

/** Every node of one side is cut off from every node of another. Nodes that are named in no side talk to all. */
export function partition(links: ClusterLinks, ...sides: readonly (readonly number[])[]): Undo {
  const pairs = sides.flatMap((side, i) =>
    sides
      .slice(i + 1)
      .flat()
      .flatMap((other) => side.map((one) => [one, other] as const)),
  );
  return all(pairs.map(([one, other]) => cutPair(links, one, other)));
}

/** Nothing reaches node `node` from its peers; what it sends arrives. */
export function deafen(links: ClusterLinks, node: number, peers: readonly number[]): Undo {
  return all(peers.map((peer) => cutOneWay(links, peer, node)));
}

/** Nothing that node `node` sends reaches its peers; it hears them. */
export function mute(links: ClusterLinks, node: number, peers: readonly number[]): Undo {
  return all(peers.map((peer) => cutOneWay(links, node, peer)));
}

/** Clients and node `node` do not hear each other. */
export function cutClients(links: ClusterLinks, node: number): Undo {
  return links.clientLink(node).impair(cut);
}

const all =
  (undos: readonly Undo[]): Undo =>
  () =>
    undos.forEach((undo) => undo());
