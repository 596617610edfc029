/**
 * One bit of a file turned over behind the back of a running broker: it is on the disk,
 * and nothing tells the broker.
 *
 * Only bytes that are synced are struck (an unsynced one may be written again), and unless
 * the position is given only such that are not zero: empty space proves nothing.
 */
import { closeSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import type { Random } from '../ports/random.ts';
import type { BitFlipCommand } from './command.ts';

export interface FlippedBit {
  readonly file: string;
  readonly position: number;
  readonly before: number;
  readonly after: number;
}

/** There is no such byte. */
export class NothingToFlip extends Error {
  override readonly name: string = 'NothingToFlip';
}

const triesMax = 1_000;

export function flipBit(
  folder: string,
  command: BitFlipCommand,
  random: Random,
  isUnsyncedAt: (file: string, position: number) => boolean,
): FlippedBit {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => path.join(parentPath, name))
    .filter((file) => path.relative(folder, file).includes(command.files))
    .toSorted();
  if (files.length === 0) throw new NothingToFlip(`no file below ${folder} has "${command.files}" in its path`);
  for (const file of shuffled(files, random)) {
    const bytes = readFileSync(file);
    const position = choose(bytes, command, random, (at) => isUnsyncedAt(file, at));
    if (position !== undefined) return flipAt(file, bytes, position, random);
  }
  throw new NothingToFlip(`no synced byte of ${files.length} files below ${folder} is as the command wants it`);
}

function choose(
  bytes: Buffer,
  { position, contains }: BitFlipCommand,
  random: Random,
  isUnsynced: (at: number) => boolean,
): number | undefined {
  const isWanted = (at: number): boolean => at >= 0 && at < bytes.length && !isUnsynced(at);
  const wanted = position ?? (contains === undefined ? undefined : bytes.indexOf(contains));
  if (wanted !== undefined) return isWanted(wanted) ? wanted : undefined;
  const end = bytes.findLastIndex((byte) => byte !== 0) + 1;
  for (let tries = 0; tries < triesMax && end > 0; tries++) {
    const at = random.below(end);
    if (bytes[at] !== 0 && isWanted(at)) return at;
  }
  return undefined;
}

function flipAt(file: string, bytes: Buffer, position: number, random: Random): FlippedBit {
  const before = bytes[position] ?? 0;
  const after = before ^ (1 << random.below(8));
  const descriptor = openSync(file, 'r+');
  try {
    writeSync(descriptor, Uint8Array.of(after), 0, 1, position);
  } finally {
    closeSync(descriptor);
  }
  return { file, position, before, after };
}

function shuffled<T>(items: readonly T[], random: Random): readonly T[] {
  const left = [...items];
  return items.flatMap(() => left.splice(random.below(left.length), 1));
}
