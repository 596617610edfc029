/**
 * Decodes record batches. Everything is checked before it is used: lengths, counts,
 * checksum, offset deltas and that the records fill the batch exactly. Keys and values
 * are views into the batch's bytes, not copies (unless the batch is compressed).
 *
 * Failure contract: throws INVALID_BATCH or CORRUPT_BATCH, never anything else, for any bytes.
 */
import type { RawHeader, RawRecord } from './batch-builder.ts';
import { type BatchHeader, headerBytes, invalidBatch, readHeader } from './batch-header.ts';
import { decompress } from './compression.ts';
import { type Cursor, readVarint } from './varint.ts';

export interface StoredRecord extends RawRecord {
  /** Position of the record in its partition. */
  readonly offset: number;
}

export interface DecodedBatch {
  readonly header: BatchHeader;
  readonly records: readonly StoredRecord[];
}

const logAppendTimeBit = 0x08;
const utf8: { decode: (bytes: Uint8Array) => string } = new TextDecoder();
const noHeaders: readonly RawHeader[] = [];

export function decodeBatch(bytes: Uint8Array, checkCrc = true): DecodedBatch {
  const header = readHeader(bytes, checkCrc);
  return { header, records: decodeRecords(bytes, header) };
}

/** Records of a batch whose header was read and checked before. */
export function decodeRecords(bytes: Uint8Array, header: BatchHeader): readonly StoredRecord[] {
  const section = decompress(bytes.subarray(headerBytes), header.attributes);
  const cursor: Cursor = { bytes: section, end: section.length, position: 0 };
  const records: StoredRecord[] = [];
  for (let delta = 0; delta < header.recordCount; delta++) records.push(readRecord(cursor, header, delta));
  if (cursor.position !== cursor.end) throw invalidBatch(`${cursor.end - cursor.position} bytes after the last record`);
  return records;
}

function readRecord(cursor: Cursor, header: BatchHeader, expectedDelta: number): StoredRecord {
  const length = read(cursor, 'record length');
  const end = cursor.position + length;
  if (length < 1 || end > cursor.end) throw invalidBatch(`record ${expectedDelta} has length ${length}`);
  cursor.position++;
  const timestampDelta = read(cursor, 'timestamp delta');
  const offsetDelta = read(cursor, 'offset delta');
  if (offsetDelta !== expectedDelta) throw invalidBatch(`record ${expectedDelta} has offset delta ${offsetDelta}`);
  const key = readNullable(cursor);
  const value = readNullable(cursor);
  const headers = readHeaders(cursor);
  if (cursor.position !== end) throw invalidBatch(`record ${expectedDelta} does not fill its length`);
  const timestampMs = header.attributes & logAppendTimeBit ? header.maxTimestamp : header.baseTimestamp + timestampDelta;
  return { offset: header.baseOffset + offsetDelta, timestampMs, key, value, headers };
}

function readHeaders(cursor: Cursor): readonly RawHeader[] {
  const count = read(cursor, 'header count');
  if (count === 0) return noHeaders;
  // A header takes at least two bytes, so a larger count is a lie and must not size an array.
  if (count < 0 || count > (cursor.end - cursor.position) / 2) throw invalidBatch(`header count ${count}`);
  const headers: RawHeader[] = [];
  for (let index = 0; index < count; index++) {
    const key = readNullable(cursor);
    if (key === null) throw invalidBatch('a header without key');
    headers.push({ key: utf8.decode(key), value: readNullable(cursor) });
  }
  return headers;
}

function readNullable(cursor: Cursor): Uint8Array | null {
  const length = read(cursor, 'length');
  if (length === -1) return null;
  const start = cursor.position;
  if (length < -1 || start + length > cursor.end) throw invalidBatch(`a field of length ${length}`);
  cursor.position = start + length;
  return cursor.bytes.subarray(start, cursor.position);
}

function read(cursor: Cursor, name: string): number {
  const value = readVarint(cursor);
  if (value === undefined) throw invalidBatch(`${name} is truncated or out of range`);
  return value;
}
