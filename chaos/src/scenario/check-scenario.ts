/**
 * Everything that can be known to be wrong with a scenario before it runs. Pure.
 *
 * First its shape; then, if that is right, what it means: names of faults, their parameters,
 * whom they strike, what is ended, settings of the broker, anomalies.
 */
import { configKeys } from '@balsa/node/config/keys.ts';
import { didYouMean } from '@balsa/node/config/did-you-mean.ts';
import * as z from 'zod';
import { anomalies } from '../history/anomaly.ts';
import { stepProblems } from '../nemesis/check-steps.ts';
import type { FieldPath, FieldProblem } from './scenario-error.ts';
import { type Scenario, scenarioSchema } from './scenario.ts';
import { stepKinds } from './step.ts';

export type Checked = { readonly scenario: Scenario } | { readonly problems: readonly FieldProblem[] };

export function checkScenario(content: unknown): Checked {
  const parsed = scenarioSchema.safeParse(content);
  if (!parsed.success) return { problems: parsed.error.issues.flatMap((issue) => shapeProblems(issue, [], content)) };
  const scenario = parsed.data;
  const problems = [...clusterProblems(scenario), ...expectationProblems(scenario), ...stepProblems(scenario)];
  return problems.length > 0 ? { problems } : { scenario };
}

function clusterProblems({ cluster, topics }: Scenario): readonly FieldProblem[] {
  const paths = configKeys.map(({ path }) => path);
  const settings = Object.keys(cluster.config)
    .filter((name) => !paths.includes(name))
    .map((name) => ({ path: ['cluster', 'config', name], problem: `the broker has no such setting.${didYouMean(name, paths)}` }));
  const tooMany = topics.flatMap(({ replicas }, i) =>
    replicas <= cluster.nodes
      ? []
      : [{ path: ['topics', i, 'replicas'], problem: `${replicas} replicas need as many nodes; the cluster has ${cluster.nodes}` }],
  );
  return [...settings, ...tooMany];
}

function expectationProblems({ expect, load }: Scenario): readonly FieldProblem[] {
  const known = Object.keys(anomalies);
  const unknown = expect.anomalies.flatMap((name, i) =>
    known.includes(name)
      ? []
      : [{ path: ['expect', 'anomalies', i], problem: `the checker knows no such anomaly.${didYouMean(name, known)}` }],
  );
  const kinds = load.probes?.kinds ?? [];
  const unmeasured = (['write', 'read'] as const).flatMap((kind) => {
    const bar = `${kind}GapMsMax` as const;
    if (expect[bar] === undefined || kinds.includes(kind)) return [];
    return [{ path: ['expect', bar], problem: `nothing measures it: load.probes.kinds must have "${kind}"` }];
  });
  return [...unknown, ...unmeasured];
}

type Issue = z.core.$ZodIssue;

/** What zod found, in words that fit a file. Of a union only what concerns the kind that was meant. */
function shapeProblems(issue: Issue, base: FieldPath, content: unknown): readonly FieldProblem[] {
  const path = [...base, ...issue.path.map((part) => (typeof part === 'number' ? part : String(part)))];
  if (issue.code === 'unrecognized_keys') {
    const allowed = fieldsAt(content, path);
    const list = allowed.length === 0 ? '' : ` Allowed: ${allowed.join(', ')}`;
    return issue.keys.map((key) => ({ path: [...path, key], problem: `there is no such field.${didYouMean(key, allowed)}${list}` }));
  }
  if (issue.code === 'invalid_union') return unionProblems(issue, path, content);
  const problem = issue.code === 'invalid_type' && valueAt(content, path) === undefined ? 'it is missing' : issue.message;
  return [{ path, problem: problem.replace(/^Invalid input: /, '') }];
}

/** Fields of the object at this place of a scenario; none where there is no such object. */
function fieldsAt(content: unknown, path: FieldPath): readonly string[] {
  let schema: unknown = scenarioSchema;
  for (const [i, part] of path.entries()) {
    schema = inner(schema, part);
    if (schema instanceof z.ZodUnion) schema = schema.options[kindOf(valueAt(content, path.slice(0, i + 1)))];
  }
  const object = unwrapped(schema);
  return object instanceof z.ZodObject ? Object.keys(object.shape) : [];
}

function inner(schema: unknown, part: string | number): unknown {
  const outer = unwrapped(schema);
  if (outer instanceof z.ZodObject) return unwrapped((outer.shape as Readonly<Record<string, unknown>>)[part]);
  return outer instanceof z.ZodArray ? unwrapped(outer.element) : undefined;
}

function unwrapped(schema: unknown): unknown {
  let bare = schema;
  while (bare instanceof z.ZodDefault || bare instanceof z.ZodPrefault || bare instanceof z.ZodOptional || bare instanceof z.ZodLazy)
    bare = bare.unwrap();
  return bare;
}

/** Position of what a step is in `stepKinds`; -1: it is none. */
const kindOf = (step: unknown): number =>
  typeof step === 'object' && step !== null ? stepKinds.findIndex((name) => Object.hasOwn(step, name)) : -1;

function unionProblems(
  issue: Extract<Issue, { readonly code: 'invalid_union' }>,
  path: FieldPath,
  content: unknown,
): readonly FieldProblem[] {
  const value = valueAt(content, path);
  if (!isStep(path) || typeof value !== 'object' || value === null) {
    // The alternative that got farthest says most.
    const nested = issue.errors.map((issues) => issues.flatMap((each) => shapeProblems(each, path, content)));
    const best = nested.toSorted((a, b) => depth(b) - depth(a))[0];
    return best ?? [{ path, problem: issue.message }];
  }
  const meant = issue.errors[kindOf(value)];
  if (meant !== undefined) return meant.flatMap((each) => shapeProblems(each, path, content));
  const [key] = Object.keys(value);
  const problem = key === undefined ? 'a step says what is done.' : `there is no such step.${didYouMean(key, stepKinds)}`;
  return [{ path: key === undefined ? path : [...path, key], problem: `${problem} Allowed: ${stepKinds.join(', ')}` }];
}

const depth = (problems: readonly FieldProblem[]): number => Math.max(0, ...problems.map(({ path }) => path.length));

/** `steps[2]`, `steps[2].together[0]` */
const isStep = (path: FieldPath): boolean => typeof path.at(-1) === 'number' && (path.at(-2) === 'steps' || path.at(-2) === 'together');

function valueAt(content: unknown, path: FieldPath): unknown {
  let value = content;
  for (const part of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Readonly<Record<string | number, unknown>>)[part];
  }
  return value;
}
