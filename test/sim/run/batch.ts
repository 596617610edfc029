/** Runs many seeds on several processes: each process gets the next seed when it has done with one. */
import type { SeedOutcome, SeedRequest } from './seed-outcome.ts';
import type { SeedProcess } from './seed-process.ts';

export interface BatchPlan {
  /** Run in this order; may be endless. */
  readonly requests: Iterator<SeedRequest>;
  readonly processes: readonly Pick<SeedProcess, 'run'>[];
  /** No further seed is begun once this holds. */
  readonly isOver: () => boolean;
  /** Aborted when the processes are ended in the middle of their work. */
  readonly broken: AbortSignal;
  readonly onOutcome: (outcome: SeedOutcome) => void;
}

export async function runBatch({ requests, processes, isOver, broken, onOutcome }: BatchPlan): Promise<void> {
  const work = async (process: Pick<SeedProcess, 'run'>): Promise<void> => {
    while (!isOver() && !broken.aborted) {
      const next = requests.next();
      if (next.done === true) return;
      const outcome = await process.run(next.value);
      // A run that was broken off says nothing of its seed.
      if (outcome.options === undefined && broken.aborted) return;
      onOutcome(outcome);
    }
  };
  await Promise.all(processes.map(work));
}

/** The corpus, then the seeds from `from` on; without end if there is no `count`. */
export function* requestsOf(
  corpus: readonly SeedRequest[],
  { from, count = Number.POSITIVE_INFINITY }: { readonly from: number; readonly count?: number },
  overrides: SeedRequest['overrides'],
): Generator<SeedRequest, undefined> {
  for (const entry of corpus) yield { seed: entry.seed, overrides: entry.overrides };
  for (let done = 0; done < count; done++) yield { seed: from + done, overrides };
}
