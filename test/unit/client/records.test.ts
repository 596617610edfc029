import { zstdCompressSync } from 'node:zlib';
import { BalsaError } from '@balsa/client';
import { crc32c as nativeCrc32c } from '@node-rs/crc32';
import { crcRegion } from '@balsa/node/core/records/batch-crc.ts';
import { parseBatch } from '@balsa/node/core/records/batch-header.ts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  appendRecord,
  createBatchBuilder,
  finishBatch,
  type RawRecord,
  recordBytesMax,
} from '../../../client/src/records/batch-builder.ts';
import { headerBytes, noProducer, noSequence, stampBatch } from '../../../client/src/records/batch-header.ts';
import { decodeBatch } from '../../../client/src/records/batch-reader.ts';
import { type Compression, decompressedBytesMax } from '../../../client/src/records/compression.ts';
import { crc32c } from '../../../client/src/records/crc32c.ts';
import { readVarint, varintSize, writeVarint } from '../../../client/src/records/varint.ts';

const record = (value: string, extra: Partial<RawRecord> = {}): RawRecord => {
  return { key: null, value: Buffer.from(value), headers: [], timestampMs: 1_000, ...extra };
};

function build(records: readonly RawRecord[], compression: Compression = 'none'): Uint8Array {
  const builder = createBatchBuilder(0);
  for (const each of records) appendRecord(builder, each, recordBytesMax(each));
  const bytes = finishBatch(builder, compression);
  stampBatch(bytes, noProducer, noSequence);
  return bytes;
}

describe('crc32c', () => {
  test('known answer', () => {
    expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  });

  test('agrees with the native one, for any length and place', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(8), (bytes, skip) => {
        expect(crc32c(bytes, Math.min(skip, bytes.length))).toBe(nativeCrc32c(Buffer.from(bytes.subarray(skip))));
      }),
    );
  });
});

describe('varint', () => {
  test('reads back what was written, in the size that was promised', () => {
    const numbers = fc.oneof(
      fc.integer(),
      fc.maxSafeInteger().map((value) => Math.trunc(value / 2) + 0),
      fc.integer({ min: -70, max: 70 }),
    );
    fc.assert(
      fc.property(numbers, (value) => {
        const bytes = new Uint8Array(12);
        const end = writeVarint(bytes, 1, value);
        expect(end - 1).toBe(varintSize(value));
        const cursor = { bytes, end, position: 1 };
        expect(readVarint(cursor)).toBe(value);
        expect(cursor.position).toBe(end);
      }),
    );
  });

  test('known encodings', () => {
    const encode = (value: number) => {
      const bytes = new Uint8Array(10);
      return Buffer.from(bytes.subarray(0, writeVarint(bytes, 0, value))).toString('hex');
    };
    expect([0, -1, 1, 63, -64, 64, 2 ** 31, -(2 ** 31)].map(encode)).toEqual([
      '00',
      '01',
      '02',
      '7e',
      '7f',
      '8001',
      '8080808010',
      'ffffffff0f',
    ]);
  });

  test('refuses what is truncated or too large', () => {
    const read = (...bytes: number[]) => readVarint({ bytes: Uint8Array.from(bytes), end: bytes.length, position: 0 });
    expect(read()).toBeUndefined();
    expect(read(0x80)).toBeUndefined();
    expect(read(...Array(9).fill(0xff), 0x01)).toBeUndefined();
  });
});

describe('batch', () => {
  const raw: fc.Arbitrary<RawRecord> = fc.record({
    key: fc.option(fc.uint8Array({ maxLength: 20 })),
    value: fc.option(fc.uint8Array({ maxLength: 200 })),
    headers: fc.array(
      fc.record({ key: fc.string({ unit: 'grapheme', maxLength: 10 }), value: fc.option(fc.uint8Array({ maxLength: 10 })) }),
      { maxLength: 3 },
    ),
    timestampMs: fc.integer({ min: 0, max: 2 ** 42 }),
  });

  test('decodes to the records that were put in, within the promised size', () => {
    fc.assert(
      fc.property(
        fc.array(raw, { minLength: 1, maxLength: 20 }),
        fc.constantFrom<Compression>('none', 'gzip', 'zstd'),
        (records, compression) => {
          const bytes = build(records, compression);
          if (compression === 'none') {
            expect(bytes.length).toBeLessThanOrEqual(headerBytes + records.reduce((sum, each) => sum + recordBytesMax(each), 0));
          }
          const { header, records: decoded } = decodeBatch(bytes);
          expect(header.recordCount).toBe(records.length);
          expect(header.maxTimestamp).toBe(Math.max(...records.map(({ timestampMs }) => timestampMs)));
          const plain = (bytesOrNull: Uint8Array | null) => (bytesOrNull === null ? null : Buffer.from(bytesOrNull).toString('hex'));
          const shape = (each: RawRecord) => [
            plain(each.key),
            plain(each.value),
            each.headers.map(({ key, value }) => [key, plain(value)]),
            each.timestampMs,
          ];
          expect(decoded.map(shape)).toEqual(records.map(shape));
          expect(decoded.map(({ offset }) => offset)).toEqual(records.map((_, index) => index));
        },
      ),
    );
  });

  test('bytes of a small batch, as the format says', () => {
    const bytes = build([record('v', { key: Buffer.from('k'), headers: [{ key: 'h', value: null }] })]);
    const header = [
      '0000000000000000',
      '0000003d',
      'ffffffff',
      '02',
      'cccccccc',
      '0000',
      '00000000',
      '00000000000003e8',
      '00000000000003e8',
    ];
    const tail = ['ffffffffffffffff', 'ffff', 'ffffffff', '00000001'];
    const body = ['16', '00', '00', '00', '02', '6b', '02', '76', '02', '02', '68', '01'];
    const expected = Buffer.from([...header, ...tail, ...body].join(''), 'hex');
    expected.writeUInt32BE(nativeCrc32c(expected.subarray(21)), 17);
    expect(Buffer.from(bytes).toString('hex')).toBe(expected.toString('hex'));
  });

  test('the broker finds a batch sound and reads the same from it', () => {
    const bytes = build([record('one', { timestampMs: 5 }), record('two', { timestampMs: 9 })], 'zstd');
    stampBatch(bytes, { producerId: 77, producerEpoch: 3 }, 12);
    const { stored, covered } = crcRegion(bytes);
    expect(nativeCrc32c(Buffer.from(covered))).toBe(stored);
    const facts = { recordCount: 2, maxTimestampMs: 9, producerId: 77, producerEpoch: 3, baseSequence: 12, compression: 'zstd' };
    expect(parseBatch(bytes)).toMatchObject({ ok: true, facts });
  });

  test('any damaged byte from the checksum on is noticed', () => {
    const bytes = build([record('one'), record('two')]);
    for (let position = 17; position < bytes.length; position++) {
      const damaged = Uint8Array.from(bytes);
      damaged[position]! ^= 0x40;
      expect(() => decodeBatch(damaged), `byte ${position}`).toThrow(BalsaError);
    }
  });

  test('any bytes are decoded or refused with a typed error, also without the checksum', () => {
    const bytes = build([record('one', { headers: [{ key: 'h', value: Buffer.from('x') }] }), record('two'), record('three')]);
    const edits = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(edits, fc.nat(bytes.length), (changes, cut) => {
        const damaged = Uint8Array.from(bytes).subarray(0, cut === 0 ? bytes.length : cut);
        for (const [position, value] of changes) if (position < damaged.length) damaged[position] = value;
        try {
          decodeBatch(damaged, false);
        } catch (error) {
          expect(error).toBeInstanceOf(BalsaError);
          expect(['INVALID_BATCH', 'CORRUPT_BATCH']).toContain((error as BalsaError).code);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test('a count or length that lies is refused', () => {
    const bytes = Buffer.from(build([record('one'), record('two')]));
    const withInt32 = (position: number, value: number) => {
      const changed = Buffer.from(bytes);
      changed.writeInt32BE(value, position);
      return () => decodeBatch(changed, false);
    };
    expect(withInt32(57, 3)).toThrow(/INVALID_BATCH/);
    expect(withInt32(57, 0)).toThrow(/INVALID_BATCH/);
    expect(withInt32(8, 10)).toThrow(/INVALID_BATCH/);
    expect(withInt32(23, 7)).toThrow(/INVALID_BATCH/);
    expect(() => decodeBatch(bytes.subarray(0, 40))).toThrow(/INVALID_BATCH/);
  });

  test('a compressed block that grows without bound is refused', () => {
    const bomb = zstdCompressSync(Buffer.alloc(decompressedBytesMax + 1));
    const bytes = Buffer.concat([Buffer.from(build([record('one')])).subarray(0, headerBytes), bomb]);
    bytes.writeInt16BE(4, 21);
    bytes.writeInt32BE(bytes.length - 12, 8);
    expect(() => decodeBatch(bytes, false)).toThrow(/zstd block.*cannot be decompressed/);
  });

  test('codecs that Node lacks are named', () => {
    const bytes = Buffer.from(build([record('one')]));
    bytes.writeInt16BE(2, 21);
    expect(() => decodeBatch(bytes, false)).toThrow(/snappy is not supported/);
  });
});
