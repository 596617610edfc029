/** The points of a study, and the scenarios of its experiments there. Pure. */
import { faultsOf } from '../nemesis/needs.ts';
import { checkScenario } from '../scenario/check-scenario.ts';
import { fieldName, ScenarioError } from '../scenario/scenario-error.ts';
import type { Scenario } from '../scenario/scenario.ts';
import type { AxisValue, Experiment, Study } from './study.ts';

export interface Point {
  /** Value by axis. */
  readonly values: readonly { readonly axis: string; readonly value: AxisValue }[];
  /** The axis that differs from the base; undefined for the base itself and in a grid. */
  readonly varies: string | undefined;
}

export function pointsOf({ axes, mode }: Study): readonly Point[] {
  const base = axes.map(({ name, values: [first] }) => ({ axis: name, value: first as AxisValue }));
  if (mode === 'grid') {
    const all = axes.reduce<Point['values'][]>(
      (rows, { name, values }) => rows.flatMap((row) => values.map((value) => [...row, { axis: name, value }])),
      [[]],
    );
    return all.map((values) => ({ values, varies: undefined }));
  }
  const changed = axes.flatMap(({ name, values }, i) =>
    values.slice(1).map((value): Point => ({ values: base.with(i, { axis: name, value }), varies: name })),
  );
  return [{ values: base, varies: undefined }, ...changed];
}

/** `replicas 5` of a study that changes one axis at a time; all values in a grid. */
export function pointName({ values, varies }: Point): string {
  const shown = varies === undefined ? values : values.filter(({ axis }) => axis === varies);
  return shown.map(({ axis, value }) => `${axis} ${value.name}`).join(', ');
}

/** Throws ScenarioError if what comes out is no valid scenario. */
export function scenarioAt(study: Study, point: Point, experiment: Experiment): Scenario {
  const parts = [study.base, experiment.set, ...point.values.map(({ value }) => value.set)];
  const whole = {
    ...parts.reduce<Readonly<Record<string, unknown>>>(merge, {}),
    name: `${study.name}-${experiment.name}`,
    title: `${experiment.name}: ${pointName(point)}`.slice(0, titleCharsMax),
    steps: [...ownSteps(point), ...experiment.steps],
    repeats: experiment.repeats,
    seed: study.seed,
  };
  const checked = checkScenario(whole);
  if ('scenario' in checked) return checked.scenario;
  throw new ScenarioError(
    `study ${study.name}, ${experiment.name}, ${pointName(point)}`,
    checked.problems.map(({ path, problem }) => ({ field: fieldName(path), problem })),
  );
}
const titleCharsMax = 100;

/** Time under the point's own faults before anything else happens: what is measured as steady. */
const steadyMs = 2000;

function ownSteps({ values }: Point): readonly unknown[] {
  const before = values.flatMap(({ value }) => value.before);
  return before.length === 0 ? [] : [...before, { wait: steadyMs }];
}

/** How many faults belong to the point itself. */
export const faultsBefore = ({ values }: Point): number => values.reduce((sum, { value }) => sum + faultsOf(value.before).length, 0);

/** Objects field by field, everything else as a whole. */
export function merge(base: Readonly<Record<string, unknown>>, over: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const merged = new Map(Object.entries(base));
  for (const [key, value] of Object.entries(over)) {
    const before = merged.get(key);
    merged.set(key, isPlain(before) && isPlain(value) ? merge(before, value) : value);
  }
  return Object.fromEntries(merged);
}

const isPlain = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
