/** Errors that may end a call of a client whose cluster has troubles, and none that would blame the client or the data. */
import { BalsaError } from '@balsa/client';
import { SimFailure } from '../../sim/checks/sim-failure.ts';

const honestCodes: readonly string[] = [
  'TIMEOUT',
  'CONNECTION_LOST',
  'LEADER_CHANGED',
  'LEADER_NOT_AVAILABLE',
  'NOT_LEADER',
  'NOT_READY',
  'SHUTTING_DOWN',
  'OVERLOADED',
];

/** The error if it is one of those, or of `expected`; fails the run otherwise. */
export function honest(what: string, error: unknown, expected: readonly string[] = []): BalsaError {
  if (error instanceof BalsaError && (honestCodes.includes(error.code) || expected.includes(error.code))) return error;
  if (error instanceof SimFailure) throw error;
  throw new SimFailure('errors are honest', `${what}: ${error instanceof Error ? error.stack : String(error)}`);
}
