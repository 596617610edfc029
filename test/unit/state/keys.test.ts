/** Keys order bytewise as their parts order, and give their parts back. */
import { asGroupId } from '@balsa/node/core/ids.ts';
import {
  compareKeys,
  decodePosition,
  decodeReplicaKey,
  encodeGroupKey,
  encodePositionKey,
  encodeReplicaKey,
  prefixEnd,
  prefixRange,
} from '@balsa/node/storage/state/keys.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const u32 = fc.oneof(fc.nat({ max: 300 }), fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.constantFrom(2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1));
const position = fc.oneof(fc.nat({ max: 300 }), fc.maxSafeNat(), fc.constantFrom(2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER));
const parts = fc.tuple(u32, u32, position);
const keyOf = ([group, generation, at]: readonly [number, number, number]): Uint8Array =>
  encodePositionKey({ group: asGroupId(group), generation }, at);

describe('keys', () => {
  it('order like their parts', () => {
    fc.assert(
      fc.property(parts, parts, (a, b) => {
        const expected = a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
        expect(Math.sign(compareKeys(keyOf(a), keyOf(b)))).toBe(Math.sign(expected));
        expect(Math.sign(compareKeys(keyOf(a), keyOf(b)))).toBe(Buffer.compare(keyOf(a), keyOf(b)));
      }),
      { numRuns: 2000 },
    );
  });

  it('give their parts back', () => {
    fc.assert(
      fc.property(parts, (a) => {
        const key = keyOf(a);
        expect([decodeReplicaKey(key).group, decodeReplicaKey(key).generation, decodePosition(key)]).toEqual(a);
      }),
    );
  });

  it('range over exactly what starts with the prefix', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 3 }), fc.uint8Array({ maxLength: 5 }), (prefix, key) => {
        fc.pre(prefix.some((byte) => byte !== 0xff));
        const { from, to } = prefixRange(prefix);
        const inside = compareKeys(from, key) <= 0 && compareKeys(key, to) < 0;
        expect(inside).toBe(prefix.every((byte, at) => key[at] === byte));
      }),
      { numRuns: 2000 },
    );
  });

  it('keep a group and a replica together', () => {
    const { from, to } = prefixRange(encodeGroupKey(asGroupId(255)));
    for (const [group, inside] of [
      [254, false],
      [255, true],
      [256, false],
    ] as const) {
      const key = keyOf([group, 2 ** 32 - 1, Number.MAX_SAFE_INTEGER]);
      expect(compareKeys(from, key) <= 0 && compareKeys(key, to) < 0).toBe(inside);
    }
    expect(keyOf([1, 2, 3]).subarray(0, 8)).toEqual(encodeReplicaKey({ group: asGroupId(1), generation: 2 }));
  });

  it('refuse parts that do not fit, and prefixes without an end', () => {
    expect(() => keyOf([2 ** 32, 0, 0])).toThrow('does not fit');
    expect(() => keyOf([0, -1, 0])).toThrow('does not fit');
    expect(() => keyOf([0, 0, 2 ** 53])).toThrow('does not fit');
    expect(() => keyOf([0, 0, -1])).toThrow('does not fit');
    expect(() => decodePosition(new Uint8Array(15))).toThrow('not a position key');
    expect(() => prefixEnd(Uint8Array.of(0xff, 0xff))).toThrow('nothing sorts above');
  });
});
