/**
 * What a fault is to the nemesis: something with a name that is done to some nodes of a
 * running cluster, can be shown to have had its effect, and ends.
 *
 * Failure contract: `begin` either takes effect or throws and leaves nothing behind. `prove`
 * never throws for what it sees: a claim that cannot be shown is a proof that does not hold.
 * `heal` is idempotent and may be called whatever has become of the nodes since; it throws only
 * if the effect may last.
 */
import type { Balsa } from '@balsa/client';
import * as z from 'zod';
import type { FaultControl } from '../faults/fault-control.ts';
import type { Brokers } from '../cluster/brokers.ts';
import type { ClusterLinks } from '../cluster/network.ts';
import type { Proof } from '../cluster/proofs.ts';
import type { NamespaceNetwork } from '../netns/namespace-network.ts';
import type { PartitionRef } from '../record/timeline.ts';
import type { Chance } from './chance.ts';
import type { LoadControl } from './load-control.ts';

/** What a cluster must offer for a fault to be possible. */
export type Need =
  /** Brokers that were started with `--unsafe-faults`. */
  | 'unsafe-faults'
  /** Brokers in network namespaces of their own: the stronger tier. */
  | 'namespaces'
  /** A node that holds no replica of the first topic. */
  | 'spare-node';

/** What of a cluster the nemesis uses. */
export interface NemesisCluster extends ClusterLinks, Pick<Brokers, 'nodes' | 'node' | 'folder'> {
  /** Of the stronger tier; then there are no links. */
  readonly namespaces?: NamespaceNetwork;
}

export interface FaultContext {
  readonly cluster: NemesisCluster;
  /** A client of the nemesis alone. */
  readonly admin: Balsa;
  readonly load: LoadControl;
  readonly random: Chance;
  /** The partition that roles are about: the first of the first topic. */
  readonly partition: PartitionRef;
  /** How the broker itself is told to suffer; only where there is `unsafe-faults`. */
  readonly control: (node: number) => FaultControl;
  /** When this fault ends at the latest, for those who arm it elsewhere. */
  readonly ttlMs: number;
  /** The node may end with an error by itself from now on; what is returned withdraws that. */
  readonly expectEnding: (node: number) => () => void;
  /** A node has been paused, resumed or started by the nemesis. Ends are seen by the cluster. */
  readonly onNode: (node: number, state: 'started' | 'paused' | 'resumed') => void;
}

export interface BegunFault {
  /**
   * Shows that it has taken effect, by something other than what injected it. Some effects need
   * an occasion (a write for an error of writes): it waits for one, until `ending`, and then
   * answers with what it has seen by then.
   */
  readonly prove: (ending: AbortSignal) => Promise<readonly Proof[]>;
  readonly heal: () => Promise<void>;
}

/** A fault as it is written down. */
export interface FaultDefinition<Schema extends z.ZodType> {
  readonly name: string;
  readonly family: FaultFamily;
  /** One line, for a list. */
  readonly summary: string;
  readonly parameters: Schema;
  readonly needs?: readonly Need[];
  /** `cluster`: all nodes are concerned, whatever the target. */
  readonly scope?: 'nodes' | 'cluster';
  /** For a person: "kill -9 of node 2"; `nodes` is "node 2" or "nodes 1 and 3". */
  readonly describe: (nodes: string, parameters: z.infer<Schema>) => string;
  readonly begin: (context: FaultContext, nodes: readonly number[], parameters: z.infer<Schema>) => Promise<BegunFault>;
}

/** A fault of the catalogue: takes parameters of unknown shape, as they stand in a file. */
export interface Fault extends Pick<FaultDefinition<z.ZodType>, 'name' | 'family' | 'summary' | 'parameters'> {
  readonly needs: readonly Need[];
  readonly scope: 'nodes' | 'cluster';
  /** Throws what zod throws. */
  readonly prepare: (parameters: unknown) => PreparedFault;
}

/** A fault with its parameters. */
export interface PreparedFault {
  readonly describe: (nodes: string) => string;
  readonly begin: (context: FaultContext, nodes: readonly number[]) => Promise<BegunFault>;
}

export function defineFault<Schema extends z.ZodType>(definition: FaultDefinition<Schema>): Fault {
  const { name, family, summary, parameters, needs = [], scope = 'nodes', describe, begin } = definition;
  const prepare = (given: unknown): PreparedFault => {
    const checked = parameters.parse(given);
    return { describe: (nodes) => describe(nodes, checked), begin: (context, nodes) => begin(context, nodes, checked) };
  };
  return { name, family, summary, parameters, needs, scope, prepare };
}

export const families = ['process', 'network', 'storage', 'damage', 'membership', 'load'] as const;
export type FaultFamily = (typeof families)[number];

/** Of a fault that has nothing to choose. */
export const noParameters = z.strictObject({});

/** It makes no sense here: no such node, no spare one, no process to strike. */
export class FaultImpossible extends Error {
  override readonly name: string = 'FaultImpossible';
}
