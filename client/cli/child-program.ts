/**
 * Runs a program of another package as a child that owns the terminal: the broker, the chaos
 * harness. The client never imports them: the package is looked up at run time, and its
 * absence is an error with a remedy, not a crash at start.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import { CliError } from './cli-error.ts';
import type { Io } from './terminal/io.ts';

export interface Program {
  readonly name: string;
  /** Specifier of its source file. */
  readonly entry: string;
}

export const broker: Program = { name: 'the broker', entry: '@balsa/node/main.ts' };
export const devCluster: Program = { name: 'the broker', entry: '@balsa/node/dev.ts' };
export const chaosHarness: Program = { name: 'the chaos harness', entry: '@balsa/chaos/cli/main.ts' };

function resolve({ name, entry }: Program): string {
  try {
    return fileURLToPath(import.meta.resolve(entry));
  } catch {
    const [scope, folder] = entry.split('/');
    const packageName = `${scope}/${folder}`;
    throw new CliError({
      what: `${name} is not installed`,
      why: `the package ${packageName} cannot be found next to the command line`,
      next: `npm install ${packageName}, or run "npm ci" in the checkout`,
    });
  }
}

/**
 * Exit code of the program. SIGTERM and SIGHUP are passed on; so is SIGINT, unless a
 * terminal has already sent it to the child.
 */
export async function runProgram(io: Io, program: Program, args: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, [resolve(program), ...args], { stdio: 'inherit' });
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
