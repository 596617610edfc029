/** How the process ends. The table is documented in --help and docs/operations.md. */
import { inspect } from 'node:util';
import type { ErrorCode } from '@balsa/proto/errors';
import { errorTable } from '@balsa/proto/errors';
import { ConfigError } from '../config/config-error.ts';
import { InvariantViolation } from '../core/assert.ts';
import { BrokerError } from '../broker/broker-error.ts';
import { DiskError } from '../ports/disk.ts';
import { StateStoreError } from '../ports/state-store.ts';
import { JournalCorrupt, JournalRefused } from '../storage/journal/vocabulary.ts';

export const exitCodes = {
  STOPPED: { code: 0, meaning: 'stopped as asked' },
  INTERNAL: { code: 1, meaning: 'an unexpected failure; the log has the details' },
  CONFIG_INVALID: { code: 2, meaning: errorTable.CONFIG_INVALID.meaning },
  PORT_IN_USE: { code: 3, meaning: errorTable.PORT_IN_USE.meaning },
  DATA_LOCKED: { code: 4, meaning: errorTable.DATA_LOCKED.meaning },
  DATA_FOREIGN: { code: 5, meaning: errorTable.DATA_FOREIGN.meaning },
  DATA_CORRUPT: { code: 6, meaning: errorTable.DATA_CORRUPT.meaning },
  DATA_VERSION: { code: 7, meaning: errorTable.DATA_VERSION.meaning },
  STORAGE_FAILED: { code: 8, meaning: errorTable.STORAGE_FAILED.meaning },
  WRONG_CLUSTER: { code: 9, meaning: errorTable.WRONG_CLUSTER.meaning },
  STOP_TIMEOUT: { code: 10, meaning: 'the graceful stop took longer than maintenance.stopMs' },
  INVARIANT: { code: 70, meaning: 'an impossible state: a bug; please report it with the log' },
} as const;

export type ExitName = keyof typeof exitCodes;

export const exitCodeHelp = (): string =>
  Object.entries(exitCodes)
    .map(([name, { code, meaning }]) => `  ${String(code).padStart(3)}  ${name.padEnd(15)} ${meaning}`)
    .join('\n');

/** A failure at the start that was translated already: what, why and what to do. */
export class StartFailure extends Error {
  override readonly name: string = 'StartFailure';
  readonly code: ExitName & ErrorCode;

  constructor(code: ExitName & ErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(`${message} ${errorTable[code].remedy}`, options);
    this.code = code;
  }
}

/** The row of the table for whatever ended the process. */
export function exitNameOf(error: unknown): ExitName {
  if (error instanceof InvariantViolation) return 'INVARIANT';
  if (error instanceof StartFailure || error instanceof ConfigError) return error.code;
  if (error instanceof JournalRefused || error instanceof BrokerError) return isExitName(error.code) ? error.code : 'INTERNAL';
  if (error instanceof JournalCorrupt) return 'DATA_CORRUPT';
  if (error instanceof StateStoreError) return error.code === 'locked' ? 'DATA_LOCKED' : 'STORAGE_FAILED';
  return error instanceof DiskError ? 'STORAGE_FAILED' : 'INTERNAL';
}

/** What happened and what to do next, for the operator. Errors that give the advice themselves are left as they are. */
export function lastWordsOf(error: unknown): string {
  const what = error instanceof Error ? error.message : inspect(error);
  const name = exitNameOf(error);
  const remedy = Object.hasOwn(errorTable, name) ? errorTable[name as keyof typeof errorTable].remedy : '';
  const [advice = ''] = remedy.toLowerCase().split(/[;,.]/);
  if (what.toLowerCase().includes(advice)) return what;
  return `${what}${/[.!?]$/.test(what) ? '' : '.'} ${remedy}`;
}

const isExitName = (code: string): code is ExitName => Object.hasOwn(exitCodes, code);
