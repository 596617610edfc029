/**
 * Runs a program of the broker's package as a child that owns the terminal. The client
 * never imports the broker: the package is looked up at run time, and its absence is an
 * error with a remedy, not a crash at start.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import { CliError } from './cli-error.ts';
import type { Io } from './terminal/io.ts';

/** Path of a source file of @balsa/node, for example `main.ts`. */
export function resolveBroker(entry: string): string {
  try {
    return fileURLToPath(import.meta.resolve(`@balsa/node/${entry}`));
  } catch {
    throw new CliError({
      what: 'the broker is not installed',
      why: 'the package @balsa/node cannot be found next to the command line',
      next: 'npm install @balsa/node, or run "npm ci" in the checkout',
    });
  }
}

/**
 * Exit code of the program. SIGTERM and SIGHUP are passed on; so is SIGINT, unless a
 * terminal has already sent it to the child.
 */
export async function runBrokerProgram(io: Io, entry: string, args: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, [resolveBroker(entry), ...args], { stdio: 'inherit' });
  const forward = (signal: NodeJS.Signals): void => void child.kill(signal);
  const onTerminal = [io.stdin, io.stdout, io.stderr].some((stream) => stream.isTTY === true);
  const forwarded: readonly NodeJS.Signals[] = onTerminal ? ['SIGTERM', 'SIGHUP'] : ['SIGTERM', 'SIGHUP', 'SIGINT'];
  for (const signal of forwarded) process.on(signal, forward);
  try {
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    return code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
  } finally {
    for (const signal of forwarded) process.off(signal, forward);
  }
}
