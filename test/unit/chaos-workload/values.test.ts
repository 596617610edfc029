/** Values that name themselves. */
import { fingerprint, makeValue, valueId } from '@balsa/chaos/workload/values.ts';
import fc from 'fast-check';
import { expect, test } from 'vitest';

const ids = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });

test('a value tells its id, and has the size that was asked for if its name fits', () => {
  fc.assert(
    fc.property(ids, fc.integer({ min: 0, max: 600 }), (id, size) => {
      const { bytes } = makeValue(id, size);
      expect(valueId(bytes)).toBe(id);
      expect(bytes.length).toBe(Math.max(size, `${id}:`.length));
    }),
  );
});

test('a value of somebody else is refused', () => {
  for (const text of ['', ':', 'x', '12', '1x:', 'hello: world'])
    expect(() => valueId(new TextEncoder().encode(text)), text).toThrow('without its name');
});

test('the fingerprint is about key, value and time', () => {
  const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
  const prints = [
    fingerprint(null, bytes(1, 2), 1000),
    fingerprint(bytes(), bytes(1, 2), 1000),
    fingerprint(bytes(1), bytes(2), 1000),
    fingerprint(null, bytes(2, 1), 1000),
    fingerprint(null, bytes(1, 2), 1001),
    fingerprint(null, bytes(1, 2, 0), 1000),
  ];
  expect(new Set(prints).size).toBe(prints.length);
  expect(fingerprint(null, bytes(1, 2), 1000)).toBe(prints[0]);
});
