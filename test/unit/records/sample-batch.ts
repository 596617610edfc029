/**
 * Record batches for tests, built field by field from the format's description and
 * independent of the code under test.
 */
import { crc32c } from '@node-rs/crc32';

export interface SampleBatch {
  readonly recordCount?: number;
  readonly producerId?: number;
  readonly producerEpoch?: number;
  readonly baseSequence?: number;
  readonly maxTimestampMs?: number;
  readonly attributes?: number;
  /** Bytes after the header; by default one empty record of 7 bytes or more per record. */
  readonly records?: Buffer;
}

export function sampleBatch(sample: SampleBatch = {}): Buffer {
  const recordCount = sample.recordCount ?? 1;
  const records = sample.records ?? Buffer.concat(Array.from({ length: recordCount }, (_, delta) => emptyRecord(delta)));
  const header = Buffer.alloc(61);
  header.writeInt32BE(61 - 12 + records.length, 8);
  header.writeInt32BE(-1, 12);
  header.writeInt8(2, 16);
  header.writeInt16BE(sample.attributes ?? 0, 21);
  header.writeInt32BE(recordCount - 1, 23);
  header.writeBigInt64BE(1_700_000_000_000n, 27);
  header.writeBigInt64BE(BigInt(sample.maxTimestampMs ?? 1_700_000_000_000), 35);
  header.writeBigInt64BE(BigInt(sample.producerId ?? -1), 43);
  header.writeInt16BE(sample.producerEpoch ?? -1, 51);
  header.writeInt32BE(sample.baseSequence ?? -1, 53);
  header.writeInt32BE(recordCount, 57);
  const batch = Buffer.concat([header, records]);
  batch.writeUInt32BE(crc32c(batch.subarray(21)), 17);
  return batch;
}

/** length, attributes, timestamp delta, offset delta, null key, null value, no headers. */
function emptyRecord(offsetDelta: number): Buffer {
  const delta = varint(offsetDelta);
  return Buffer.concat([varint(5 + delta.length), Buffer.from([0, 0]), delta, Buffer.from([1, 1, 0])]);
}

/** Zigzag varint of a number that is not negative. */
function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value * 2;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Buffer.from([...bytes, rest]);
}
