/**
 * Makes a failing run smaller: takes away what the failure does not need, one thing at a time,
 * and keeps each change after which the same rule fails again.
 *
 * A smaller run draws other chances, so a change may lose the failure although it was not
 * needed for it: passes are repeated until one changes nothing, up to a number of attempts.
 */
import { reductions } from './reductions.ts';
import type { Failure, Overrides } from './seed-outcome.ts';
import type { SwarmOptions } from '../nemesis/swarm.ts';

/** Of a run that failed. */
export interface FailedRun {
  /** As drawn, with the overrides. */
  readonly options: SwarmOptions;
  readonly failure: Failure;
  /** When it failed. */
  readonly virtualMs: number;
}

export interface MinimisePlan {
  readonly overrides: Overrides;
  readonly failed: FailedRun;
  /** Runs the seed with `overrides`; undefined if the run passed or never ended. */
  readonly attempt: (overrides: Overrides) => Promise<FailedRun | undefined>;
  readonly attemptsMax: number;
  /** No further attempt is made once this holds. */
  readonly isOver?: () => boolean;
  readonly onSmaller?: (what: string, attempts: number) => void;
}

export interface Minimised {
  readonly overrides: Overrides;
  readonly failed: FailedRun;
  readonly attempts: number;
  /** False if the attempts or the time were used up before nothing more could be taken away. */
  readonly complete: boolean;
}

export async function minimise(plan: MinimisePlan): Promise<Minimised> {
  const { attempt, attemptsMax, isOver = () => false, onSmaller } = plan;
  const signature = signatureOf(plan.failed.failure);
  let { overrides, failed } = plan;
  let attempts = 0;
  const isSpent = (): boolean => attempts >= attemptsMax || isOver();
  const tryOut = async (what: string, change: Overrides): Promise<boolean> => {
    attempts += 1;
    const smaller = { ...overrides, ...change };
    const again = await attempt(smaller);
    if (again === undefined || signatureOf(again.failure) !== signature) return false;
    overrides = smaller;
    failed = again;
    onSmaller?.(what, attempts);
    return true;
  };
  for (let changed = true; changed; ) {
    changed = false;
    for (const reduction of reductions) {
      const candidates = reduction(() => failed);
      for (let next = candidates.next(); next.done !== true; ) {
        if (isSpent()) return { overrides, failed, attempts, complete: false };
        const works = await tryOut(next.value.what, next.value.change);
        changed ||= works;
        next = candidates.next(works);
      }
    }
  }
  return { overrides, failed, attempts, complete: true };
}

/** A rule that stands for whatever nobody foresaw needs the first line of the facts as well. */
function signatureOf({ rule, reason }: Failure): string {
  const isVague = rule.startsWith('an exception') || rule.startsWith('no unexpected');
  return isVague ? `${rule}: ${(reason.split('\n')[0] ?? '').replaceAll(/\d+/g, 'n')}` : rule;
}
