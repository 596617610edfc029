/**
 * Remembers with how many nodes a local cluster's folder was first used. The members of a
 * cluster are fixed at its first start, so another number would start a cluster that can
 * not elect a leader; it is refused before anything starts.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { LocalClusterError } from './local-cluster-error.ts';

/** Marks a new folder, or checks the mark of a known one. */
export function claimFolder(dir: string, nodes: number): void {
  const mark = path.join(dir, 'cluster.json');
  if (!existsSync(mark)) {
    mkdirSync(dir, { recursive: true });
    writeFileSync(mark, `${JSON.stringify({ nodes })}\n`);
    return;
  }
  const known = nodesIn(mark);
  if (known === nodes) return;
  throw new LocalClusterError('CONFIG_INVALID', `${dir} holds a cluster of ${known ?? 'an unknown number of'} nodes, not ${nodes}`);
}

function nodesIn(mark: string): number | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(mark, 'utf8'));
    const nodes = typeof value === 'object' && value !== null && 'nodes' in value ? value.nodes : undefined;
    return typeof nodes === 'number' ? nodes : undefined;
  } catch {
    return undefined;
  }
}
