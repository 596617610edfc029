/**
 * Which node's disk may be damaged now, so that what the cluster acknowledged has a good copy
 * left: of each group's replicas at most a minority is damaged at a time, whichever nodes they
 * are on. A node counts from its damage until the run says that it is whole again (everything
 * was fetched from peers, or it joined anew).
 *
 * Losing what was never synced is no damage: a node may do that at any time.
 * A run beyond tolerance lifts the limit; then loss may be right, and silence about it not.
 */
import { type DiskFaultKind, harmsDurable } from './disk-fault.ts';

export interface FaultAtlasOptions<Node> {
  readonly nodes: readonly Node[];
  /** Replicas of the group that has the fewest. Default: one on every node. */
  readonly replicasMin?: number;
  readonly isBeyondTolerance?: boolean;
}

export interface FaultAtlas<Node> {
  /** Nodes that may be damaged at a time. */
  readonly tolerance: number;
  /** Whether a fault of this kind may strike this node now. */
  readonly allows: (node: Node, kind: DiskFaultKind) => boolean;
  /** The node is damaged, or lost its whole disk. */
  readonly damaged: (node: Node) => void;
  readonly repaired: (node: Node) => void;
  /** In the order of their damage. */
  readonly damagedNodes: () => readonly Node[];
}

export function createFaultAtlas<Node>(options: FaultAtlasOptions<Node>): FaultAtlas<Node> {
  const { nodes, replicasMin = nodes.length, isBeyondTolerance = false } = options;
  const tolerance = isBeyondTolerance ? nodes.length : Math.floor((Math.min(replicasMin, nodes.length) - 1) / 2);
  const damaged = new Set<Node>();
  return {
    tolerance,
    allows: (node, kind) => !harmsDurable(kind) || damaged.has(node) || damaged.size < tolerance,
    damaged: (node) => void damaged.add(node),
    repaired: (node) => void damaged.delete(node),
    damagedNodes: () => [...damaged],
  };
}
