/** Asks before a destructive act. Without a terminal there is nobody to ask, so `--yes` is required. */
import { createInterface } from 'node:readline/promises';
import { CliError } from '../cli-error.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Io } from './io.ts';

export async function confirm(io: Io, question: string, yes: boolean): Promise<void> {
  if (yes) return;
  if (io.stdin.isTTY !== true || io.stderr.isTTY !== true) {
    throw new CliError({
      what: `${question} needs a confirmation`,
      why: 'there is no terminal to ask on',
      next: 'repeat the command with --yes',
      exitCode: exitCodes.usage,
    });
  }
  const prompt = createInterface({ input: io.stdin, output: io.stderr, terminal: true });
  try {
    const answer = await prompt.question(`${question}? [y/N] `, { signal: io.signal });
    if (/^y(es)?$/i.test(answer.trim())) return;
  } finally {
    prompt.close();
  }
  throw new CliError({ what: 'not confirmed', why: 'the answer was not "y"', next: 'nothing was changed' });
}
