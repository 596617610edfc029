/** Entry of `balsa chaos`. Exit codes: see `--help`. */
import { runChaosCli } from './program.ts';

const interrupter = new AbortController();
// The first signal ends the run in order; faults, brokers and folders go. A second one does not wait for that.
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => {
    if (interrupter.signal.aborted) process.exit(130);
    interrupter.abort();
  });
}
// `balsa chaos list | head` has read enough.
process.stdout.on('error', () => process.exit(0));

const exitCode = await runChaosCli(process.argv.slice(2), { stdout: process.stdout, stderr: process.stderr, signal: interrupter.signal });
// Whatever a run has started it has ended; nothing that a library forgot keeps a finished command alive. What was written leaves first.
process.stdout.write('', () => process.exit(exitCode));
