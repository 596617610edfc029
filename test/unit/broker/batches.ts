/** Record batches for tests: format v2, uncompressed, written straight from the specification. */
import { crc32c } from '@node-rs/crc32';

export interface BatchSpec {
  readonly values: readonly (string | Uint8Array)[];
  readonly timestampMs?: number;
  readonly producerId?: number;
  readonly producerEpoch?: number;
  readonly baseSequence?: number;
}

export function buildBatch({ values, timestampMs = 1000, producerId = -1, producerEpoch = -1, baseSequence = -1 }: BatchSpec): Uint8Array {
  const records = Buffer.concat(values.map((value, place) => record(Buffer.from(value as Uint8Array), place)));
  const batch = Buffer.alloc(61 + records.length);
  batch.writeInt32BE(batch.length - 12, 8);
  batch.writeInt8(2, 16);
  batch.writeInt32BE(values.length - 1, 23);
  batch.writeBigInt64BE(BigInt(timestampMs), 27);
  batch.writeBigInt64BE(BigInt(timestampMs), 35);
  batch.writeBigInt64BE(BigInt(producerId), 43);
  batch.writeInt16BE(producerEpoch, 51);
  batch.writeInt32BE(baseSequence, 53);
  batch.writeInt32BE(values.length, 57);
  records.copy(batch, 61);
  batch.writeUInt32BE(crc32c(batch.subarray(21)), 17);
  return new Uint8Array(batch);
}

function record(value: Buffer, offsetDelta: number): Buffer {
  const body = Buffer.concat([Buffer.from([0, 0]), zigZag(offsetDelta), zigZag(-1), zigZag(value.length), value, zigZag(0)]);
  return Buffer.concat([zigZag(body.length), body]);
}

function zigZag(value: number): Buffer {
  let raw = ((value << 1) ^ (value >> 31)) >>> 0;
  const bytes: number[] = [];
  while (raw >= 0x80) {
    bytes.push((raw & 0x7f) | 0x80);
    raw >>>= 7;
  }
  return Buffer.from([...bytes, raw]);
}
