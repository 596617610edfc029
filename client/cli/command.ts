/** How every command of the tree is declared: its options, its examples, and its run. */
import { Option } from 'commander';
import type { Command } from 'commander';
import { durationOption } from './format/quantity.ts';
import { outputModes } from './terminal/output.ts';
import type { OutputMode } from './terminal/output.ts';

export const defaultAddress = '127.0.0.1:7070';

/** Options of every command that talks to a cluster. */
export interface ClusterOptions {
  /** host:port of one or more brokers, separated by commas. */
  readonly address: string;
  readonly output: OutputMode;
  /** Milliseconds that one request may take, retries included. */
  readonly timeout: number;
}

/** Examples under a command's help. A line that starts with `#` explains the one below it. */
export function withExamples(command: Command, ...lines: readonly string[]): Command {
  return command.addHelpText('after', ['', 'Examples:', ...lines.map((line) => `  ${line}`)].join('\n'));
}

export function withOutput(command: Command): Command {
  return command.addOption(new Option('-o, --output <form>', 'form of the result').choices(outputModes).default('table'));
}

export function withCluster(command: Command): Command {
  return withOutput(command)
    .addOption(
      new Option('-a, --address <host:port,...>', 'brokers to ask first; one that answers is enough')
        .env('BALSA_ADDRESS')
        .default(defaultAddress),
    )
    .addOption(
      new Option('--timeout <duration>', 'how long one request may take, retries included')
        .argParser(durationOption('--timeout'))
        .default(10_000, '10s'),
    );
}
