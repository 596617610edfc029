/** `balsa chaos`: the harness that hurts a cluster and judges it. It is a program of its own, and so is its help. */
import type { Command } from 'commander';
import { chaosHarness, runProgram } from '../child-program.ts';
import type { Io } from '../terminal/io.ts';

export function registerChaos(parent: Command, io: Io, exit: (code: number) => void): void {
  parent
    .command('chaos')
    .summary('kill, pause and cut off brokers, and judge what was promised')
    .helpOption(false)
    .argument('[args...]', 'see balsa chaos --help')
    .allowUnknownOption()
    .action(async (args: string[]) => exit(await runProgram(io, chaosHarness, args)));
}
