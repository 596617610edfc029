import type { BatchFault } from '@balsa/node/core/records/batch-header.ts';
import { batchHeaderBytes, batchRecordsMax, parseBatch } from '@balsa/node/core/records/batch-header.ts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SampleBatch } from './sample-batch.ts';
import { sampleBatch } from './sample-batch.ts';

function faultOf(batch: Uint8Array): BatchFault | undefined {
  const parsed = parseBatch(batch);
  return parsed.ok ? undefined : parsed.fault;
}

/** A sound batch with some bytes of its header overwritten. */
function patched(patch: (batch: Buffer) => void, sample: SampleBatch = { recordCount: 3 }): Buffer {
  const batch = sampleBatch(sample);
  patch(batch);
  return batch;
}

test('facts of a sound batch', () => {
  const batch = sampleBatch({
    recordCount: 3,
    producerId: 2 ** 40,
    producerEpoch: 7,
    baseSequence: 2 ** 31 - 1,
    maxTimestampMs: 1234,
    attributes: 4,
  });
  expect(parseBatch(batch)).toEqual({
    ok: true,
    facts: {
      recordCount: 3,
      maxTimestampMs: 1234,
      producerId: 2 ** 40,
      producerEpoch: 7,
      baseSequence: 2 ** 31 - 1,
      compression: 'zstd',
      sizeBytes: 61 + 21,
    },
  });
});

test('a batch is read wherever it lies in a larger buffer', () => {
  const batch = sampleBatch({ recordCount: 2 });
  const larger = Buffer.concat([Buffer.alloc(3, 0xff), batch, Buffer.alloc(5, 0xff)]);
  expect(parseBatch(larger.subarray(3, 3 + batch.length))).toEqual(parseBatch(batch));
});

describe('refused with the reason', () => {
  test.each<[BatchFault, Uint8Array]>([
    ['shorter-than-header', sampleBatch().subarray(0, batchHeaderBytes - 1)],
    ['wrong-length', Buffer.concat([sampleBatch(), Buffer.alloc(1)])],
    ['wrong-length', sampleBatch({ recordCount: 3 }).subarray(0, -1)],
    ['wrong-length', Buffer.concat([sampleBatch(), sampleBatch()])],
    ['wrong-length', patched((batch) => batch.writeInt32BE(-1, 8))],
    ['unsupported-magic', patched((batch) => batch.writeInt8(1, 16))],
    ['unknown-compression', sampleBatch({ attributes: 5 })],
    ['unknown-compression', sampleBatch({ attributes: 7 })],
    ['broker-timestamps', sampleBatch({ attributes: 1 << 3 })],
    ['transactional', sampleBatch({ attributes: 1 << 4 })],
    ['control', sampleBatch({ attributes: 1 << 5 })],
    ['unknown-attributes', sampleBatch({ attributes: 1 << 6 })],
    ['unknown-attributes', sampleBatch({ attributes: -0x8000 })],
    ['no-records', patched((batch) => batch.writeInt32BE(0, 57))],
    ['no-records', patched((batch) => batch.writeInt32BE(-1, 57))],
    ['too-many-records', patched((batch) => batch.writeInt32BE(batchRecordsMax + 1, 57))],
    ['offset-delta-mismatch', patched((batch) => batch.writeInt32BE(3, 23))],
    ['offset-delta-mismatch', patched((batch) => batch.writeInt32BE(1, 23))],
    ['records-do-not-fit', sampleBatch({ recordCount: 3, records: Buffer.alloc(20) })],
    ['records-do-not-fit', sampleBatch({ recordCount: 1, attributes: 1, records: Buffer.alloc(0) })],
    ['invalid-timestamp', sampleBatch({ maxTimestampMs: -2 })],
    ['invalid-timestamp', patched((batch) => batch.writeBigInt64BE(2n ** 53n, 35))],
    ['invalid-producer', sampleBatch({ producerId: -2, producerEpoch: 0, baseSequence: 0 })],
    ['invalid-producer', sampleBatch({ producerId: 1, producerEpoch: -1, baseSequence: 0 })],
    ['invalid-producer', sampleBatch({ producerId: 1, producerEpoch: 0, baseSequence: -1 })],
    ['invalid-producer', patched((batch) => batch.writeBigInt64BE(2n ** 62n, 43), { producerId: 1, producerEpoch: 0, baseSequence: 0 })],
  ])('%s', (fault, batch) => {
    expect(faultOf(batch)).toBe(fault);
  });
});

describe('accepted', () => {
  test.each<[string, SampleBatch]>([
    ['records without a time', { maxTimestampMs: -1 }],
    ['no producer id, whatever stands for epoch and sequence', { producerId: -1, producerEpoch: 0, baseSequence: 0 }],
    ['the smallest records', { recordCount: 3, records: Buffer.alloc(21) }],
    ['many records in few compressed bytes', { recordCount: batchRecordsMax, attributes: 4, records: Buffer.alloc(1) }],
    ...[0, 1, 2, 3, 4].map((attributes): [string, SampleBatch] => [`compression code ${attributes}`, { attributes }]),
  ])('%s', (_, sample) => {
    expect(faultOf(sampleBatch(sample))).toBeUndefined();
  });
});

test('no bytes make it throw, and what it accepts has sound facts', () => {
  const header = fc.uint8Array({ minLength: 0, maxLength: 90 });
  const nearlySound = fc
    .tuple(fc.nat(60), fc.nat(255))
    .map(([at, byte]) =>
      patched((batch) => batch.writeUInt8(byte, at), { recordCount: 2, producerId: 5, producerEpoch: 1, baseSequence: 9 }),
    );
  fc.assert(
    fc.property(fc.oneof(header, nearlySound), (bytes) => {
      const parsed = parseBatch(bytes);
      if (!parsed.ok) return;
      expect(parsed.facts.recordCount).toBeGreaterThan(0);
      expect(parsed.facts.sizeBytes).toBe(bytes.length);
      expect(Number.isSafeInteger(parsed.facts.producerId)).toBe(true);
    }),
    { numRuns: 2000 },
  );
});
