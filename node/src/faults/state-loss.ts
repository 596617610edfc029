/**
 * What a power failure takes of the state store's folder, from outside of RocksDB.
 *
 *   keep      nothing: it stays as the operating system has it
 *   unsynced  its newest log, which RocksDB does not sync: the batches since the last flush,
 *             or, torn, a suffix of them. Older logs may be needed and may have been synced.
 *   all       the whole folder, as if it had been damaged: it is made again from the journal
 *
 * RocksDB itself still runs meanwhile, but is not written to any more (power.ts).
 */
import { existsSync, readdirSync, renameSync, rmSync, statSync, truncateSync } from 'node:fs';
import path from 'node:path';
import type { Random } from '../ports/random.ts';
import type { Loss } from './command.ts';
import { newSpare } from './name-log.ts';

/** Returns the bytes that are gone. Synchronous. */
export function loseState(folder: string, { state, torn }: Loss, random: Random): number {
  if (state === 'keep' || !existsSync(folder)) return 0;
  const names = readdirSync(folder);
  if (state === 'unsynced') return truncateLog(folder, names, torn !== false, random);
  const bytes = names.reduce((sum, name) => sum + statSync(path.join(folder, name)).size, 0);
  const aside = newSpare(folder, random);
  renameSync(folder, aside);
  rmSync(aside, { recursive: true });
  return bytes;
}

function truncateLog(folder: string, names: readonly string[], torn: boolean, random: Random): number {
  const newest = names
    .filter((name) => /^\d+\.log$/.test(name))
    .toSorted((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10))
    .at(-1);
  if (newest === undefined) return 0;
  const file = path.join(folder, newest);
  const { size } = statSync(file);
  const kept = torn ? random.below(size + 1) : 0;
  truncateSync(file, kept);
  return size - kept;
}
