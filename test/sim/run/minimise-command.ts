/** `--minimise`: makes the first failure of each rule smaller and tells what is left. */
import { minimise, type FailedRun, type Minimised } from './minimise.ts';
import type { Overrides, SeedOutcome } from './seed-outcome.ts';
import type { SeedProcess } from './seed-process.ts';
import { type FailedSeed, firstOfEachRule, type Tally } from './tally.ts';
import type { Terminal } from './terminal.ts';

const rulesMax = 3;
const attemptsMax = 150;
/** Of real time, for each rule. */
const durationMsMax = 5 * 60_000;

export interface MinimisedSeed {
  readonly seed: number;
  readonly minimised: Minimised;
}

export interface MinimiseSurroundings {
  readonly seedProcess: SeedProcess;
  readonly terminal: Terminal;
  readonly broken: AbortSignal;
  readonly onMinimised: (result: MinimisedSeed) => void;
}

export async function minimiseFailures(tally: Tally, surroundings: MinimiseSurroundings): Promise<MinimisedSeed[]> {
  const results: MinimisedSeed[] = [];
  for (const failed of firstOfEachRule(tally).slice(0, rulesMax)) {
    if (surroundings.broken.aborted) break;
    const minimised = await minimiseSeed(failed, surroundings);
    if (minimised === undefined) continue;
    results.push({ seed: failed.seed, minimised });
    surroundings.onMinimised({ seed: failed.seed, minimised });
  }
  return results;
}

async function minimiseSeed({ seed, overrides, outcome }: FailedSeed, surroundings: MinimiseSurroundings): Promise<Minimised | undefined> {
  const { seedProcess, terminal, broken } = surroundings;
  const failed = failedRunOf(outcome);
  if (failed === undefined) {
    terminal.complain(`seed ${seed} never ended, so it cannot be made smaller\n`);
    return undefined;
  }
  const endMs = performance.now() + durationMsMax;
  let last = '';
  let attempts = 0;
  terminal.progress(() => `minimising seed ${seed}: ${attempts} attempts${last}`);
  return await minimise({
    overrides,
    failed,
    attempt: async (smaller: Overrides) => {
      attempts += 1;
      return failedRunOf(await seedProcess.run({ seed, overrides: smaller }));
    },
    attemptsMax,
    isOver: () => broken.aborted || performance.now() > endMs,
    onSmaller: (what) => {
      last = `, fails with ${what}`;
    },
  });
}

function failedRunOf({ options, failure, virtualMs }: SeedOutcome): FailedRun | undefined {
  return options === undefined || failure === undefined ? undefined : { options, failure, virtualMs };
}
