/** Finds out whom the steps of a scenario mean, by asking the cluster who leads now. */
import { setTimeout as delay } from 'node:timers/promises';
import type { PartitionRef } from '../record/timeline.ts';
import type { Target } from '../scenario/step.ts';
import { type SeenCluster, seeCluster } from './cluster-facts.ts';
import type { NemesisOptions } from './nemesis.ts';
import { isFixed, type Names, nodesText, resolveTarget, TargetError } from './targets.ts';

export interface Finding {
  readonly options: Pick<NemesisOptions, 'cluster' | 'admin' | 'partition' | 'random'>;
  readonly names: Names;
  /** The last answer of the cluster: good enough for targets that do not depend on it. */
  lastSeen: SeenCluster | undefined;
}

export interface Found {
  /** Nodes of each target, all by the same answer. */
  readonly found: readonly (readonly number[])[];
  readonly seen: SeenCluster;
}

const askMs = 3_000;
/** Where an answer is only for the record. */
const blindAskMs = 1_000;
/** Longest wait for a role to be played by somebody: an election, a start, and then some. */
const roleMsMax = 30_000;
const pollMs = 50;

/** Asks until every role is played by somebody. Rejects with TargetError, or with the reason of the signal. */
export async function findTargets(finding: Finding, targets: readonly Target[], signal: AbortSignal): Promise<Found> {
  const { names, options } = finding;
  const resolved = (seen: SeenCluster): Found => ({
    found: targets.map((target) => resolveTarget(target, seen.facts, names, options.random)),
    seen,
  });
  const fixed = targets.every((target) => isFixed(target, names));
  const endMs = performance.now() + roleMsMax;
  for (;;) {
    try {
      finding.lastSeen = await seeCluster(options, fixed ? blindAskMs : askMs);
      return resolved(finding.lastSeen);
    } catch (error) {
      if (error instanceof TargetError && !error.isPassing) throw error;
      if (fixed) return resolved(finding.lastSeen ?? unseen(options));
      if (performance.now() > endMs)
        throw new TargetError(`${targets.flat().join(', ')} not found within ${roleMsMax} ms: ${String(error)}`, false);
    }
    await delay(pollMs, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}

/** What is known of a cluster that has never answered. */
function unseen({ cluster }: Finding['options']): SeenCluster {
  const nodes = cluster.nodes.map(({ id }) => id);
  const running = cluster.nodes.filter((node) => node.state() === 'running').map(({ id }) => id);
  return { facts: { nodes, running, replicas: [], leader: undefined, metadataLeader: undefined }, led: [] };
}

/** "node 2 (leader of orders/0)" */
export function describeNodes(nodes: readonly number[], { facts }: SeenCluster, { topic, partition }: PartitionRef): string {
  const [only] = nodes;
  if (nodes.length !== 1 || only === undefined) return nodesText(nodes);
  if (only === facts.leader) return `node ${only} (leader of ${topic}/${partition})`;
  return facts.replicas.includes(only) ? `node ${only} (follower of ${topic}/${partition})` : `node ${only}`;
}
