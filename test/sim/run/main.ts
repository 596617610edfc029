/** Entry of `balsa-sim`. Exit codes: see `--help`. */
import { availableParallelism } from 'node:os';
import { runBatchCommand } from './batch-command.ts';
import { parseCommandLine } from './cli.ts';
import { UsageError } from './override-flags.ts';
import { currentCommit } from './reproduction.ts';
import { runSingleCommand } from './single-command.ts';

const exitCodes = { passed: 0, failed: 1, usage: 2, interrupted: 130 } as const;

const broken = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => broken.abort());
// `balsa-sim ... | head` has read enough.
process.stdout.on('error', () => process.exit(exitCodes.passed));

async function run(args: readonly string[]): Promise<number> {
  const request = parseCommandLine(args, {
    cores: availableParallelism(),
    wallMs: Date.now(),
    writeOut: (text) => void process.stdout.write(text),
    columns: process.stdout.columns ?? 100,
  });
  if (request === undefined) return exitCodes.passed;
  const surroundings = { commit: currentCommit(), broken: broken.signal };
  const passed = request.kind === 'single' ? await runSingleCommand(request, surroundings) : await runBatchCommand(request, surroundings);
  if (broken.signal.aborted) return exitCodes.interrupted;
  return passed ? exitCodes.passed : exitCodes.failed;
}

try {
  process.exitCode = await run(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`error: ${error.message}\n  next: add --help to see the options and examples\n`);
  process.exitCode = exitCodes.usage;
}
