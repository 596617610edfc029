/** The links that a fault of some nodes concerns, and proofs of what is done to them. */
import * as z from 'zod';
import { type Proof, proveCut } from '../cluster/proofs.ts';
import type { Link } from '../links/link.ts';
import type { FaultContext, NemesisCluster } from './fault.ts';

/** Which paths of a node: to and from its peers, its clients, or all. */
export const where = z.enum(['peers', 'clients', 'both']);
export type Where = z.infer<typeof where>;

/** Everything that arrives at `to` from `from` is one way. */
export interface Way {
  readonly from: number;
  readonly to: number;
}

/** Long enough for an answer on a busy machine. Silence is shown by what is swallowed too. */
export const silenceMs = 300;

/** A link and the node at its end. */
export interface Path {
  readonly link: Link;
  readonly target: number;
}

/** Each link once, also if it is between two of the nodes. */
export function pathsOf(cluster: NemesisCluster, nodes: readonly number[], which: Where): readonly Path[] {
  const paths = new Map<string, Path>();
  const add = (link: Link, target: number): Map<string, Path> => paths.set(link.name, { link, target });
  for (const node of nodes) {
    if (which !== 'peers') add(cluster.clientLink(node), node);
    if (which === 'clients') continue;
    for (const { id } of cluster.nodes) {
      if (id === node) continue;
      add(cluster.link(node, id), node);
      add(cluster.link(id, node), id);
    }
  }
  return [...paths.values()];
}

/** A probe needs somebody at the other end: a dead or paused one would be silent too. */
export const isAnswering = ({ cluster }: Pick<FaultContext, 'cluster'>, { target }: Pick<Path, 'target'>): boolean =>
  cluster.node(target).state() === 'running';

/** Of each way, on both links of the pair; see the header of cluster/network.ts. */
export function proveWaysCut(context: FaultContext, ways: readonly Way[]): Promise<readonly Proof[]> {
  const { cluster } = context;
  return proveOn(
    context,
    ways.flatMap(({ from, to }) => [
      { link: cluster.link(from, to), target: from, prove: () => proveCut(cluster.link(from, to), 'downstream', silenceMs) },
      { link: cluster.link(to, from), target: to, prove: () => proveCut(cluster.link(to, from), 'upstream', silenceMs) },
    ]),
  );
}

/** Proofs of those paths that somebody answers on; that there is none proves nothing. */
export async function proveOn(
  context: FaultContext,
  paths: readonly (Path & { readonly prove: () => Promise<Proof> })[],
): Promise<readonly Proof[]> {
  const answering = paths.filter((path) => isAnswering(context, path));
  if (answering.length > 0) return Promise.all(answering.map(({ prove }) => prove()));
  return [{ claim: 'a path can be probed', holds: false, evidence: `no process runs at the end of ${paths.length} paths` }];
}
