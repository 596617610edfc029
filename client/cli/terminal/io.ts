/**
 * The world of one run of the command line: its streams, environment and interruption.
 * Commands take it as an argument, so tests run them without a process.
 */
import type { Readable, Writable } from 'node:stream';
import { styleText } from 'node:util';
import type { Painter } from '../format/table.ts';

export type InStream = Readable & { readonly isTTY?: boolean | undefined };
export type OutStream = Writable & { readonly isTTY?: boolean | undefined; readonly columns?: number | undefined };

export interface Io {
  readonly stdin: InStream;
  readonly stdout: OutStream;
  readonly stderr: OutStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborted by the first Ctrl-C or SIGTERM. */
  readonly signal: AbortSignal;
  readonly nowMs: () => number;
}

/** Colours only on a terminal whose user has not set NO_COLOR (https://no-color.org). */
export function painterFor(stream: OutStream, env: Io['env']): Painter {
  const wanted = stream.isTTY === true && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb';
  return wanted ? (style, text) => styleText(style, text, { validateStream: false }) : (_style, text) => text;
}
