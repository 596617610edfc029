import { InvariantViolation } from '@balsa/node/core/assert.ts';
import { asOffset } from '@balsa/node/core/ids.ts';
import { crcRegion } from '@balsa/node/core/records/batch-crc.ts';
import { stampBatch, stampBatchParts } from '@balsa/node/core/records/batch-stamp.ts';
import { crc32c } from '@node-rs/crc32';
import { describe, expect, test } from 'vitest';
import { sampleBatch } from './sample-batch.ts';

const offset = asOffset(2 ** 45 + 3);

test('the stored checksum is unsigned', () => {
  const batch = sampleBatch();
  batch.writeUInt32BE(0xfedc_ba98, 17);
  expect(crcRegion(batch).stored).toBe(0xfedc_ba98);
});

test('the checksum covers everything after itself', () => {
  const batch = sampleBatch({ recordCount: 4 });
  const region = crcRegion(batch);
  expect(region.stored).toBe(crc32c(region.covered));
  expect(region.covered.length).toBe(batch.length - 21);
  batch.writeUInt8(9, 21);
  expect(crcRegion(batch).stored).not.toBe(crc32c(crcRegion(batch).covered));
});

describe('stamping', () => {
  const batch = sampleBatch({ recordCount: 4 });
  const original = Buffer.from(batch);

  test('changes base offset and leader epoch, nothing else, and never the original', () => {
    const stamped = Buffer.from(stampBatch(batch, offset, 77));
    expect(stamped.readBigInt64BE(0)).toBe(BigInt(offset));
    expect(stamped.readInt32BE(12)).toBe(77);
    original.copy(stamped, 0, 0, 8);
    original.copy(stamped, 12, 12, 16);
    expect(stamped).toEqual(original);
    expect(batch).toEqual(original);
  });

  test('keeps the checksum valid', () => {
    const region = crcRegion(stampBatch(batch, offset, 77));
    expect(region.stored).toBe(crc32c(region.covered));
  });

  test('in parts gives the same bytes and does not copy the records', () => {
    const parts = stampBatchParts(batch, offset, 77);
    expect(Buffer.concat([parts.header, parts.records])).toEqual(Buffer.from(stampBatch(batch, offset, 77)));
    expect(parts.records.buffer).toBe(batch.buffer);
    expect(parts.header.buffer).not.toBe(batch.buffer);
    expect(batch).toEqual(original);
  });

  test('refuses what does not fit', () => {
    expect(() => stampBatch(batch, asOffset(-1), 1)).toThrow(InvariantViolation);
    expect(() => stampBatch(batch, offset, 2 ** 31)).toThrow(InvariantViolation);
    expect(() => stampBatch(batch.subarray(0, 60), offset, 1)).toThrow(InvariantViolation);
  });
});
