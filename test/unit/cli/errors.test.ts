import { errorTable } from '@balsa/proto/errors';
import { BalsaError } from '../../../client/src/errors.ts';
import { describe, expect, test } from 'vitest';
import { CliError, during, usageError } from '../../../client/cli/cli-error.ts';
import { exitCodeMeanings, exitCodeOf, exitCodes } from '../../../client/cli/exit-codes.ts';
import { reportError } from '../../../client/cli/terminal/error-report.ts';
import { testTerminal } from './stand-ins/terminal.ts';

const failing = (cause: unknown): Promise<unknown> =>
  during('cannot delete topic "orders"', () => Promise.reject(cause as Error)).catch((error: unknown) => error);

describe('errors', () => {
  test('say what, why and what to do next, without repeating themselves', async () => {
    const { io, err } = testTerminal();
    const error = await failing(new BalsaError('UNKNOWN_TOPIC', { topic: 'orders', detail: 'There is no topic "orders".' }));
    expect(reportError(io, error, false)).toBe(exitCodes.notFound);
    expect(err()).toBe(
      'error: cannot delete topic "orders": UNKNOWN_TOPIC\n' +
        '  why:  There is no topic "orders".\n' +
        `  next: ${errorTable.UNKNOWN_TOPIC.remedy}\n`,
    );
  });

  test.each(Object.keys(errorTable) as (keyof typeof errorTable)[])('%s has a reason and a remedy', async (code) => {
    const error = (await failing(new BalsaError(code))) as CliError;
    expect(error.parts).toMatchObject({ code, why: errorTable[code].meaning, next: errorTable[code].remedy });
    expect(error.exitCode).not.toBe(exitCodes.ok);
  });

  test('are one JSON document with -o json', () => {
    const { io, err } = testTerminal();
    reportError(io, usageError('no such thing'), true);
    expect(JSON.parse(err())).toEqual({ error: { code: null, what: 'no such thing', why: null, next: null, exitCode: 2 } });
  });

  test('that nobody foresaw keep their stack', () => {
    const { io, err } = testTerminal();
    expect(reportError(io, new TypeError('x is not y'), false)).toBe(exitCodes.failed);
    expect(err()).toMatch(/please report it\nTypeError: x is not y\n\s+at /);
  });

  test('after an interruption are silent', () => {
    const { io, err, interrupt } = testTerminal();
    interrupt();
    expect(reportError(io, new Error('cancelled'), false)).toBe(exitCodes.interrupted);
    expect(err()).toBe('');
  });

  test('have colours on a terminal, and none with NO_COLOR', () => {
    const coloured = testTerminal({ tty: true });
    reportError(coloured.io, usageError('no'), false);
    expect(coloured.err()).toContain('\u001b[');
    const plain = testTerminal({ tty: true, env: { NO_COLOR: '1' } });
    reportError(plain.io, usageError('no'), false);
    expect(plain.err()).toBe('error: no\n');
  });
});

describe('exit codes', () => {
  test('of retriable errors say "try again"', () => {
    for (const code of ['LEADER_NOT_AVAILABLE', 'TIMEOUT', 'CONNECTION_LOST', 'OVERLOADED', 'NOT_READY'] as const) {
      expect(exitCodeOf(code, errorTable[code].retriable), code).toBe(exitCodes.unavailable);
    }
  });

  test('of refusals, absent things and wrong arguments differ', () => {
    expect(exitCodeOf('TOPIC_EXISTS', false)).toBe(exitCodes.failed);
    expect(exitCodeOf('UNKNOWN_GROUP', false)).toBe(exitCodes.notFound);
    expect(exitCodeOf('INVALID_PARTITIONS', false)).toBe(exitCodes.usage);
    expect(exitCodeOf('toString', false)).toBe(exitCodes.failed);
  });

  test('are all explained', () => {
    expect(exitCodeMeanings.map(([code]) => code)).toEqual(Object.values(exitCodes));
  });
});
