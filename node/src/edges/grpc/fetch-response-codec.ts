/**
 * Encodes a fetch answer with one copy of the records: from the log's shared bytes
 * straight into the message, where offset and epoch are stamped. Byte-identical with the
 * generated encoder over stamped batches, which a property test holds it to.
 */
import { Error as WireError } from '@balsa/proto/client';
import type { FetchedBatch } from '../../broker/fetch.ts';
import { writeInt64 } from '../../core/records/bytes.ts';

export interface FetchAnswer {
  readonly correlation: number;
  readonly error: WireError | undefined;
  readonly highWatermark: number;
  readonly logStart: number;
  readonly batches: readonly FetchedBatch[];
}

const tags = { correlation: 8, error: 18, highWatermark: 24, logStart: 32, batches: 42 } as const;
const leaderEpochAt = 12;

export function encodeFetchAnswer(answer: FetchAnswer): Buffer {
  const error = answer.error === undefined ? undefined : WireError.encode(answer.error).finish();
  const buffer = Buffer.allocUnsafe(answerBytes(answer, error));
  let at = putNumber(buffer, 0, tags.correlation, answer.correlation);
  if (error !== undefined) {
    at = putVarint(buffer, putVarint(buffer, at, tags.error), error.length);
    buffer.set(error, at);
    at += error.length;
  }
  at = putNumber(buffer, at, tags.highWatermark, answer.highWatermark);
  at = putNumber(buffer, at, tags.logStart, answer.logStart);
  const view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  for (const { bytes, baseOffset, term } of answer.batches) {
    at = putVarint(buffer, putVarint(buffer, at, tags.batches), bytes.length);
    buffer.set(bytes, at);
    writeInt64(view, at, baseOffset);
    view.setInt32(at + leaderEpochAt, term);
    at += bytes.length;
  }
  return buffer;
}

function answerBytes({ correlation, highWatermark, logStart, batches }: FetchAnswer, error: Uint8Array | undefined): number {
  const field = (length: number): number => 1 + varintBytes(length) + length;
  let total = numberBytes(correlation) + numberBytes(highWatermark) + numberBytes(logStart);
  if (error !== undefined) total += field(error.length);
  for (const { bytes } of batches) total += field(bytes.length);
  return total;
}

const numberBytes = (value: number): number => (value === 0 ? 0 : 1 + varintBytes(value));

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes += 1;
  return bytes;
}

/** Fields with their default value are not written, as protobuf has it. */
function putNumber(buffer: Buffer, at: number, tag: number, value: number): number {
  return value === 0 ? at : putVarint(buffer, putVarint(buffer, at, tag), value);
}

/** Returns the position after the varint. Values may be above 2^32. */
function putVarint(buffer: Buffer, at: number, value: number): number {
  let rest = value;
  let next = at;
  while (rest >= 0x80) {
    buffer[next] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
    next += 1;
  }
  buffer[next] = rest;
  return next + 1;
}
