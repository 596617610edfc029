/**
 * Chance of a nemesis: numbers from one seed, always the same ones. Pure; the state is small
 * and private, so a stream is passed on by handing over the object.
 *
 * The generator is mulberry32: 32 bits of state, far more than good enough to choose among
 * nodes and times.
 */
import { assert } from '@balsa/node/core/assert.ts';

export interface Chance {
  /** 0 (inclusive) to 1 (exclusive). */
  readonly share: () => number;
  /** A whole number in [0, exclusiveMax). */
  readonly below: (exclusiveMax: number) => number;
  /** A whole number in [from, to], both inclusive. */
  readonly between: (from: number, to: number) => number;
  readonly pick: <Item>(items: readonly Item[]) => Item;
  readonly shuffle: <Item>(items: readonly Item[]) => Item[];
}

const two32 = 2 ** 32;

export function createChance(seed: number): Chance {
  let state = seed >>> 0;
  const share = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / two32;
  };
  const below = (exclusiveMax: number): number => {
    assert(exclusiveMax > 0, 'chance needs something to choose from', { exclusiveMax });
    return Math.floor(share() * exclusiveMax);
  };
  const pick = <Item>(items: readonly Item[]): Item => {
    const item = items[below(items.length)];
    assert(item !== undefined, 'an index below the length is of an item', { items: items.length });
    return item;
  };
  return {
    share,
    below,
    between: (from, to) => from + below(to - from + 1),
    pick,
    shuffle: (items) => {
      const left = [...items];
      return items.map(() => {
        const [item] = left.splice(below(left.length), 1);
        assert(item !== undefined, 'one is left for each');
        return item;
      });
    },
  };
}
