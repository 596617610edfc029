/** `balsa dev`: a whole cluster on this machine, in the foreground. */
import type { Command } from 'commander';
import { devCluster, runProgram } from '../child-program.ts';
import { withExamples } from '../command.ts';
import { integerOption } from '../format/quantity.ts';
import type { Io } from '../terminal/io.ts';

interface DevOptions {
  readonly nodes: number;
  readonly dir: string;
  readonly portBase: number;
}

export function registerDev(parent: Command, io: Io, exit: (code: number) => void): void {
  const command = parent
    .command('dev')
    .summary('run a cluster on this machine')
    .description(
      'Runs brokers as processes of their own, in the foreground, with durable data. Ctrl-C stops them in order; the next start finds the data.',
    )
    .option('--nodes <n>', 'number of brokers', integerOption('--nodes', 1, 9), 3)
    .option('--dir <folder>', 'where the data lives', '.balsa')
    .option(
      '--port-base <port>',
      'P: clients use P, P+1 ...; brokers among themselves P+10 ...; http P+20 ...',
      integerOption('--port-base', 1, 65_500),
      7070,
    )
    .action(async (options: DevOptions) => {
      const args = ['--nodes', String(options.nodes), '--dir', options.dir, '--port-base', String(options.portBase)];
      exit(await runProgram(io, devCluster, args));
    });
  withExamples(command, 'balsa dev', '# a second cluster beside the first', 'balsa dev --nodes 5 --dir /tmp/five --port-base 8070');
}
