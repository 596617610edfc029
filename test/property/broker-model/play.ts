/** One run: a cluster of its own, the commands, the end of all faults, the judgement. */
import fc from 'fast-check';
import { catchStrays } from '../../sim/run/strays.ts';
import type { ModelCommand } from './command.ts';
import { finish } from './finish.ts';
import { createRun, type Setup, startCluster } from './real.ts';

export interface Played {
  /** SHA-256 of everything that happened: equal inputs, equal hashes. */
  readonly traceHash: string;
  readonly virtualMs: number;
}

/** Rejects if any promise was broken, or if the run left a rejection that nobody handled. */
export async function play(setup: Setup, commands: Iterable<ModelCommand>, took: (what: string) => void): Promise<Played> {
  const { run, trace } = createRun(setup);
  const strays = catchStrays((error) => {
    run.failure ??= error;
  });
  try {
    const { model, real } = await startCluster(setup, run, trace, took);
    await fc.asyncModelRun(() => ({ model, real }), commands);
    await finish(model, real);
  } catch (error) {
    // What broke first is the cause.
    run.failure ??= error;
  } finally {
    await strays.stop();
  }
  if (run.failure !== undefined) throw run.failure;
  return { traceHash: trace.digest(), virtualMs: run.world.clock.monotonicMs() };
}
