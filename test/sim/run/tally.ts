/** What the runs of a batch came to together. */
import { type Failure, type SeedOutcome, type SeedRequest } from './seed-outcome.ts';

export interface FailedSeed extends SeedRequest {
  readonly failure: Failure;
  readonly outcome: SeedOutcome;
}

export interface Tally {
  seeds: number;
  /** Runs in which nothing was overridden; the others say nothing of what seeds reach by themselves. */
  plainSeeds: number;
  virtualMs: number;
  events: number;
  readonly counts: Map<string, number>;
  /** Bounded by the failures after which a batch gives up. */
  readonly failed: FailedSeed[];
  /** Of every run, with the seed; empty unless wanted. */
  readonly traceHashes: { readonly seed: number; readonly hash: string }[];
}

export const createTally = (): Tally => ({
  seeds: 0,
  plainSeeds: 0,
  virtualMs: 0,
  events: 0,
  counts: new Map(),
  failed: [],
  traceHashes: [],
});

export function addOutcome(tally: Tally, outcome: SeedOutcome, keepHash = false): void {
  const { seed, overrides, failure, counts, virtualMs, events, traceHash } = outcome;
  tally.seeds += 1;
  if (Object.keys(overrides).length === 0) tally.plainSeeds += 1;
  tally.virtualMs += virtualMs;
  tally.events += events;
  for (const [name, count] of counts) tally.counts.set(name, (tally.counts.get(name) ?? 0) + count);
  if (failure !== undefined) tally.failed.push({ seed, overrides, failure, outcome });
  if (keepHash) tally.traceHashes.push({ seed, hash: traceHash });
}

/** The first failure of each rule. */
export function firstOfEachRule({ failed }: Pick<Tally, 'failed'>): FailedSeed[] {
  const rules = new Set<string>();
  return failed.filter(({ failure: { rule } }) => !rules.has(rule) && rules.add(rule));
}
