/**
 * Builds one record batch straight into a growing buffer: a record is written once and
 * never touched again. Grammar of a record (numbers are zigzag varints):
 *
 *   record := length attributes:i8(=0) timestampDelta offsetDelta
 *             keyLength key valueLength value headerCount header*
 *   header := keyLength key valueLength value
 *   a length of -1 means null
 *
 * Life: create -> append* -> finish (once). The header's identity, sequence and checksum
 * are stamped later (`stampBatch`), because they are known only when the batch is sent.
 */
import { at, batchPrefixBytes, headerBytes, magicV2, viewOf } from './batch-header.ts';
import { type Compression, compress, compressionBits } from './compression.ts';
import { varintSize, writeVarint } from './varint.ts';

export interface RawHeader {
  readonly key: string;
  readonly value: Uint8Array | null;
}

/** A record as bytes, before it has an offset. */
export interface RawRecord {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly RawHeader[];
  /** Unix time in milliseconds. */
  readonly timestampMs: number;
}

export interface BatchBuilder {
  buffer: Buffer;
  /** Bytes used, header included. */
  length: number;
  recordCount: number;
  baseTimestampMs: number;
  maxTimestampMs: number;
}

/** Varints of one record at their largest: length, timestamp and offset deltas, key, value and header count. */
const recordOverheadMax = 1 + 5 + 8 + 5 + 5 + 5 + 5;
const headerOverheadMax = 5 + 5;

/** A builder with room for `initialBytes`, or with a buffer that is no longer needed elsewhere. */
export function createBatchBuilder(initialBytes: number, reused?: Buffer): BatchBuilder {
  const buffer = reused ?? Buffer.allocUnsafe(Math.max(initialBytes, headerBytes * 2));
  return { buffer, length: headerBytes, recordCount: 0, baseTimestampMs: 0, maxTimestampMs: 0 };
}

/** Upper bound of the record's encoded bytes, wherever it stands in a batch. */
export function recordBytesMax(record: RawRecord): number {
  let size = recordOverheadMax + (record.key?.length ?? 0) + (record.value?.length ?? 0);
  for (const header of record.headers) size += headerOverheadMax + header.key.length * 3 + (header.value?.length ?? 0);
  return size;
}

/** Appends a record; `bytesMax` is its recordBytesMax, which callers have at hand. */
export function appendRecord(builder: BatchBuilder, record: RawRecord, bytesMax: number): void {
  reserve(builder, bytesMax);
  if (builder.recordCount === 0) {
    builder.baseTimestampMs = record.timestampMs;
    builder.maxTimestampMs = record.timestampMs;
  } else if (record.timestampMs > builder.maxTimestampMs) {
    builder.maxTimestampMs = record.timestampMs;
  }
  builder.length = writeRecord(builder, record);
  builder.recordCount++;
}

function reserve(builder: BatchBuilder, bytes: number): void {
  const needed = builder.length + bytes;
  if (needed <= builder.buffer.length) return;
  const grown = Buffer.allocUnsafe(Math.max(needed, builder.buffer.length * 2));
  builder.buffer.copy(grown, 0, 0, builder.length);
  builder.buffer = grown;
}

function writeRecord(builder: BatchBuilder, record: RawRecord): number {
  const { buffer } = builder;
  const timestampDelta = record.timestampMs - builder.baseTimestampMs;
  let next = writeVarint(buffer, builder.length, bodyBytes(record, timestampDelta, builder.recordCount));
  buffer[next++] = 0;
  next = writeVarint(buffer, next, timestampDelta);
  next = writeVarint(buffer, next, builder.recordCount);
  next = writeNullable(buffer, next, record.key);
  next = writeNullable(buffer, next, record.value);
  next = writeVarint(buffer, next, record.headers.length);
  for (const header of record.headers) {
    next = writeVarint(buffer, next, Buffer.byteLength(header.key));
    next += buffer.write(header.key, next);
    next = writeNullable(buffer, next, header.value);
  }
  return next;
}

/** Bytes of the record after its length field. */
function bodyBytes(record: RawRecord, timestampDelta: number, offsetDelta: number): number {
  let size = 1 + varintSize(timestampDelta) + varintSize(offsetDelta) + nullableBytes(record.key) + nullableBytes(record.value);
  size += varintSize(record.headers.length);
  for (const header of record.headers) {
    const keyBytes = Buffer.byteLength(header.key);
    size += varintSize(keyBytes) + keyBytes + nullableBytes(header.value);
  }
  return size;
}

function nullableBytes(bytes: Uint8Array | null): number {
  return bytes === null ? 1 : varintSize(bytes.length) + bytes.length;
}

function writeNullable(target: Buffer, position: number, bytes: Uint8Array | null): number {
  if (bytes === null) return writeVarint(target, position, -1);
  const next = writeVarint(target, position, bytes.length);
  target.set(bytes, next);
  return next + bytes.length;
}

/** The batch with base offset 0, still to be stamped. The builder must not be used afterwards. */
export function finishBatch(builder: BatchBuilder, compression: Compression = 'none'): Uint8Array {
  const bytes = compression === 'none' ? builder.buffer.subarray(0, builder.length) : compressed(builder, compression);
  const view = viewOf(bytes);
  view.setBigInt64(at.baseOffset, 0n);
  view.setInt32(at.batchLength, bytes.length - batchPrefixBytes);
  view.setInt32(at.batchLength + 4, -1);
  view.setInt8(at.magic, magicV2);
  view.setInt16(at.attributes, compressionBits(compression));
  view.setInt32(at.lastOffsetDelta, builder.recordCount - 1);
  view.setBigInt64(at.baseTimestamp, BigInt(builder.baseTimestampMs));
  view.setBigInt64(at.maxTimestamp, BigInt(builder.maxTimestampMs));
  view.setInt32(at.recordCount, builder.recordCount);
  return bytes;
}

function compressed(builder: BatchBuilder, compression: Exclude<Compression, 'none'>): Buffer {
  const records = compress(builder.buffer.subarray(headerBytes, builder.length), compression);
  const bytes = Buffer.allocUnsafe(headerBytes + records.length);
  bytes.set(records, headerBytes);
  return bytes;
}
