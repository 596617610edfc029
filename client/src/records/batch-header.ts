/**
 * Header of a record batch, Kafka's format v2. All numbers are big-endian.
 *
 *   batch   := baseOffset:i64 batchLength:i32 leaderEpoch:i32 magic:i8(=2) crc:u32
 *              attributes:i16 lastOffsetDelta:i32 baseTimestamp:i64 maxTimestamp:i64
 *              producerId:i64 producerEpoch:i16 baseSequence:i32 recordCount:i32
 *              record*
 *   batchLength counts the bytes after itself; crc is CRC32C of the bytes from
 *   `attributes` to the end, so the broker may fill in baseOffset and leaderEpoch
 *   without computing it again.
 *   attributes: bits 0-2 compression, bit 3 timestamp type, bit 4 transactional,
 *   bit 5 control. With compression, `record*` is compressed as one block.
 *
 * A batch without idempotence has producerId -1, producerEpoch -1, baseSequence -1.
 */
import { BalsaError } from '../errors.ts';
import { crc32c } from './crc32c.ts';

export const headerBytes = 61;
/** Bytes before the counted part of a batch: baseOffset and batchLength. */
export const batchPrefixBytes = 12;
export const magicV2 = 2;
export const noProducer: ProducerIdentity = { producerId: -1, producerEpoch: -1 };
export const noSequence = -1;

export const at = {
  baseOffset: 0,
  batchLength: 8,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  recordCount: 57,
} as const;

export interface ProducerIdentity {
  readonly producerId: number;
  readonly producerEpoch: number;
}

export interface BatchHeader {
  /** Offset of the first record. */
  readonly baseOffset: number;
  /** Offset of the last record minus baseOffset; recordCount - 1 as brokers store it. */
  readonly lastOffsetDelta: number;
  readonly attributes: number;
  readonly baseTimestamp: number;
  readonly maxTimestamp: number;
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly recordCount: number;
}

export function invalidBatch(what: string): BalsaError {
  return new BalsaError('INVALID_BATCH', { detail: `Malformed record batch: ${what}.` });
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * Reads and checks the header of the batch that fills `bytes`. Throws INVALID_BATCH for
 * lengths and counts that disagree, CORRUPT_BATCH for a wrong checksum (if checked).
 */
export function readHeader(bytes: Uint8Array, checkCrc: boolean): BatchHeader {
  if (bytes.length < headerBytes) throw invalidBatch(`${bytes.length} bytes are less than a header`);
  const view = viewOf(bytes);
  const length = view.getInt32(at.batchLength);
  if (length !== bytes.length - batchPrefixBytes) throw invalidBatch(`its length ${length} does not fit its ${bytes.length} bytes`);
  const magic = view.getInt8(at.magic);
  if (magic !== magicV2) throw invalidBatch(`format v${magic} instead of v2`);
  if (checkCrc) verifyCrc(bytes, view);
  return readFields(view);
}

function verifyCrc(bytes: Uint8Array, view: DataView): void {
  const stored = view.getUint32(at.crc);
  const computed = crc32c(bytes, at.attributes);
  if (stored === computed) return;
  const detail = `Record batch at offset ${view.getBigInt64(at.baseOffset)}: checksum ${computed.toString(16)} instead of ${stored.toString(16)}.`;
  throw new BalsaError('CORRUPT_BATCH', { detail });
}

function readFields(view: DataView): BatchHeader {
  const header: BatchHeader = {
    baseOffset: readSafe(view, at.baseOffset, 'base offset'),
    lastOffsetDelta: view.getInt32(at.lastOffsetDelta),
    attributes: view.getInt16(at.attributes),
    baseTimestamp: readSafe(view, at.baseTimestamp, 'base timestamp'),
    maxTimestamp: readSafe(view, at.maxTimestamp, 'max timestamp'),
    producerId: readSafe(view, at.producerId, 'producer id'),
    producerEpoch: view.getInt16(at.producerEpoch),
    baseSequence: view.getInt32(at.baseSequence),
    recordCount: view.getInt32(at.recordCount),
  };
  if (header.recordCount < 1) throw invalidBatch(`record count ${header.recordCount}`);
  if (header.lastOffsetDelta !== header.recordCount - 1) {
    throw invalidBatch(`last offset delta ${header.lastOffsetDelta} with ${header.recordCount} records`);
  }
  return header;
}

function readSafe(view: DataView, position: number, name: string): number {
  const value = Number(view.getBigInt64(position));
  if (!Number.isSafeInteger(value)) throw invalidBatch(`${name} is out of range`);
  return value;
}

/** Writes identity and sequence into a finished batch and computes its checksum. */
export function stampBatch(bytes: Uint8Array, identity: ProducerIdentity, baseSequence: number): void {
  const view = viewOf(bytes);
  view.setBigInt64(at.producerId, BigInt(identity.producerId));
  view.setInt16(at.producerEpoch, identity.producerEpoch);
  view.setInt32(at.baseSequence, baseSequence);
  view.setUint32(at.crc, crc32c(bytes, at.attributes));
}
