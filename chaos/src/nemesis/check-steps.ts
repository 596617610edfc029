/** What is wrong with the steps of a scenario: names, parameters, targets, and ends of what was never begun. Pure. */
import { didYouMean } from '@balsa/node/config/did-you-mean.ts';
import type * as z from 'zod';
import type { FieldPath, FieldProblem } from '../scenario/scenario-error.ts';
import type { Scenario } from '../scenario/scenario.ts';
import type { Begin, Step, Strike } from '../scenario/step.ts';
import { catalogue } from './catalogue.ts';
import type { Fault } from './fault.ts';
import { neededBy } from './needs.ts';
import { targetProblem } from './targets.ts';

interface Checking {
  readonly nodes: number;
  readonly spareNodes: number;
  /** Some step needs nodes in network namespaces. */
  readonly isHard: boolean;
  readonly problems: FieldProblem[];
  /** Given by `let` so far. */
  readonly names: Set<string>;
  /** Begun so far, whether or not they were ended again. */
  readonly labels: Set<string>;
}

export function stepProblems({ steps, cluster, topics }: Scenario): readonly FieldProblem[] {
  const spareNodes = cluster.nodes - (topics[0]?.replicas ?? 0);
  const isHard = neededBy(steps).has('namespaces');
  const checking: Checking = { nodes: cluster.nodes, spareNodes, isHard, problems: [], names: new Set(), labels: new Set() };
  for (const [i, step] of steps.entries()) checkStep(checking, step, ['steps', i]);
  return checking.problems;
}

function checkStep(checking: Checking, step: Step, path: FieldPath): void {
  if ('together' in step) for (const [i, each] of step.together.entries()) checkStep(checking, each, [...path, 'together', i]);
  else if ('strike' in step) checkFault(checking, step.strike, step, [...path, 'strike'], path);
  else if ('begin' in step) {
    checkFault(checking, step.fault, step, [...path, 'fault'], path);
    checking.labels.add(step.begin);
  } else if ('let' in step) checkNames(checking, step.let, path);
  else if ('end' in step && step.end !== 'all' && !checking.labels.has(step.end)) {
    const hint = didYouMean(step.end, [...checking.labels]);
    checking.problems.push({ path: [...path, 'end'], problem: `no step before this one begins "${step.end}".${hint}` });
  }
}

function checkFault(checking: Checking, name: string, { target, with: parameters }: Strike | Begin, at: FieldPath, path: FieldPath): void {
  const fault = catalogue.get(name);
  if (fault === undefined) {
    const hint = didYouMean(name, [...catalogue.keys()]);
    checking.problems.push({
      path: at,
      problem: `there is no fault called "${name}".${hint} Allowed: ${[...catalogue.keys()].join(', ')}`,
    });
    return;
  }
  const parsed = fault.parameters.safeParse(parameters);
  for (const issue of parsed.error?.issues ?? []) checking.problems.push(...parameterProblems(fault, issue, [...path, 'with']));
  checkTarget(checking, target, [...path, 'target']);
  if (checking.isHard && fault.family === 'network' && !fault.needs.includes('namespaces')) {
    checking.problems.push({
      path: at,
      problem: `${name} needs links, which nodes in network namespaces do not have; take faults of one kind`,
    });
  }
  if (fault.needs.includes('spare-node') && checking.spareNodes < 1) {
    checking.problems.push({
      path: at,
      problem: `${name} needs a node without a replica of the first topic: cluster.nodes above its replicas`,
    });
  }
}

function parameterProblems({ name, parameters }: Fault, issue: z.core.$ZodIssue, path: FieldPath): readonly FieldProblem[] {
  const known = 'shape' in parameters ? Object.keys(parameters.shape as object) : [];
  const allowed = known.length === 0 ? `${name} takes no parameters` : `Allowed: ${known.join(', ')}`;
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      path: [...path, key],
      problem: `${name} has no such parameter.${didYouMean(key, known)} ${allowed}`,
    }));
  }
  return [{ path: [...path, ...issue.path.map(String)], problem: issue.message.replace(/^Invalid input: /, '') }];
}

function checkNames(checking: Checking, wanted: Readonly<Record<string, string>>, path: FieldPath): void {
  for (const [name, target] of Object.entries(wanted)) checkTarget(checking, target, [...path, 'let', name]);
  for (const name of Object.keys(wanted)) checking.names.add(name);
}

function checkTarget({ nodes, names, problems }: Checking, target: string | readonly string[], path: FieldPath): void {
  const problem = targetProblem(typeof target === 'string' ? target : [...target], nodes, names);
  if (problem !== undefined) problems.push({ path, problem });
}
