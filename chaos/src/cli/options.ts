/** Options that several commands share, and how they are read. */
import path from 'node:path';
import { InvalidArgumentError } from 'commander';

export interface RunOptions {
  readonly seed?: number;
  readonly repeats?: number;
  readonly out?: string;
  readonly keepData?: boolean;
  readonly report: boolean;
}

export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (Number.isSafeInteger(value) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`expected a whole number from ${min} to ${max}`);
  };
}

export const seedMax = 0xffff_ffff;

/** Where records of runs go if nobody says otherwise. */
const recordsFolder = path.join('.balsa', 'chaos');

/** `.balsa/chaos/kill-leader-20260131-235959` */
export function recordFolder(name: string, now: Date): string {
  const stamp = now.toISOString().replaceAll(/[-:]/g, '').replace('T', '-').slice(0, 15);
  return path.join(recordsFolder, `${name}-${stamp}`);
}
