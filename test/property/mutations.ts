/** Single changes of bytes, as disks, networks and bugs make them, and what a reader may do with the result. */
import fc from 'fast-check';
import { expect } from 'vitest';

export type Mutation =
  | { readonly kind: 'flip'; readonly at: number; readonly bit: number }
  | { readonly kind: 'truncate'; readonly at: number }
  | { readonly kind: 'insert'; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: 'remove'; readonly at: number; readonly count: number }
  /** The beginning of one encoding and the end of another. */
  | { readonly kind: 'splice'; readonly at: number; readonly otherAt: number }
  /** A number field is set to an extreme. */
  | { readonly kind: 'field'; readonly at: number; readonly bytes: Uint8Array };

const at = fc.nat();
const extremes = [1, 2, 4, 8].flatMap((width) => {
  const all = (byte: number): Uint8Array => new Uint8Array(width).fill(byte);
  return [all(0), all(0xff), Uint8Array.of(0x7f, ...all(0xff).subarray(1)), Uint8Array.of(...all(0xff).subarray(1), 0x7f), all(0x80)];
});

export const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.record({ kind: fc.constant('flip' as const), at, bit: fc.nat({ max: 7 }) }),
  fc.record({ kind: fc.constant('truncate' as const), at }),
  fc.record({ kind: fc.constant('insert' as const), at, bytes: fc.uint8Array({ minLength: 1, maxLength: 9 }) }),
  fc.record({ kind: fc.constant('remove' as const), at, count: fc.integer({ min: 1, max: 9 }) }),
  fc.record({ kind: fc.constant('splice' as const), at, otherAt: at }),
  fc.record({ kind: fc.constant('field' as const), at, bytes: fc.constantFrom(...extremes) }),
);

/** A changed copy of `bytes`; `other` is what a splice continues with. */
export function mutate(bytes: Uint8Array, other: Uint8Array, change: Mutation): Uint8Array {
  const place = change.at % (bytes.length + (change.kind === 'insert' ? 1 : 0) || 1);
  const [head, tail] = [bytes.subarray(0, place), bytes.subarray(place)];
  switch (change.kind) {
    case 'flip': {
      const copy = Uint8Array.from(bytes);
      if (copy.length > 0) copy[place]! ^= 1 << change.bit;
      return copy;
    }
    case 'truncate':
      return Uint8Array.from(head);
    case 'insert':
      return Uint8Array.from([...head, ...change.bytes, ...tail]);
    case 'remove':
      return Uint8Array.from([...head, ...tail.subarray(change.count)]);
    case 'splice':
      return Uint8Array.from([...head, ...other.subarray(change.otherAt % (other.length || 1))]);
    case 'field':
      return Uint8Array.from([...head, ...change.bytes.subarray(0, tail.length), ...tail.subarray(change.bytes.length)]);
  }
}

export type Read<Value> = { readonly value: Value } | { readonly error: unknown };

/** Far above what any of the small inputs of these tests needs, far below what a lie in a length field may ask for. */
const growthBytesMax = 48 * 2 ** 20;
const readMsMax = 2_000;

const usedBytes = (): number => {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
};

/** Reads, and holds the reader to bounds of time and memory. */
export function readWithin<Value>(read: () => Value): Read<Value> {
  const [startedMs, before] = [performance.now(), usedBytes()];
  let result: Read<Value>;
  try {
    result = { value: read() };
  } catch (error) {
    result = { error };
  }
  expect(usedBytes() - before, 'bytes allocated for a small input').toBeLessThan(growthBytesMax);
  expect(performance.now() - startedMs, 'milliseconds for a small input').toBeLessThan(readMsMax);
  return result;
}
