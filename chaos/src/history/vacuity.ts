/**
 * Whether a verdict rests on enough to mean something: a run in which nothing was
 * acknowledged, or whose drain read nothing, finds nothing wrong.
 */
import type { Figures, Verdict } from './check-history.ts';
import type { Kind } from './event.ts';
import { kinds } from './event.ts';

export interface VacuityLimits {
  /** Least number of operations that ended ok, by kind. */
  readonly okMin: Partial<Record<Kind, number>>;
  /** Largest share (0..1) of operations of unknown outcome, over all kinds. */
  readonly infoShareMax: number;
  /** Largest share (0..1) of operations that could not be assigned to a life of their topic. Default: 0.05. */
  readonly unplacedShareMax?: number;
  /** Every log that was not deleted was drained completely. Default: true. */
  readonly drained?: boolean;
  /** How many replicas of every log were read at least. Default: 0. */
  readonly replicasReadMin?: number;
}

export type VacuityGate = 'ok-min' | 'info-share' | 'unplaced-share' | 'undrained' | 'replicas-read' | 'unseen' | 'undecided';

export interface VacuityFailure {
  readonly gate: VacuityGate;
  readonly detail: string;
}

const unplacedShareMaxDefault = 0.05;

/** Empty if the verdict may be believed. */
export function checkVacuity({ outcome, counts, figures }: Verdict, limits: VacuityLimits): readonly VacuityFailure[] {
  const failures: VacuityFailure[] = [];
  const demand = (holds: boolean, gate: VacuityGate, detail: string): void => {
    if (!holds) failures.push({ gate, detail });
  };
  for (const kind of kinds) {
    const least = limits.okMin[kind] ?? 0;
    const { ok } = figures.operations[kind];
    demand(ok >= least, 'ok-min', `${ok} of kind ${kind} ended ok, ${least} are wanted`);
  }
  const all = operationsOf(figures);
  const infoShare = share(all.info, all.total);
  demand(infoShare <= limits.infoShareMax, 'info-share', `${all.info} of ${all.total} operations have no known outcome`);
  const unplacedShare = share(figures.unplaced, all.total);
  demand(unplacedShare <= (limits.unplacedShareMax ?? unplacedShareMaxDefault), 'unplaced-share', `${figures.unplaced} of ${all.total}`);
  const { drainedLogs, livingLogs, replicasReadMin } = figures;
  demand(!(limits.drained ?? true) || drainedLogs === livingLogs, 'undrained', `${drainedLogs} of ${livingLogs} logs were drained`);
  const replicas = limits.replicasReadMin ?? 0;
  demand(replicasReadMin >= replicas, 'replicas-read', `${replicasReadMin} replicas of a log were read, ${replicas} are wanted`);
  const unseen = counts.unseen + counts['unseen-on-node'];
  demand(unseen === 0, 'unseen', `the drain did not reach ${counts.unseen} values and ${counts['unseen-on-node']} replicas`);
  demand(outcome !== 'unknown', 'undecided', 'the history could not be judged');
  return failures;
}

function operationsOf({ operations }: Figures): { readonly total: number; readonly info: number } {
  let total = 0;
  let info = 0;
  for (const kind of kinds) {
    const counts = operations[kind];
    total += counts.ok + counts.fail + counts.info;
    info += counts.info;
  }
  return { total, info };
}

const share = (part: number, total: number): number => (total === 0 ? 0 : part / total);
