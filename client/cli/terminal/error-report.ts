/** Prints an error on stderr (what, why, next step; JSON with `-o json`) and chooses the exit code. */
import { CliError } from '../cli-error.ts';
import { exitCodes } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import { painterFor } from './io.ts';
import type { Io } from './io.ts';

export function reportError(io: Io, cause: unknown, asJson: boolean): ExitCode {
  if (isInterruption(io, cause)) return exitCodes.interrupted;
  if (!(cause instanceof CliError)) {
    const text = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
    io.stderr.write(`error: balsa met a condition it does not know; please report it\n${text}\n`);
    return exitCodes.failed;
  }
  io.stderr.write(asJson ? errorJson(cause) : errorText(io, cause));
  return cause.exitCode;
}

/** After Ctrl-C whatever fails has been stopped on purpose. */
function isInterruption(io: Io, cause: unknown): boolean {
  return io.signal.aborted || (cause instanceof Error && cause.name === 'AbortError');
}

function errorText(io: Io, { parts }: CliError): string {
  const paint = painterFor(io.stderr, io.env);
  const lines = [`${paint(['red', 'bold'], 'error:')} ${parts.what}`];
  if (parts.why !== undefined) lines.push(`  why:  ${parts.why}`);
  if (parts.next !== undefined) lines.push(`  next: ${parts.next}`);
  return `${lines.join('\n')}\n`;
}

function errorJson({ parts, exitCode }: CliError): string {
  const { what, why, next, code } = parts;
  return `${JSON.stringify({ error: { code: code ?? null, what, why: why ?? null, next: next ?? null, exitCode } })}\n`;
}
