import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkPerKey, isClean } from '../../../chaos/src/history/per-key-check.ts';
import type { Fate, ReadRecord, SentRecord } from '../../../chaos/src/history/per-key-check.ts';

const sent = (key: string, ...fates: readonly Fate[]): SentRecord[] => fates.map((fate, sequence) => ({ key, sequence, fate }));
const read = (partition: number, key: string, ...sequences: readonly number[]): ReadRecord[] =>
  sequences.map((sequence) => ({ partition, key, sequence }));

describe('per-key check', () => {
  test('a complete history in order is clean', () => {
    const verdict = checkPerKey(
      [...sent('a', 'acked', 'acked'), ...sent('b', 'acked')],
      [...read(0, 'a', 0), ...read(0, 'b', 0), ...read(0, 'a', 1)],
    );
    expect(verdict).toMatchObject({ sent: 3, acked: 3, read: 3, findings: [] });
    expect(isClean(verdict)).toBe(true);
  });

  test('an acknowledged record that is missing is lost, wherever it is missing', () => {
    for (const gone of [0, 1, 2]) {
      const verdict = checkPerKey(sent('a', 'acked', 'acked', 'acked'), read(0, 'a', ...[0, 1, 2].filter((n) => n !== gone)));
      expect(verdict).toMatchObject({
        lost: 1,
        duplicated: 0,
        reordered: 0,
        phantom: 0,
        findings: [{ kind: 'lost', key: 'a', sequence: gone }],
      });
    }
  });

  test('a key of which nothing was read has lost everything', () => {
    expect(checkPerKey(sent('a', 'acked', 'acked'), [])).toMatchObject({ lost: 2 });
  });

  test('every extra copy is duplicated, and only that', () => {
    expect(checkPerKey(sent('a', 'acked', 'acked'), read(0, 'a', 0, 1, 0, 1, 0))).toMatchObject({ lost: 0, duplicated: 3, reordered: 0 });
    expect(checkPerKey(sent('a', 'acked'), read(0, 'a', 0, 0))).toMatchObject({ duplicated: 1, reordered: 0 });
  });

  test('a record behind a later one of its key is reordered', () => {
    expect(checkPerKey(sent('a', 'acked', 'acked', 'acked'), read(0, 'a', 0, 2, 1))).toMatchObject({
      lost: 0,
      duplicated: 0,
      reordered: 1,
      findings: [{ kind: 'reordered', key: 'a', sequence: 1 }],
    });
  });

  test('every record behind the highest is reordered, not only the first', () => {
    expect(checkPerKey(sent('a', 'acked', 'acked', 'acked', 'acked'), read(0, 'a', 0, 3, 1, 2))).toMatchObject({ reordered: 2, lost: 0 });
  });

  test('a key that moved to another partition is reordered: nothing orders two partitions', () => {
    expect(checkPerKey(sent('a', 'acked', 'acked'), [...read(0, 'a', 0), ...read(1, 'a', 1)])).toMatchObject({ reordered: 1 });
  });

  test('other keys and partitions between the records of a key do not matter', () => {
    const history = [...read(0, 'a', 0), ...read(1, 'b', 0, 1), ...read(0, 'a', 1)];
    expect(isClean(checkPerKey([...sent('a', 'acked', 'acked'), ...sent('b', 'acked', 'acked')], history))).toBe(true);
  });

  test('a record of unknown fate may be there or not, but not twice and not out of order', () => {
    const records = sent('a', 'acked', 'unknown', 'acked');
    expect(isClean(checkPerKey(records, read(0, 'a', 0, 2)))).toBe(true);
    expect(isClean(checkPerKey(records, read(0, 'a', 0, 1, 2)))).toBe(true);
    expect(checkPerKey(records, read(0, 'a', 0, 2, 1))).toMatchObject({ reordered: 1 });
    expect(checkPerKey(records, read(0, 'a', 0, 1, 1, 2))).toMatchObject({ duplicated: 1 });
  });

  test('a record that was refused, or never sent, is a phantom', () => {
    expect(checkPerKey(sent('a', 'acked', 'refused'), read(0, 'a', 0, 1))).toMatchObject({ phantom: 1 });
    expect(checkPerKey(sent('a', 'acked'), read(0, 'a', 0, 7))).toMatchObject({ phantom: 1 });
    expect(checkPerKey([], read(0, 'b', 0))).toMatchObject({ phantom: 1 });
  });

  test('the counts go on when the list of findings is full', () => {
    const verdict = checkPerKey(sent('a', ...Array.from({ length: 100 }, () => 'acked' as const)), []);
    expect(verdict.lost).toBe(100);
    expect(verdict.findings.length).toBe(20);
  });

  // Damage that is built on purpose must be found in exactly the amount that was done.
  test('any single damage to any clean history is found', () => {
    const histories = fc.array(fc.integer({ min: 2, max: 8 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(histories, fc.nat(), fc.constantFrom('drop', 'copy', 'swap'), (lengths, at, damage) => {
        const records = lengths.flatMap((length, k) => sent(`k${k}`, ...Array.from({ length }, () => 'acked' as const)));
        const log = lengths.flatMap((length, k) => read(k % 2, `k${k}`, ...Array.from({ length }, (_, n) => n)));
        expect(isClean(checkPerKey(records, log))).toBe(true);
        const i = at % log.length;
        const expected = { lost: 0, duplicated: 0, reordered: 0, phantom: 0 };
        if (damage === 'drop') {
          log.splice(i, 1);
          expected.lost = 1;
        } else if (damage === 'copy') {
          log.push(log[i]!);
          expected.duplicated = 1;
        } else {
          const key = log[i]!.key;
          const own = log.flatMap((record, n) => (record.key === key ? [n] : []));
          const [a, b] = [own[0]!, own[1]!];
          [log[a], log[b]] = [log[b]!, log[a]!];
          expected.reordered = 1;
        }
        expect(checkPerKey(records, log)).toMatchObject(expected);
      }),
    );
  });
});
