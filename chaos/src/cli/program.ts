/** The command tree of `balsa chaos`, and how one run of it ends. */
import { Command, CommanderError } from 'commander';
import { RecordError } from '../record/read-record.ts';
import { ScenarioError } from '../scenario/scenario-error.ts';
import { registerCheck } from './commands/check.ts';
import { registerList } from './commands/list.ts';
import { registerMatrix } from './commands/matrix.ts';
import { registerRandom } from './commands/random.ts';
import { registerReport } from './commands/report.ts';
import { registerRun } from './commands/run.ts';
import { registerStudy } from './commands/study.ts';
import { type ExitCode, exitCodeMeanings, exitCodes } from './exit-codes.ts';
import type { ChaosIo } from './io.ts';
import { UsageError } from './usage-error.ts';

/** Sets the exit code of a command that has been carried out. */
export type Finish = (code: ExitCode) => void;

/** Runs one command line (without `node` and the script). Never throws. */
export async function runChaosCli(args: readonly string[], io: ChaosIo): Promise<number> {
  let exitCode: ExitCode = exitCodes.pass;
  const program = buildProgram(io, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    return failed(io, error);
  }
  return exitCode;
}

function failed({ stderr, signal }: ChaosIo, error: unknown): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.pass : exitCodes.usage;
  if (signal.aborted) {
    stderr.write('interrupted: brokers, links and faults are gone; what was recorded so far stays\n');
    return exitCodes.interrupted;
  }
  const [text, code] = explain(error);
  stderr.write(text);
  return code;
}

function explain(error: unknown): readonly [string, ExitCode] {
  if (error instanceof UsageError) return [`error: ${error.message}\n  next: ${error.next}\n`, exitCodes.usage];
  if (error instanceof ScenarioError) {
    return [
      `error: the scenario is not valid\n${indent(error.message)}  next: "balsa chaos list" shows scenarios and faults\n`,
      exitCodes.usage,
    ];
  }
  if (error instanceof RecordError) return [`error: ${error.message}\n`, exitCodes.usage];
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return [`error: the run could not be carried out\n${indent(text)}`, exitCodes.fail];
}

const indent = (text: string): string =>
  text
    .split('\n')
    .map((line) => `  ${line}\n`)
    .join('');

function buildProgram(io: ChaosIo, finish: Finish): Command {
  const program = new Command('balsa chaos')
    .description('Runs real brokers under real faults and judges what was promised: a verdict, availability figures, a report to look at.')
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      getOutHelpWidth: () => io.stdout.columns ?? 100,
      getErrHelpWidth: () => io.stderr.columns ?? 100,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .exitOverride()
    .showHelpAfterError('  next: add --help to see the arguments and examples')
    .addHelpText('after', help);
  for (const register of [registerList, registerRun, registerRandom, registerCheck, registerReport, registerStudy, registerMatrix]) {
    register(program, io, finish);
  }
  return program;
}

const help = `
Examples:
  npx balsa chaos list                             scenarios and faults
  npx balsa chaos run kill-leader                  a cluster of its own, hurt and judged
  npx balsa chaos run my.yaml --seed 7             a scenario of yours
  npx balsa chaos random --minutes 10              whatever the seed draws
  npx balsa chaos check .balsa/chaos/...           judge a recorded history again

Everything runs on this machine, in processes of its own; nothing is left behind.

Exit codes:
${exitCodeMeanings.map(([code, meaning]) => `  ${String(code).padStart(3)}  ${meaning}`).join('\n')}
`;
