/** Damage to whole segments of a stopped node: files that are not what their names say, old, or gone. */
import { copyFileSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { absent, contentOf } from './content.ts';
import { type Chance, type Damage, damaged, NothingToDamage, pick } from './damage.ts';
import { type SegmentPath, usedSegments } from './segments.ts';

/** Chosen by how much is in it, as chance would on a disk. */
export function pickSegment(dataDir: string, random: Chance): string {
  const segments = usedSegments(dataDir);
  let place = random.below(
    Math.max(
      1,
      segments.reduce((sum, { usedBytes }) => sum + usedBytes, 0),
    ),
  );
  for (const { file, usedBytes } of segments) {
    if (place < usedBytes) return file;
    place -= usedBytes;
  }
  throw new NothingToDamage(`the journal in ${dataDir} is empty`);
}

/** Two segments change places; one proof for each. */
export function swapSegments(dataDir: string, random: Chance): readonly [Damage, Damage] {
  const [one, other] = pickTwo(dataDir, random);
  const before = [contentOf(one), contentOf(other)] as const;
  const aside = `${one}.swap`;
  renameSync(one, aside);
  renameSync(other, one);
  renameSync(aside, other);
  return [
    { kind: 'swapped', path: one, before: before[0], after: contentOf(one) },
    { kind: 'swapped', path: other, before: before[1], after: contentOf(other) },
  ];
}

/** One segment is a copy of another. */
export function duplicateSegment(dataDir: string, random: Chance): Damage {
  const [source, target] = pickTwo(dataDir, random);
  return damaged('duplicated', target, () => copyFileSync(source, target));
}

/** One segment is as it was when the backup was made. */
export function staleSegment(dataDir: string, backupDir: string, random: Chance): Damage {
  const older = new Map(usedSegments(backupDir).map(({ sequence, file }) => [sequence, file]));
  const choices = usedSegments(dataDir).flatMap(({ sequence, file }) => {
    const old = older.get(sequence);
    return old === undefined || contentOf(old) === contentOf(file) ? [] : [{ file, old }];
  });
  const { file, old } = pick(random, choices, `no segment in ${dataDir} that has changed since ${backupDir}`);
  return damaged('stale', file, () => copyFileSync(old, file));
}

export function deleteSegment(dataDir: string, random: Chance): Damage {
  return deleteFile(pickSegment(dataDir, random));
}

export function deleteFile(file: string): Damage {
  if (contentOf(file) === absent) throw new NothingToDamage(`there is no ${file}`);
  return damaged('deleted', file, () => rmSync(file));
}

function pickTwo(dataDir: string, random: Chance): readonly [string, string] {
  const segments = usedSegments(dataDir);
  const few = `only one used segment in ${path.join(dataDir, 'journal')}: write more, or choose smaller segments`;
  const one: SegmentPath = pick(random, segments.length < 2 ? [] : segments, few);
  const other = pick(
    random,
    segments.filter((segment) => segment !== one),
    few,
  );
  return [one.file, other.file];
}
