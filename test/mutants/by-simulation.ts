/**
 * Which bugs whole simulated clusters notice, without any test written for them: seeds 1, 2, ...
 * until one fails. A seed counts only if it passes without the bug, so that what fails
 * anyway never passes for a proof.
 */
import { type CheckResult, runCheck } from './checks.ts';
import type { PackOptions } from './pack.ts';
import type { Mutant, ProgramCheck } from './patch.ts';

export type SimulationVerdict =
  | { readonly kind: 'noticed'; readonly seed: number; readonly rule: string }
  | { readonly kind: 'unnoticed' }
  | { readonly kind: 'error'; readonly message: string };

export interface SimulationResult {
  readonly mutant: Mutant;
  readonly verdict: SimulationVerdict;
  readonly durationMs: number;
}

export interface SimulationOptions extends PackOptions {
  readonly seedsMax: number;
}

/** After so many seeds that fail without the bug, too, nothing is believed any more. */
const redSeedsMax = 20;

const command = 'test/sim/run/main.ts';

const seedsFrom = (from: number, last: number, { bySimulation }: Mutant): ProgramCheck =>
  simulation(`--from ${from} --seeds ${last - from + 1} --no-corpus --workers 1 --max-failures 1`, bySimulation?.faults);
const oneSeed = (seed: number, { bySimulation }: Mutant): ProgramCheck => simulation(`--seed ${seed}`, bySimulation?.faults);

function simulation(seeds: string, faults: string | undefined): ProgramCheck {
  const only = faults === undefined ? [] : ['--faults', faults];
  return { kind: 'program', args: [command, ...seeds.split(' '), ...only] };
}

export async function judgeBySimulation(mutant: Mutant, options: SimulationOptions): Promise<SimulationResult> {
  const startedMs = performance.now();
  const verdict = await searchSeeds(mutant, options);
  return { mutant, verdict, durationMs: performance.now() - startedMs };
}

async function searchSeeds(mutant: Mutant, { seedsMax, run = runCheck, ...options }: SimulationOptions): Promise<SimulationVerdict> {
  let redSeeds = 0;
  for (let from = 1; from <= seedsMax; ) {
    const found = failureOf(await run(seedsFrom(from, seedsMax, mutant), mutant, options));
    if (found.kind !== 'noticed') return found;
    const control = await run(oneSeed(found.seed, mutant), undefined, options);
    if (control.kind === 'passed') return found;
    if (control.kind === 'error') return control;
    redSeeds += 1;
    if (redSeeds === redSeedsMax) return { kind: 'error', message: `${redSeeds} seeds fail without a mutant, the last is ${found.seed}` };
    from = found.seed + 1;
  }
  return { kind: 'unnoticed' };
}

function failureOf(result: CheckResult): SimulationVerdict {
  if (result.kind === 'error') return result;
  if (result.kind === 'passed') return { kind: 'unnoticed' };
  const [, seed, rule] = /^FAILED seed (\d+)(?: after [\d.]+ virtual s)?: (.*)$/.exec(result.why) ?? [];
  if (seed === undefined || rule === undefined) return { kind: 'error', message: `a failure that names no seed: ${result.why}` };
  return { kind: 'noticed', seed: Number(seed), rule };
}
