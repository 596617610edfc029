/** Runs the seeds of the command line in this process, in their order, and prints the hash of each trace: the determinism test compares processes. */
import { runSeed } from './seed-outcome.ts';

for (const seed of process.argv.slice(2).map(Number)) {
  const { traceHash, failure } = await runSeed({ seed, overrides: {} });
  process.stdout.write(`${seed} ${traceHash} ${failure?.rule ?? 'passed'}\n`);
}
