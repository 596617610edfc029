/** The chance of a nemesis: repeatable, within bounds, and fair enough. */
import { createChance } from '@balsa/chaos/nemesis/chance.ts';
import { expect, test } from 'vitest';

test('the same seed gives the same numbers, another one others', () => {
  const drawn = (seed: number): readonly number[] => {
    const chance = createChance(seed);
    return Array.from({ length: 20 }, () => chance.below(1000));
  };
  expect(drawn(7)).toEqual(drawn(7));
  expect(drawn(7)).not.toEqual(drawn(8));
});

test('bounds are kept and reached', () => {
  const chance = createChance(1);
  const drawn = Array.from({ length: 1000 }, () => chance.between(2, 5));
  expect([...new Set(drawn)].toSorted((a, b) => a - b)).toEqual([2, 3, 4, 5]);
});

test('every item comes about as often as another', () => {
  const chance = createChance(3);
  const counts = [0, 0, 0];
  for (let i = 0; i < 3000; i += 1) counts[chance.pick([0, 1, 2])]! += 1;
  for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(120);
});

test('a shuffle keeps all items, and nothing of the list that it was given', () => {
  const items = [1, 2, 3, 4, 5];
  expect(
    createChance(9)
      .shuffle(items)
      .toSorted((a, b) => a - b),
  ).toEqual(items);
  expect(items).toEqual([1, 2, 3, 4, 5]);
});
