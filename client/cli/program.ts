/** The command tree of `balsa`, and how one run of it ends. */
import { Command, CommanderError } from 'commander';
import { registerBenchConsume } from './commands/bench-consume.ts';
import { registerBenchLatency } from './commands/bench-latency.ts';
import { registerBenchProduce } from './commands/bench-produce.ts';
import { registerChaos } from './commands/chaos.ts';
import { registerClusterStatus } from './commands/cluster-status.ts';
import { registerConsume } from './commands/consume.ts';
import { registerDev } from './commands/dev.ts';
import { registerNodeStart } from './commands/node-start.ts';
import { registerProduce } from './commands/produce.ts';
import { registerRaftStatus } from './commands/raft-status.ts';
import { registerRaftTransfer } from './commands/raft-transfer.ts';
import { registerTopicAlter } from './commands/topic-alter.ts';
import { registerTopicCreate } from './commands/topic-create.ts';
import { registerTopicDelete } from './commands/topic-delete.ts';
import { registerTopicDescribe } from './commands/topic-describe.ts';
import { registerTopicList } from './commands/topic-list.ts';
import { registerTopicMove } from './commands/topic-move.ts';
import { exitCodeMeanings, exitCodes } from './exit-codes.ts';
import { reportError } from './terminal/error-report.ts';
import type { Io } from './terminal/io.ts';

/** Runs one command line (without `node` and the script) and returns the exit code. Never throws. */
export async function runCli(args: readonly string[], io: Io): Promise<number> {
  let exitCode: number | undefined;
  let asJson = false;
  const program = buildProgram(io, (code) => {
    exitCode = code;
  });
  program.hook('preAction', (_, command) => {
    asJson = (command.opts() as { output?: string }).output?.startsWith('json') === true;
  });
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (cause) {
    if (cause instanceof CommanderError) return cause.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    return reportError(io, cause, asJson);
  }
  // A program that was run decides for itself: a cluster stopped by Ctrl-C has done its work.
  return exitCode ?? (io.signal.aborted ? exitCodes.interrupted : exitCodes.ok);
}

function buildProgram(io: Io, exit: (code: number) => void): Command {
  const program = new Command('balsa')
    .description('Command line of the Balsa message broker.')
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
    .addHelpText('after', environmentHelp);
  registerDev(program, io, exit);
  registerNodeStart(group(program, 'node', 'run one broker'), io, exit);
  const topic = group(program, 'topic', 'create, list, describe, alter, move and delete topics');
  for (const register of [
    registerTopicCreate,
    registerTopicList,
    registerTopicDescribe,
    registerTopicAlter,
    registerTopicMove,
    registerTopicDelete,
  ]) {
    register(topic, io);
  }
  registerProduce(program, io);
  registerConsume(program, io);
  registerClusterStatus(group(program, 'cluster', 'look at the brokers'), io);
  const raft = group(program, 'raft', 'look at the replicas and move their leadership');
  registerRaftStatus(raft, io);
  registerRaftTransfer(raft, io);
  const bench = group(program, 'bench', 'measure throughput and latency');
  for (const register of [registerBenchProduce, registerBenchConsume, registerBenchLatency]) register(bench, io);
  registerChaos(program, io, exit);
  return program;
}

function group(program: Command, name: string, summary: string): Command {
  const described = program.command(name).summary(summary);
  return described.description(`${summary.slice(0, 1).toUpperCase()}${summary.slice(1)}.`);
}

const environmentHelp = `
Environment:
  BALSA_ADDRESS  brokers to ask, instead of --address
  NO_COLOR       no colours

Exit codes:
${exitCodeMeanings.map(([code, meaning]) => `  ${String(code).padStart(3)}  ${meaning}`).join('\n')}
`;
