/** Names and addresses that no other run has. */
import { freshPrefix, freshSubnet } from '@balsa/chaos/netns/names.ts';
import fc from 'fast-check';
import { expect, test } from 'vitest';

/** Draws these numbers, each cut to what is asked for, then zeros. */
const drawn = (numbers: readonly number[]) => {
  let i = 0;
  return (exclusiveMax: number): number => (numbers[i++] ?? 0) % exclusiveMax;
};

test('a prefix is an interface name, and tells runs apart', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(), { minLength: 5, maxLength: 5 }), (numbers) => {
      expect(freshPrefix(drawn(numbers))).toMatch(/^balsa-[0-9a-z]{5}$/);
    }),
  );
  expect(freshPrefix(drawn([1, 2, 3, 4, 5]))).not.toBe(freshPrefix(drawn([1, 2, 3, 4, 6])));
});

test('a subnet lies in the range for tests of networks, and the harness is none of its nodes', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(), { maxLength: 2 }), (numbers) => {
      const { node, harness } = freshSubnet(drawn(numbers), []);
      const all = [...Array.from({ length: 9 }, (_, i) => node(i + 1)), harness];
      expect(new Set(all).size).toBe(10);
      for (const address of all) expect(address).toMatch(/^198\.(18|19)\.\d{1,3}\.\d{1,3}$/);
      expect(new Set(all.map((address) => address.replace(/\.\d+$/, ''))).size).toBe(1);
    }),
  );
});

test('a subnet that an interface is in is passed over; when all are, it says so', () => {
  expect(freshSubnet(drawn([0, 7, 1, 8]), ['127.0.0.1', '198.18.7.254']).harness).toBe('198.19.8.254');
  expect(freshSubnet(drawn([0, 7]), ['198.18.70.254']).harness).toBe('198.18.7.254');
  expect(() => freshSubnet(drawn([]), ['198.18.0.1'])).toThrow('no free network');
});
