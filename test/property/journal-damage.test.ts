/**
 * One damage anywhere in the files of a journal that was closed, or whose process was killed
 * while it was idle: a flipped bit, a sector of zeros, a file cut short, two files exchanged, one
 * copied over another, one gone, one set back to an earlier time.
 *
 * Opened again the journal holds everything that was acknowledged, or names the groups that lost
 * something (and what: hard state and last index are still known, and what lies outside the named range
 * is still there), or refuses. It never silently holds less, and never anything else.
 */
import { asRaftIndex } from '@balsa/node/core/ids.ts';
import { createMemoryDisk, type MemoryDisk } from '@balsa/node/storage/disk/memory-disk.ts';
import type { RepairableJournal } from '@balsa/node/storage/journal/open.ts';
import { type Frame, JournalRefused, type RecoveredGroup } from '@balsa/node/storage/journal/vocabulary.ts';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { change, command, createModel, folder, hard, noop, open, sameState, start, stateOf } from '../unit/journal/journal-fixture.ts';

type Damage =
  | { readonly kind: 'flip'; readonly file: number; readonly at: number; readonly bit: number }
  | { readonly kind: 'zero-sector'; readonly file: number; readonly at: number }
  | { readonly kind: 'truncate'; readonly file: number; readonly at: number }
  | { readonly kind: 'swap' | 'copy-over'; readonly file: number; readonly other: number }
  | { readonly kind: 'remove'; readonly file: number }
  /** All of the file, or one sector of it, is as it was earlier. */
  | { readonly kind: 'stale'; readonly file: number; readonly at: number; readonly sectorOnly: boolean };

const file = fc.nat({ max: 20 });
/** Anywhere, or (negative) near the end of what is used, where the newest batch is. */
const at = fc.oneof(fc.nat(), fc.integer({ min: -200, max: -1 }));
const damage: fc.Arbitrary<Damage> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('flip' as const), file, at, bit: fc.nat({ max: 7 }) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('zero-sector' as const), file, at }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('truncate' as const), file, at }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('swap' as const, 'copy-over' as const), file, other: file }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('remove' as const), file }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('stale' as const), file, at, sectorOnly: fc.boolean() }) },
);

type Files = ReadonlyMap<string, Uint8Array>;

async function filesOf(disk: MemoryDisk): Promise<Files> {
  return new Map((await disk.list(folder)).map((name) => [name, Uint8Array.from(disk.bytesOf(`${folder}/${name}`))]));
}

async function diskOf(files: Files): Promise<MemoryDisk> {
  const disk = createMemoryDisk();
  await disk.makeFolder(folder);
  for (const [name, bytes] of files) {
    const handle = await disk.openFile(`${folder}/${name}`, 'create');
    await handle.write(0, [bytes]);
    await handle.datasync();
  }
  await disk.syncFolder(folder);
  return disk;
}

const sectorBytes = 512;
/** Damage is aimed at what is used of a file: most of it is zeros, and the last zeros matter little. */
const usedEnd = (bytes: Uint8Array): number => Math.max(1, bytes.findLastIndex((byte) => byte !== 0) + 1);

function damaged(files: Files, earlier: Files, hit: Damage): Files {
  const names = [...files.keys()];
  const name = names[hit.file % names.length]!;
  const result = new Map(files);
  const copy = Uint8Array.from(files.get(name)!);
  const sectorOf = (place: number): number => place - (place % sectorBytes);
  const end = usedEnd(copy);
  const place = 'at' in hit ? (hit.at < 0 ? Math.max(0, end + hit.at) : hit.at % end) : 0;
  if (hit.kind === 'flip') copy[place]! ^= 1 << hit.bit;
  if (hit.kind === 'zero-sector') copy.fill(0, sectorOf(place), sectorOf(place) + sectorBytes);
  if (hit.kind === 'stale') {
    const old = earlier.get(name) ?? new Uint8Array(0);
    if (!hit.sectorOnly) return result.set(name, old);
    copy.set(old.subarray(sectorOf(place), sectorOf(place) + sectorBytes), sectorOf(place));
  }
  result.set(name, hit.kind === 'truncate' ? copy.slice(0, place) : copy);
  if (hit.kind === 'remove') result.delete(name);
  if (hit.kind === 'swap' || hit.kind === 'copy-over') {
    const other = names[hit.other % names.length]!;
    result.set(other, files.get(name)!);
    if (hit.kind === 'swap') result.set(name, files.get(other)!);
  }
  return result;
}

interface Written {
  readonly files: Files;
  /** After about half of the appends. */
  readonly earlier: Files;
  readonly model: ReturnType<typeof createModel>;
}

const text = (index: number, bytes: number): string => `${index}`.padEnd(bytes, '.');

/** Several segments with every kind of frame, cuts, log starts, and batches of one and of many frames. */
function workload(): readonly (readonly Frame[])[] {
  const steps: (readonly Frame[])[] = [
    [start(1, 0, 0), hard(1, 1, 1, 0)],
    [noop(1, 1, 1), change(1, 2, 1)],
  ];
  for (let index = 3; index <= 14; index++)
    steps.push([command(1, index, 1, text(index, 700)), command(2, index - 2, 1, text(index, 300))]);
  steps.push([hard(1, 2, 3, 9)], [command(1, 12, 2, 'cut'), command(1, 13, 2, text(13, 900))], [start(2, 6, 1)], [hard(2, 1, 1, 8)]);
  for (let index = 14; index <= 20; index++)
    steps.push([command(1, index, 2, text(index, 900))], [command(3, index - 13, 1, text(index, 40))]);
  return [...steps, [hard(1, 5, 2, 18)], [command(3, 8, 1, 'last')]];
}

async function write(closes: boolean, reclaims: boolean): Promise<Written> {
  const disk = createMemoryDisk();
  const model = createModel();
  const { journal } = await open(disk);
  let earlier: Files = new Map();
  const steps = workload();
  for (const [place, frames] of steps.entries()) {
    for (const frame of frames) model.apply(frame);
    await journal.append(frames);
    if (place === Math.floor(steps.length / 2)) earlier = await filesOf(disk);
  }
  if (reclaims) {
    const frames = [start(1, 16, 2), start(3, 7, 1)];
    for (const frame of frames) model.apply(frame);
    await journal.append(frames);
    await journal.reclaim(() => Promise.resolve());
  }
  if (closes) await journal.close();
  else await new Promise((resolve) => setImmediate(resolve));
  return { files: await filesOf(disk), earlier, model };
}

/** What is known of a group that lost something. */
async function checkFaulty(journal: RepairableJournal, group: RecoveredGroup, model: Written['model']): Promise<void> {
  const expected = model.group(group.group)!;
  expect(expected, `group ${group.group} was never there`).toBeDefined();
  expect(group.hardState).toEqual(expected.hardState);
  expect(group.last).toBe(expected.entries.at(-1)?.index ?? expected.start.index);
  expect(group.snapshot.index).toBe(expected.start.index);
  const { first, last } = group.faulty!;
  for (const entry of expected.entries) {
    if (entry.index >= first && entry.index <= last) continue;
    const [found] = await journal.read(group, asRaftIndex(entry.index), asRaftIndex(entry.index), 1);
    expect({ index: found?.index, term: found?.term, kind: found?.kind }).toEqual({
      index: entry.index,
      term: entry.term,
      kind: entry.kind,
    });
  }
}

async function check(journal: RepairableJournal, model: Written['model']): Promise<'whole' | 'faulty'> {
  const faulty = journal.groups().filter((group) => group.faulty !== undefined);
  for (const group of faulty) await checkFaulty(journal, group, model);
  const isFaulty = (group: number): boolean => faulty.some((one) => one.group === group);
  const sound = journal.groups().filter((group) => group.faulty === undefined);
  const found = await stateOf({ ...journal, groups: () => sound });
  const expected = new Map([...model.state()].filter(([group]) => !isFaulty(group)));
  if (!sameState(found, expected)) expect(Object.fromEntries(found)).toEqual(Object.fromEntries(expected));
  return faulty.length === 0 ? 'whole' : 'faulty';
}

it.each([
  { closes: true, reclaims: false },
  { closes: false, reclaims: false },
  { closes: true, reclaims: true },
  { closes: false, reclaims: true },
])('one damage is harmless, named or refused (closed: $closes, reclaimed: $reclaims)', async ({ closes, reclaims }) => {
  const { files, earlier, model } = await write(closes, reclaims);
  expect(await check((await open(await diskOf(files))).journal, model)).toBe('whole');
  const seen = { whole: 0, faulty: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(damage, async (hit) => {
      const disk = await diskOf(damaged(files, earlier, hit));
      const opened = await open(disk).catch((error: unknown) => error);
      if (opened instanceof JournalRefused) {
        seen.refused++;
        return;
      }
      if (opened instanceof Error) throw opened;
      const { journal } = opened as Awaited<ReturnType<typeof open>>;
      seen[await check(journal, model)]++;
      await journal.close();
      // What it found is what the next one finds.
      const again = await open(disk);
      await check(again.journal, model);
      await again.journal.close();
    }),
    { numRuns: Number(process.env['FC_RUNS'] ?? 120) },
  );
  // Little is left of a journal that was reclaimed: damage that can be named is rare there.
  expect({ ...seen, faulty: seen.faulty > 0 || reclaims }).toEqual({
    whole: expect.any(Number),
    faulty: true,
    refused: expect.any(Number),
  });
  expect(Math.min(seen.whole, seen.refused)).toBeGreaterThan(0);
});

it('without the watermark a segment that holds something but has no header is no end of the journal', async () => {
  const { files } = await write(true, false);
  const segments = [...files.keys()].filter((name) => name.endsWith('.segment'));
  // The last one is a prepared spare; the one before ends the journal and holds the newest hard state.
  const newest = segments.at(-2)!;
  const garbled = new Map(files).set(newest, new Uint8Array(files.get(newest)!.length).fill(7));
  garbled.delete('watermark');
  await expect(open(await diskOf(garbled))).rejects.toMatchObject({ name: 'JournalRefused', code: 'DATA_CORRUPT' });
});
