import { InvariantViolation } from '@balsa/node/core/assert.ts';
import { ByteReader, ByteWriter, readInt64, viewOf, writeInt64 } from '@balsa/node/core/records/bytes.ts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

describe('64-bit numbers', () => {
  test('are written as two’s complement, big-endian', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (value) => {
        const bytes = new Uint8Array(8);
        writeInt64(viewOf(bytes), 0, value);
        expect(Buffer.from(bytes).readBigInt64BE()).toBe(BigInt(value));
        expect(readInt64(viewOf(bytes), 0)).toBe(value);
      }),
    );
  });

  test('beyond 2^53 never look safe', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
        const bytes = Buffer.alloc(8);
        bytes.writeBigInt64BE(value);
        const read = readInt64(viewOf(bytes), 0);
        const fits = value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER);
        expect(Number.isSafeInteger(read)).toBe(fits);
      }),
    );
    const edge = Buffer.alloc(8);
    edge.writeBigInt64BE(2n ** 53n);
    expect(Number.isSafeInteger(readInt64(viewOf(edge), 0))).toBe(false);
  });

  test('refuse a number that is not a safe integer', () => {
    for (const value of [2 ** 53, 0.5, Number.NaN])
      expect(() => writeInt64(viewOf(new Uint8Array(8)), 0, value)).toThrow(InvariantViolation);
  });
});

test('fields are read back in the order written, through growth and at an odd place of a larger buffer', () => {
  const writer = new ByteWriter(1);
  const blob = new Uint8Array(100).fill(7);
  writer.uint8(255);
  writer.int16(-2);
  writer.bytes(blob);
  writer.int32(-3);
  writer.int64(-4);
  const bytes = writer.finish();
  const expected = Buffer.concat([Buffer.from('fffffe', 'hex'), blob, Buffer.from('fffffffdfffffffffffffffc', 'hex')]);
  expect(Buffer.from(bytes)).toEqual(expected);

  const shifted = Buffer.concat([Buffer.from([9]), Buffer.from('fffffefffffffdfffffffffffffffc', 'hex')]).subarray(1);
  const reader = new ByteReader(shifted);
  expect([reader.uint8(), reader.int16(), reader.int32(), reader.int64(), reader.remaining]).toEqual([255, -2, -3, -4, 0]);
  expect(() => reader.uint8()).toThrow(InvariantViolation);
});

test('a number that does not fit its field is a bug', () => {
  const writer = new ByteWriter(16);
  expect(() => writer.uint8(256)).toThrow(InvariantViolation);
  expect(() => writer.uint8(-1)).toThrow(InvariantViolation);
  expect(() => writer.int16(0x8000)).toThrow(InvariantViolation);
  expect(() => writer.int32(2 ** 31)).toThrow(InvariantViolation);
  expect(() => writer.int32(1.5)).toThrow(InvariantViolation);
});
