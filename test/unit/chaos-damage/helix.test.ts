/** All nodes are damaged, no entry on two of them, and what one has lost another one has. */
import { readFileSync } from 'node:fs';
import { takeBackup } from '@balsa/chaos/damage/folder-damage.ts';
import { damageInHelix } from '@balsa/chaos/damage/helix.ts';
import { entryKey, readJournalEntries } from '@balsa/chaos/damage/journal-entries.ts';
import { asRaftIndex } from '@balsa/node/core/ids.ts';
import type { Frame } from '@balsa/node/storage/journal/vocabulary.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { command, hard, key, noop, removed, start } from '../journal/journal-fixture.ts';
import { dataFolder, freshPath, removeAll, seeded, withJournal } from './data-folder.ts';

const last = 40;
const commit = 36;
const nodes = [0, 1, 2];
const text = (group: number, index: number): string => `<${group}/${index}>`.padEnd(150 + 13 * (index % 7), '.');

/** The same two groups in every journal, in other batches and order on each, and with something of its own between. */
function journalOf(node: number): readonly (readonly Frame[])[] {
  const frames: Frame[] = [start(1, 0, 0), start(2, 4, 1)];
  for (let index = 1; index <= last; index += 1) {
    if (node > 0) frames.push(command(3 + node, index, 1, 'of this node alone'));
    frames.push(command(1, index, 1, text(1, index)));
    if (index > 4) frames.push(index % 10 === 0 ? noop(2, index, 1) : command(2, index, 1, text(2, index)));
  }
  for (const group of [1, 2]) frames.push(hard(group, 1, 1, commit));
  const batches: Frame[][] = [];
  const sizes = [5, 3, 7].map((size) => size - node);
  for (let at = 0; at < frames.length; ) {
    const size = sizes[batches.length % sizes.length]!;
    batches.push(frames.slice(at, at + size));
    at += size;
  }
  return batches;
}

let pristine: readonly string[];
beforeAll(async () => {
  pristine = await Promise.all(nodes.map((node) => dataFolder(node + 1, journalOf(node))));
});
afterAll(removeAll);

function copies(): readonly string[] {
  return pristine.map((dataDir, node) => {
    const copy = freshPath(`node-${node + 1}`);
    takeBackup(dataDir, copy);
    return copy;
  });
}

/** What a node gives back: entry by entry, undefined where it says that it is damaged. */
async function readBack(dataDir: string, node: number, group: number): Promise<ReadonlyMap<number, string | undefined>> {
  return await withJournal(dataDir, node + 1, async (journal) => {
    const found = new Map<number, string | undefined>();
    const recovered = journal.groups().find((each) => each.group === group)!;
    for (let index = recovered.first as number; index <= recovered.last; index += 1) {
      const one = await journal.read(key(group), asRaftIndex(index), asRaftIndex(index), 1).catch(() => undefined);
      const payload = one?.[0]?.kind === 'command' ? Buffer.from(one[0].payload).toString() : one?.[0]?.kind;
      found.set(index, payload);
    }
    return found;
  });
}

describe('entries of a journal', () => {
  test('are found where their payloads lie, with what is committed', () => {
    const { entries, committed, starts } = readJournalEntries(pristine[0]!);
    expect([committed.get('1/1'), committed.get('2/1'), starts.get('1/1'), starts.get('2/1')]).toEqual([commit, commit, 0, 4]);
    // Of group 2: without what is before its log start, and without noops, which have no payload.
    expect(entries.size).toBe(last + (last - 4 - last / 10));
    for (const [name, { group, index, file, position, bytes }] of entries) {
      expect(name).toBe(entryKey(group, index));
      const payload = readFileSync(file)
        .subarray(position, position + bytes)
        .toString();
      expect(payload).toBe(text(Number(group.split('/')[0]), index));
    }
  });

  test('the last copy counts; a removed group has none, nor has what lies before a log start', async () => {
    const again = [command(1, 2, 2, 'written again'), command(2, 1, 1, 'gone'), hard(2, 1, 1, 1), hard(1, 2, 1, 2), removed(2)];
    const snapshot = [start(3, 0, 0), ...[1, 2, 3].map((index) => command(3, index, 1, `of group 3: ${index}`)), start(3, 2, 1)];
    const dataDir = await dataFolder(1, [[start(1, 0, 0), command(1, 1, 1, 'one'), command(1, 2, 1, 'two')], again, snapshot]);
    const { entries, committed, starts } = readJournalEntries(dataDir);
    expect([...entries.keys()]).toEqual(['1/1/1', '1/1/2', '3/1/3']);
    expect([...starts]).toEqual([
      ['1/1', 0],
      ['3/1', 2],
    ]);
    const { file, position, bytes } = entries.get('1/1/2')!;
    expect(
      readFileSync(file)
        .subarray(position, position + bytes)
        .toString(),
    ).toBe('written again');
    expect([...committed]).toEqual([['1/1', 2]]);
  });
});

describe('helix', () => {
  test.each([1, 2, 3, 4, 5])('seed %d: every node has lost something, and of everything two copies are whole', async (seed) => {
    const dataDirs = copies();
    const damages = damageInHelix(dataDirs, { random: seeded(seed), hitsPerNode: 6 });
    expect(nodes.map((node) => damages.filter((damage) => damage.node === node).length)).toEqual([6, 6, 6]);
    expect(new Set(damages.map(({ group, index }) => `${group}/${index}`)).size).toBe(damages.length);
    expect(damages.every(({ group, index }) => ['1/1', '2/1'].includes(group) && index <= commit)).toBe(true);
    for (const group of [1, 2]) {
      const answers = await Promise.all(nodes.map((node) => readBack(dataDirs[node]!, node, group)));
      for (const index of answers[0]!.keys()) {
        const expected = group === 2 && index % 10 === 0 ? 'noop' : text(group, index);
        const struck = damages.find((damage) => damage.group === `${group}/1` && damage.index === index)?.node;
        expect(answers.map((answer) => answer.get(index))).toEqual(nodes.map((node) => (node === struck ? undefined : expected)));
      }
    }
  });

  test('proofs say where, and the same seed strikes there again', () => {
    const [one, other] = [copies(), copies()];
    const [first, again] = [one, other].map((dataDirs) => damageInHelix(dataDirs, { random: seeded(7), hitsPerNode: 2 }));
    for (const { path, position, before, after } of first!) {
      const now = readFileSync(path).subarray(position, position! + 1);
      const old = readFileSync(
        path.replace(one.find((dir) => path.startsWith(dir))!, pristine[one.findIndex((dir) => path.startsWith(dir))]!),
      );
      expect([now.toString('hex'), old.subarray(position, position! + 1).toString('hex')]).toEqual([after, before]);
    }
    const places = (damages: typeof first) => damages!.map(({ node, group, index, position }) => ({ node, group, index, position }));
    expect(places(again)).toEqual(places(first));
  });

  test('what no other node knows to be committed is left alone, even if that leaves nothing', async () => {
    const uncommitted = (node: number) => [[start(1, 0, 0), hard(1, 1, 1, 0), ...nodes.map((i) => command(1, i + 1, 1, `of ${node}`))]];
    const dataDirs = await Promise.all(nodes.map((node) => dataFolder(node + 1, uncommitted(node))));
    expect(() => damageInHelix(dataDirs, { random: seeded(1), hitsPerNode: 1, stripeEntries: 1 })).toThrow('no committed entry');
  });

  test('asks for more than there is: takes what there is', () => {
    const damages = damageInHelix(copies(), { random: seeded(1), hitsPerNode: 1_000 });
    expect(damages.length).toBeGreaterThan(50);
    expect(new Set(damages.map(({ group, index }) => `${group}/${index}`)).size).toBe(damages.length);
  });
});
