/**
 * Whom a fault strikes: roles become nodes. Pure, over facts that were read just before.
 *
 * Among those who could play a role, running nodes come before the others, nodes without a
 * name of their own (`let`) before those with one, then the lower id. So a role finds a victim
 * of its own as long as there is one.
 */
import { didYouMean } from '@balsa/node/config/did-you-mean.ts';
import { type Role, roles, type Target } from '../scenario/step.ts';
import type { Chance } from './chance.ts';

/** The cluster as it was when the step began. */
export interface ClusterFacts {
  /** All of them, ascending. */
  readonly nodes: readonly number[];
  /** Those with a process that runs. */
  readonly running: readonly number[];
  /** Of the partition that the roles are about. */
  readonly replicas: readonly number[];
  /** Of that partition; undefined while there is none that runs. */
  readonly leader: number | undefined;
  readonly metadataLeader: number | undefined;
}

/** Names that `let` gave. */
export type Names = ReadonlyMap<string, number>;

export class TargetError extends Error {
  override readonly name: string = 'TargetError';
  /** Whether it may be found later: there is no leader now. */
  readonly isPassing: boolean;

  constructor(message: string, isPassing: boolean) {
    super(message);
    this.isPassing = isPassing;
  }
}

const nodePattern = /^node ([1-9])$/;

/** Distinct nodes, in the order of the target. Throws TargetError. */
export function resolveTarget(target: Target, facts: ClusterFacts, names: Names, chance: Chance): readonly number[] {
  const wanted = typeof target === 'string' ? [target] : target;
  return [...new Set(wanted.flatMap((one) => resolveOne(one, facts, names, chance)))];
}

/** Whether it can be resolved without asking who leads. */
export const isFixed = (target: Target, names: Names): boolean =>
  (typeof target === 'string' ? [target] : target).every(
    (one) => one === 'all' || one === 'any' || names.has(one) || nodePattern.test(one),
  );

/** What is wrong with a target, whatever the cluster looks like; undefined: nothing. */
export function targetProblem(target: Target, nodes: number, names: Iterable<string>): string | undefined {
  const known = [...names];
  for (const one of typeof target === 'string' ? [target] : target) {
    const [, id] = nodePattern.exec(one) ?? [];
    if (id !== undefined && Number(id) > nodes) return `there is no node ${id}; the cluster has ${nodes}`;
    if (id !== undefined || isRole(one) || known.includes(one)) continue;
    const hint = didYouMean(one, [...roles, ...known]);
    const given = known.length === 0 ? 'a name given by let' : `a name given by let (${known.join(', ')})`;
    return `nobody is called "${one}".${hint} Allowed: ${roles.join(', ')}, node 1 to node ${nodes}, or ${given}`;
  }
  return undefined;
}

const isRole = (name: string): name is Role => (roles as readonly string[]).includes(name);

function resolveOne(one: string, facts: ClusterFacts, names: Names, chance: Chance): readonly number[] {
  const named = names.get(one);
  if (named !== undefined) return [named];
  const [, id] = nodePattern.exec(one) ?? [];
  if (id !== undefined && facts.nodes.includes(Number(id))) return [Number(id)];
  const problem = targetProblem(one, facts.nodes.length, names.keys());
  if (problem !== undefined || !isRole(one)) throw new TargetError(problem ?? one, false);
  return resolveRole(one, facts, names, chance);
}

function resolveRole(role: Role, facts: ClusterFacts, names: Names, chance: Chance): readonly number[] {
  const { nodes, running, leader, metadataLeader } = facts;
  const followers = (): readonly number[] => followersOf(facts, names);
  // Nodes without a replica of the partition come last.
  const others = (): readonly number[] => [...new Set([...followers(), ...nodes])].filter((node) => node !== leader);
  switch (role) {
    case 'leader':
      return [someone(leader, role)];
    case 'metadata-leader':
      return [someone(metadataLeader, role)];
    case 'follower':
      return [someone(followers()[0], role)];
    case 'other-follower':
      return [someone(followers()[1], role)];
    case 'any':
      return [chance.pick(running.length > 0 ? running : nodes)];
    case 'minority':
      return [...others(), ...known(leader)].slice(0, Math.floor((nodes.length - 1) / 2));
    case 'majority':
      return [someone(leader, role), ...others()].slice(0, Math.floor(nodes.length / 2) + 1);
    case 'all':
      return nodes;
  }
}

function followersOf({ replicas, running, leader }: ClusterFacts, names: Names): readonly number[] {
  // Who follows is known only where somebody leads.
  if (leader === undefined) return [];
  const named = new Set(names.values());
  const rank = (node: number): number => (running.includes(node) ? 0 : 2) + (named.has(node) ? 1 : 0);
  return replicas.filter((node) => node !== leader).toSorted((a, b) => rank(a) - rank(b) || a - b);
}

const known = (node: number | undefined): readonly number[] => (node === undefined ? [] : [node]);

function someone(node: number | undefined, role: Role): number {
  if (node === undefined) throw new TargetError(`there is no ${role} now`, true);
  return node;
}

/** "node 2", "nodes 1 and 3", "nodes 1, 2 and 3". */
export function nodesText(nodes: readonly number[]): string {
  if (nodes.length <= 1) return `node ${nodes[0] ?? '?'}`;
  return `nodes ${nodes.slice(0, -1).join(', ')} and ${nodes.at(-1)}`;
}
