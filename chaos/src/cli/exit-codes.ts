/** What the exit code of `balsa chaos` means. Scripts depend on it: the numbers never change. */
import type { Result } from '../record/run-record.ts';

export const exitCodes = { pass: 0, fail: 1, usage: 2, vacuous: 3, unavailable: 4, interrupted: 130 } as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

export const exitCodeMeanings: readonly (readonly [ExitCode, string])[] = [
  [exitCodes.pass, 'every promise was kept, and the faults had their effect'],
  [exitCodes.fail, 'a promise was broken: an anomaly, or a broker that ended by itself'],
  [exitCodes.usage, 'the command line, a scenario or a file is not valid; nothing was done'],
  [exitCodes.vacuous, 'the run proves nothing: too few operations, or a fault without effect'],
  [exitCodes.unavailable, 'every promise of safety was kept, but a bar on availability was missed'],
  [exitCodes.interrupted, 'interrupted by Ctrl-C or a signal; brokers, faults and folders are gone'],
];

export const exitCodeOf = (result: Result): ExitCode => exitCodes[result];

/** The worst of several runs. */
export function worstOf(results: readonly Result[]): Result {
  const order: readonly Result[] = ['fail', 'vacuous', 'unavailable'];
  return order.find((result) => results.includes(result)) ?? 'pass';
}
