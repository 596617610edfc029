/**
 * The Io of the real process.
 *
 * Interruption: the first SIGINT, SIGTERM or SIGHUP aborts the run's signal, so commands
 * finish what they must; a second one, at least `secondSignalMsMin` later, ends the
 * process at once. (One Ctrl-C can arrive twice, from the terminal and from a launcher.)
 *
 * A closed stdout (`balsa consume t | head`) means that the reader has enough. That is
 * success: the process ends quietly with code 0.
 */
import { exitCodes } from '../exit-codes.ts';
import type { Io, OutStream } from './io.ts';

const secondSignalMsMin = 500;

export function processIo(): Io {
  endQuietlyWhenClosed(process.stdout);
  endQuietlyWhenClosed(process.stderr);
  return {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    signal: interruptionSignal(),
    nowMs: () => Date.now(),
  };
}

function interruptionSignal(): AbortSignal {
  const controller = new AbortController();
  let firstMs: number | undefined;
  const onSignal = (): void => {
    const nowMs = performance.now();
    if (firstMs !== undefined && nowMs - firstMs >= secondSignalMsMin) process.exit(exitCodes.interrupted);
    firstMs ??= nowMs;
    controller.abort();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
  return controller.signal;
}

function endQuietlyWhenClosed(stream: OutStream): void {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(exitCodes.ok);
    throw error;
  });
}
