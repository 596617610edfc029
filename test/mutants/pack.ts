/**
 * The work of a run: first every check as things are (the control), then the mutants, a few
 * at a time, each through its checks in order until one fails.
 */
import { runCheck } from './checks.ts';
import type { CheckOptions, CheckResult } from './checks.ts';
import { type Check, describeCheck, type Mutant } from './patch.ts';

export type Verdict =
  | { readonly kind: 'killed'; readonly check: Check; readonly by: string; readonly why: string }
  /** Every check passed with the bug in place. */
  | { readonly kind: 'survived' }
  | { readonly kind: 'error'; readonly message: string };

export interface MutantResult {
  readonly mutant: Mutant;
  readonly verdict: Verdict;
  readonly durationMs: number;
}

export type RunCheck = (check: Check, mutant: Mutant | undefined, options: CheckOptions) => Promise<CheckResult>;

/** How checks are run; tests of the runner put their own in place. */
export interface PackOptions extends CheckOptions {
  readonly run?: RunCheck;
}

export async function judgeMutant(mutant: Mutant, options: PackOptions): Promise<MutantResult> {
  const { run = runCheck } = options;
  const startedMs = performance.now();
  const ended = (verdict: Verdict): MutantResult => ({ mutant, verdict, durationMs: performance.now() - startedMs });
  for (const check of mutant.checks) {
    const result = await run(check, mutant, options);
    if (result.kind === 'failed') return ended({ kind: 'killed', check, by: result.by, why: result.why });
    if (result.kind === 'error') return ended({ kind: 'error', message: `${describeCheck(check)}: ${result.message}` });
  }
  return ended({ kind: 'survived' });
}

export interface ControlFailure {
  readonly check: string;
  readonly why: string;
}

/** Every program once, and every test file as a whole: that includes all tests that a check names, in fewer processes. */
function controlChecks(mutants: readonly Mutant[]): ReadonlyMap<string, Check> {
  const whole = (check: Check): Check => (check.kind === 'vitest' ? { kind: 'vitest', file: check.file } : check);
  const checks = mutants.flatMap((mutant) => mutant.checks).map(whole);
  return new Map(checks.map((check) => [describeCheck(check), check]));
}

/** Runs what the checks of `mutants` consist of once without a bug; returns what is not green. */
export async function runControl(
  mutants: readonly Mutant[],
  parallel: number,
  options: PackOptions,
  onDone: (check: string, result: CheckResult) => void,
): Promise<readonly ControlFailure[]> {
  const { run = runCheck } = options;
  const failures: ControlFailure[] = [];
  await eachOf([...controlChecks(mutants)], parallel, async ([name, check]) => {
    const result = await run(check, undefined, options);
    onDone(name, result);
    if (result.kind === 'failed') failures.push({ check: name, why: `${result.by}: ${result.why}` });
    if (result.kind === 'error') failures.push({ check: name, why: result.message });
  });
  return failures;
}

/** Runs `work` over all items, at most `parallel` at a time. */
export async function eachOf<Item>(items: readonly Item[], parallel: number, work: (item: Item) => Promise<void>): Promise<void> {
  const waiting = [...items];
  const worker = async (): Promise<void> => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(parallel, items.length) }, worker));
}
