/**
 * Header of a record batch, format v2: all that the broker ever looks at. Records are
 * opaque (and possibly compressed) bytes after it.
 *
 * ```
 * at  type    field
 *  0  int64   baseOffset            of the first record; patched by the broker
 *  8  int32   batchLength           bytes after this field
 * 12  int32   partitionLeaderEpoch  patched by the broker
 * 16  int8    magic                 2
 * 17  uint32  crc                   CRC-32C of everything from attributes to the end
 * 21  int16   attributes            bits 0-2 compression, 3 timestamp type, 4 transactional,
 *                                   5 control, 6 delete horizon, others 0
 * 23  int32   lastOffsetDelta       recordCount - 1
 * 27  int64   baseTimestamp         Unix ms of the first record
 * 35  int64   maxTimestamp          Unix ms, -1 if the records have none
 * 43  int64   producerId            -1: not idempotent
 * 51  int16   producerEpoch
 * 53  int32   baseSequence          of the first record, wraps after 2^31 - 1
 * 57  int32   recordCount
 * 61          records
 * ```
 *
 * `parseBatch` says whether the structure is sound, without throwing, and what it says
 * is a function of the bytes alone: every replica judges a batch alike. It does not
 * verify the checksum (the caller does that natively, see `crcRegion`), nor the records.
 */
import { readInt64, viewOf } from './bytes.ts';

export const batchHeaderBytes = 61;
/** Bytes before `batchLength` starts to count. */
const batchLengthEnd = 12;

/** Records in one batch: bounds the offsets and sequences that a few compressed bytes can claim. */
export const batchRecordsMax = 1_000_000;
/** An empty record in its smallest form: seven one-byte fields. */
const recordBytesMin = 7;
export const sequenceMax = 0x7fff_ffff;

export type Compression = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';
/** By code. */
export const compressions: readonly Compression[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];

/** What the broker knows of a batch. */
export interface BatchFacts {
  readonly recordCount: number;
  /** Unix milliseconds; -1 if the records have no time. */
  readonly maxTimestampMs: number;
  /** -1: the producer is not idempotent, and epoch and sequence mean nothing. */
  readonly producerId: number;
  readonly producerEpoch: number;
  /** Sequence of the first record. */
  readonly baseSequence: number;
  readonly compression: Compression;
  /** The whole batch, header included. */
  readonly sizeBytes: number;
}

/** Why bytes are not one acceptable record batch. */
export type BatchFault =
  | 'shorter-than-header'
  | 'wrong-length'
  | 'unsupported-magic'
  | 'unknown-compression'
  | 'broker-timestamps'
  | 'transactional'
  | 'control'
  | 'unknown-attributes'
  | 'no-records'
  | 'too-many-records'
  | 'offset-delta-mismatch'
  | 'records-do-not-fit'
  | 'invalid-timestamp'
  | 'invalid-producer';

export type ParsedBatch = { readonly ok: true; readonly facts: BatchFacts } | { readonly ok: false; readonly fault: BatchFault };

/** Facts of `batch`, which must be exactly one batch, or the first reason why it is not sound. */
export function parseBatch(batch: Uint8Array): ParsedBatch {
  if (batch.length < batchHeaderBytes) return { ok: false, fault: 'shorter-than-header' };
  const view = viewOf(batch);
  const fault = frameFault(view) ?? attributesFault(view.getInt16(21)) ?? countFault(view) ?? timestampFault(view) ?? producerFault(view);
  return fault === undefined ? { ok: true, facts: readFacts(view) } : { ok: false, fault };
}

function readFacts(view: DataView): BatchFacts {
  return {
    recordCount: view.getInt32(57),
    maxTimestampMs: readInt64(view, 35),
    producerId: readInt64(view, 43),
    producerEpoch: view.getInt16(51),
    baseSequence: view.getInt32(53),
    compression: compressionOf(view.getInt16(21)) ?? 'none',
    sizeBytes: view.byteLength,
  };
}

function frameFault(view: DataView): BatchFault | undefined {
  // Magic first: older formats keep another length at the same place.
  if (view.getInt8(16) !== 2) return 'unsupported-magic';
  return view.getInt32(8) === view.byteLength - batchLengthEnd ? undefined : 'wrong-length';
}

function compressionOf(attributes: number): Compression | undefined {
  return compressions[attributes & 0b111];
}

function attributesFault(attributes: number): BatchFault | undefined {
  if (compressionOf(attributes) === undefined) return 'unknown-compression';
  if ((attributes & 0b000_1000) !== 0) return 'broker-timestamps';
  if ((attributes & 0b001_0000) !== 0) return 'transactional';
  if ((attributes & 0b010_0000) !== 0) return 'control';
  return (attributes & ~0b111) === 0 ? undefined : 'unknown-attributes';
}

function countFault(view: DataView): BatchFault | undefined {
  const recordCount = view.getInt32(57);
  const recordsBytes = view.byteLength - batchHeaderBytes;
  if (recordCount < 1) return 'no-records';
  if (recordCount > batchRecordsMax) return 'too-many-records';
  if (view.getInt32(23) !== recordCount - 1) return 'offset-delta-mismatch';
  const bytesMin = compressionOf(view.getInt16(21)) === 'none' ? recordCount * recordBytesMin : 1;
  return recordsBytes >= bytesMin ? undefined : 'records-do-not-fit';
}

function timestampFault(view: DataView): BatchFault | undefined {
  const maxTimestamp = readInt64(view, 35);
  return Number.isSafeInteger(maxTimestamp) && maxTimestamp >= -1 ? undefined : 'invalid-timestamp';
}

function producerFault(view: DataView): BatchFault | undefined {
  const producerId = readInt64(view, 43);
  // Clients disagree on what stands in the other two fields then (-1 or 0): they are not looked at.
  if (producerId === -1) return undefined;
  const sound = Number.isSafeInteger(producerId) && producerId >= 0 && view.getInt16(51) >= 0 && view.getInt32(53) >= 0;
  return sound ? undefined : 'invalid-producer';
}
