/**
 * What a command prints on stdout, in the form that `-o` chose.
 *
 * `table` is for people, `json` is one document, `jsonl` is one document a line. Results
 * go to stdout and everything else (progress, notes, errors) to stderr, so that stdout can
 * always be piped. Field names of JSON are stable; tables may change.
 */
import { once } from 'node:events';
import { formatFacts, formatTable } from '../format/table.ts';
import type { Column } from '../format/table.ts';
import { painterFor } from './io.ts';
import type { Io, OutStream } from './io.ts';

export const outputModes = ['table', 'json', 'jsonl'] as const;
export type OutputMode = (typeof outputModes)[number];

/** Writes and, if the stream's buffer is full, waits until it has room. */
export async function write(stream: OutStream, chunk: string | Uint8Array): Promise<void> {
  if (!stream.write(chunk)) await once(stream, 'drain');
}

/** Prints rows: a table, a JSON array, or one JSON object a line. */
export async function printRows<Row>(io: Io, mode: OutputMode, rows: readonly Row[], columns: readonly Column<Row>[]): Promise<void> {
  if (mode === 'json') return write(io.stdout, `${JSON.stringify(rows, null, 2)}\n`);
  if (mode === 'jsonl') return write(io.stdout, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  return write(io.stdout, formatTable(columns, rows, painterFor(io.stdout, io.env)));
}

/** Prints one thing: name and value a line, or one JSON object. */
export async function printFacts(
  io: Io,
  mode: OutputMode,
  value: unknown,
  facts: readonly (readonly [string, string | number])[],
): Promise<void> {
  if (mode === 'json') return write(io.stdout, `${JSON.stringify(value, null, 2)}\n`);
  if (mode === 'jsonl') return write(io.stdout, `${JSON.stringify(value)}\n`);
  return write(io.stdout, formatFacts(facts, painterFor(io.stdout, io.env)));
}

/** Confirms an act: a sentence for people, the object in JSON. */
export async function printDone(io: Io, mode: OutputMode, sentence: string, value: unknown): Promise<void> {
  if (mode !== 'table') return printFacts(io, mode, value, []);
  const paint = painterFor(io.stdout, io.env);
  return write(io.stdout, `${paint('green', 'ok')} ${sentence}\n`);
}

/** A remark on stderr. */
export function note(io: Io, text: string): void {
  io.stderr.write(`${painterFor(io.stderr, io.env)('dim', text)}\n`);
}
