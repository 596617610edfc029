/**
 * Errors for people: what happened, why, and what to do next. Every failure of a command
 * becomes one of these before it is printed; anything else that reaches the top is a bug
 * of the command line and is printed with its stack.
 */
import { errorFacts } from '@balsa/proto/errors';
import { exitCodeOf, exitCodes } from './exit-codes.ts';
import type { ExitCode } from './exit-codes.ts';

export interface CliErrorParts {
  /** What failed, in the words of the command. */
  readonly what: string;
  /** Why it failed, if that is known. */
  readonly why?: string;
  /** What the reader should do next. */
  readonly next?: string;
  readonly exitCode?: ExitCode;
  /** Stable code of the API's error table, if a broker or the client library gave one. */
  readonly code?: string;
}

export class CliError extends Error {
  override readonly name: string = 'CliError';
  readonly parts: CliErrorParts;
  readonly exitCode: ExitCode;

  constructor(parts: CliErrorParts) {
    super(parts.what);
    this.parts = parts;
    this.exitCode = parts.exitCode ?? exitCodes.failed;
  }
}

/** An argument that cannot be understood: exit code 2. */
export function usageError(what: string, next?: string): CliError {
  return new CliError({ what, exitCode: exitCodes.usage, ...(next === undefined ? {} : { next }) });
}

/** The part of the client library's BalsaError that the command line needs. */
interface ApiErrorLike {
  readonly code: string;
  readonly message: string;
  readonly retriable: boolean;
}

function isApiError(cause: unknown): cause is ApiErrorLike {
  if (!(cause instanceof Error)) return false;
  const { code, retriable } = cause as Partial<ApiErrorLike>;
  return typeof code === 'string' && typeof retriable === 'boolean';
}

/** Explains an error of the client library in terms of the operation that met it. */
export function explainApiError(operation: string, cause: unknown): unknown {
  if (!isApiError(cause)) return cause;
  const facts = errorFacts(cause.code);
  return new CliError({
    what: `${operation}: ${cause.code}`,
    why: reasonOf(cause, facts?.remedy ?? ''),
    exitCode: exitCodeOf(cause.code, cause.retriable),
    code: cause.code,
    ...(facts === undefined ? {} : { next: facts.remedy }),
  });
}

/** The message without the code in front and the remedy behind: both are printed on lines of their own. */
function reasonOf({ code, message }: ApiErrorLike, remedy: string): string {
  const reason = message.startsWith(code) ? message.slice(code.length).replace(/^( \([^)]*\))?: /, '') : message;
  return reason.endsWith(remedy) ? reason.slice(0, reason.length - remedy.length).trimEnd() : reason;
}

/** Runs one step of a command; an API error inside is explained as a failure of `operation`. */
export async function during<T>(operation: string, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (cause) {
    throw explainApiError(operation, cause);
  }
}
