/** Maps of who does not hear whom have the shape that their names promise. */
import { alone, bridged, halves, heardOnly, muted, ringed, together } from '@balsa/chaos/nemesis/ways.ts';
import type { Way } from '@balsa/chaos/nemesis/paths.ts';
import { describe, expect, test } from 'vitest';

const three = [1, 2, 3];
const five = [1, 2, 3, 4, 5];

const hears = (ways: readonly Way[], all: readonly number[], node: number): readonly number[] =>
  all.filter((other) => other === node || !ways.some(({ from, to }) => from === other && to === node));
const heardBy = (ways: readonly Way[], all: readonly number[]): readonly (readonly number[])[] => all.map((node) => hears(ways, all, node));

test('an isolated node hears nobody and is heard by nobody', () => {
  expect(heardBy(alone(three, [2]), three)).toEqual([[1, 3], [2], [1, 3]]);
});

test('isolated nodes do not hear each other either; no way is named twice', () => {
  const ways = alone(three, three);
  expect(heardBy(ways, three)).toEqual([[1], [2], [3]]);
  expect(ways.length).toBe(6);
});

test('nodes that are kept together hear each other', () => {
  expect(heardBy(together(five, [2, 4]), five)).toEqual([
    [1, 3, 5],
    [2, 4],
    [1, 3, 5],
    [2, 4],
    [1, 3, 5],
  ]);
});

test('the target is in the smaller half', () => {
  expect(heardBy(halves(five, [3]), five)).toEqual([
    [1, 3],
    [2, 4, 5],
    [1, 3],
    [2, 4, 5],
    [2, 4, 5],
  ]);
});

test('mute and deaf are one way', () => {
  expect(heardBy(muted(three, [1]), three)).toEqual([
    [1, 2, 3],
    [2, 3],
    [2, 3],
  ]);
  expect(heardBy(heardOnly(three, [1]), three)).toEqual([[1], [1, 2, 3], [1, 2, 3]]);
});

test('a bridge is heard by both halves, which do not hear each other', () => {
  expect(heardBy(bridged(five, 3), five)).toEqual([
    [1, 2, 3],
    [1, 2, 3],
    [1, 2, 3, 4, 5],
    [3, 4, 5],
    [3, 4, 5],
  ]);
});

describe.each([3, 4, 5, 7])('in a ring of %i', (count) => {
  const all = Array.from({ length: count }, (_, i) => i + 1);
  const heard = heardBy(ringed(all), all);

  test('everybody hears a majority', () => {
    expect(new Set(heard.map((nodes) => nodes.length))).toEqual(new Set([Math.floor(count / 2) + 1]));
  });

  test('no two hear the same one', () => {
    expect(new Set(heard.map(String)).size).toBe(count);
  });
});
