/** `balsa node start`: one broker of a cluster, in the foreground. */
import type { Command } from 'commander';
import { broker, runProgram } from '../child-program.ts';
import { withExamples } from '../command.ts';
import type { Io } from '../terminal/io.ts';

export function registerNodeStart(parent: Command, io: Io, exit: (code: number) => void): void {
  const command = parent
    .command('start')
    .summary('run one broker')
    .description(
      'Runs one broker in the foreground. Every setting of the file can also be given as --section.key VALUE or as BALSA_SECTION__KEY; a flag wins over the environment, and the environment over the file.',
    )
    .option('--config <file>', 'settings of the node (YAML)')
    .argument('[flags...]', 'settings as --section.key VALUE, handed to the broker as they are')
    .allowUnknownOption()
    .action(async (flags: string[], options: { readonly config?: string }) => {
      exit(await runProgram(io, broker, [...(options.config === undefined ? [] : ['--config', options.config]), ...flags]));
    });
  withExamples(
    command,
    '# all settings',
    'balsa node start -- --help',
    'balsa node start --config node-1.yaml',
    'BALSA_LOG__LEVEL=debug balsa node start --config node-1.yaml',
  );
}
