/**
 * Seeds that failed once: every batch runs them first. The file says for each what was wrong.
 *
 * A seed stands for the same run only as long as draws are made in the same order, so the
 * corpus guards against a return of what was fixed recently; for good, a test of its own does.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseOverrides, UsageError } from './override-flags.ts';
import type { SeedRequest } from './seed-outcome.ts';

export const corpusFile = fileURLToPath(new URL('../corpus.json', import.meta.url));

export interface CorpusEntry extends SeedRequest {
  readonly note: string;
}

/** Throws a UsageError that names the file and what is wrong with it. */
export function readCorpus(file: string): CorpusEntry[] {
  try {
    return parseCorpus(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new UsageError(`${file}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

export function parseCorpus(text: string): CorpusEntry[] {
  const entries: unknown = JSON.parse(text);
  if (!Array.isArray(entries)) throw new UsageError('a corpus is a list');
  return entries.map((entry: unknown, place) => corpusEntry(entry, place + 1));
}

function corpusEntry(entry: unknown, place: number): CorpusEntry {
  const { seed, overrides = '', note, ...rest } = Object(entry) as Record<string, unknown>;
  if (!Number.isSafeInteger(seed)) throw new UsageError(`entry ${place} has no seed`);
  if (typeof note !== 'string' || note === '') throw new UsageError(`entry ${place} has no note that says what failed`);
  if (typeof overrides !== 'string') throw new UsageError(`entry ${place}: overrides are a text as on the command line`);
  const [extra] = Object.keys(rest);
  if (extra !== undefined) throw new UsageError(`entry ${place}: there is no ${extra}`);
  return { seed: seed as number, overrides: parseOverrides(overrides), note };
}
