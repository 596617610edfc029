/**
 * Ways to make a run smaller, in the order in which they are tried: what shortens every later
 * attempt stands first.
 *
 * Each is a generator of changes that is told whether the last one kept the failure.
 */
import type { SwarmOptions } from '../nemesis/swarm.ts';
import type { FailedRun } from './minimise.ts';
import { tuningEntries, tuningOf } from './override-flags.ts';
import type { Overrides } from './seed-outcome.ts';

export interface Candidate {
  /** For people. */
  readonly what: string;
  readonly change: Overrides;
}

/** `failed` is the smallest run so far. */
type Reduction = (failed: () => FailedRun) => Generator<Candidate, void, boolean | undefined>;

/** Below that a shorter safety phase makes nothing clearer. */
const safetyStepMs = 250;

/** Up to the time of the failure, then by halves. */
const shorter: Reduction = function* (failed) {
  const cutMs = (ms: number): Candidate => ({ what: `safety phase of ${ms} ms`, change: { safetyMs: ms } });
  const endMs = Math.ceil(failed().virtualMs / safetyStepMs) * safetyStepMs;
  if (endMs < failed().options.safetyMs) yield cutMs(endMs);
  let enoughMs = failed().options.safetyMs;
  let tooShortMs = -safetyStepMs;
  while (enoughMs - tooShortMs > safetyStepMs) {
    const middleMs = Math.floor((enoughMs + tooShortMs) / 2 / safetyStepMs) * safetyStepMs;
    if (middleMs <= tooShortMs || middleMs >= enoughMs) return;
    if ((yield cutMs(middleMs)) === true) enoughMs = middleMs;
    else tooShortMs = middleMs;
  }
};

/** Takes parts away: all of them, then halves, quarters, ..., single ones. */
function* fewer<Item>(items: () => readonly Item[], candidate: (kept: readonly Item[]) => Candidate) {
  for (let size = items().length; size >= 1; size = Math.floor(size / 2)) {
    for (let from = 0; from < items().length; ) {
      const kept = items().filter((_, place) => place < from || place >= from + size);
      const works: boolean | undefined = yield candidate(kept);
      if (works !== true) from += size;
    }
  }
}

const fewerFaults: Reduction = (failed) =>
  fewer(
    () => failed().options.faults,
    (faults) => ({ what: faults.length === 0 ? 'no faults' : `faults ${faults.join()}`, change: { faults } }),
  );

const lessTuning: Reduction = (failed) =>
  fewer(
    () => tuningEntries(failed().options.tuning),
    (entries) => ({ what: entries.length === 0 ? 'default settings' : 'fewer settings', change: { tuning: tuningOf(entries) } }),
  );

/** The simplest value that keeps the failure. */
function simpler<
  Name extends 'nodes' | 'partitions' | 'producers' | 'consumers' | 'deadAtEnd' | 'driftPerMille' | 'latencyMsMax' | 'syncMsMax',
>(name: Name, what: string, values: readonly SwarmOptions[Name][]): Reduction {
  return function* (failed) {
    for (const value of values) {
      if (value >= failed().options[name]) return;
      if ((yield { what: `${what} ${value}`, change: { [name]: value } }) === true) return;
    }
  };
}

const without = (name: keyof Overrides, what: string, value: false | undefined): Reduction =>
  function* (failed) {
    if (failed().options[name] !== value) yield { what, change: { [name]: value } };
  };

export const reductions: readonly Reduction[] = [
  shorter,
  fewerFaults,
  without('topicChurn', 'no topic churn', false),
  without('retentionBytes', 'no retention', undefined),
  without('restartBeforeDrain', 'no restart before the drain', false),
  simpler('producers', 'producers', [0, 1, 2]),
  simpler('consumers', 'consumers', [0, 1]),
  simpler('partitions', 'partitions', [1, 2]),
  simpler('nodes', 'nodes', [1, 3]),
  simpler('deadAtEnd', 'dead at the end', [0]),
  lessTuning,
  simpler('driftPerMille', 'drift', [0]),
  simpler('latencyMsMax', 'latency', [0, 2]),
  simpler('syncMsMax', 'time of an fsync', [0, 5]),
];
