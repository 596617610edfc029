/**
 * What the exit code of `balsa` means. Scripts depend on it, so the numbers never change.
 * The table is printed by `balsa --help` and is checked against the error table of the brokers.
 */
import type { ErrorCode } from '@balsa/proto/errors';

export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  unavailable: 3,
  notFound: 4,
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

export const exitCodeMeanings: readonly (readonly [ExitCode, string])[] = [
  [exitCodes.ok, 'done'],
  [exitCodes.failed, 'the operation was refused or failed'],
  [exitCodes.usage, 'the command line or an argument is not valid; nothing was done'],
  [exitCodes.unavailable, 'no broker answered, no leader, or no decision in time: try again'],
  [exitCodes.notFound, 'the topic, partition or raft group does not exist'],
  [exitCodes.interrupted, 'interrupted by Ctrl-C or a signal'],
];

/** Exit codes of the error codes that are neither "failed" nor retriable. */
const exceptions: Partial<Record<ErrorCode, ExitCode>> = {
  UNKNOWN_TOPIC: exitCodes.notFound,
  UNKNOWN_PARTITION: exitCodes.notFound,
  UNKNOWN_GROUP: exitCodes.notFound,
  INVALID_TOPIC_NAME: exitCodes.usage,
  INVALID_PARTITIONS: exitCodes.usage,
  INVALID_REPLICATION: exitCodes.usage,
  INVALID_CONFIG: exitCodes.usage,
  INVALID_TARGET: exitCodes.usage,
  INVALID_REQUEST: exitCodes.usage,
  CONFIG_INVALID: exitCodes.usage,
  INTERNAL: exitCodes.failed,
  ABORTED: exitCodes.interrupted,
};

/** Exit code for an error code of the API; codes that are worth a retry mean "unavailable". */
export function exitCodeOf(code: string, retriable: boolean): ExitCode {
  const exception = Object.hasOwn(exceptions, code) ? exceptions[code as ErrorCode] : undefined;
  return exception ?? (retriable ? exitCodes.unavailable : exitCodes.failed);
}
