/**
 * Judges a batch before it is proposed, so that nothing bad takes a place in the log.
 * The cost is per batch: header, sizes, one checksum by the CPU's instruction. Records
 * are looked at only in batches above the record limit, where one could be too large.
 */
import { crc32c } from '@node-rs/crc32';
import type { EffectiveTopicSettings } from '../core/machines/metadata/topic-settings.ts';
import { crcRegion } from '../core/records/batch-crc.ts';
import type { BatchFacts } from '../core/records/batch-header.ts';
import { batchHeaderBytes, parseBatch } from '../core/records/batch-header.ts';
import { brokerError } from './broker-error.ts';

/** Facts of a sound batch, or BATCH_TOO_LARGE, INVALID_BATCH, CORRUPT_BATCH, RECORD_TOO_LARGE. */
export function checkBatch(batch: Uint8Array, { batchBytesMax, recordBytesMax }: EffectiveTopicSettings, subject: string): BatchFacts {
  if (batch.length > batchBytesMax) {
    throw brokerError('BATCH_TOO_LARGE', `The batch for ${subject} has ${batch.length} bytes; batch.bytes.max is ${batchBytesMax}.`);
  }
  const parsed = parseBatch(batch);
  if (!parsed.ok) throw brokerError('INVALID_BATCH', `The batch for ${subject} is not acceptable: ${parsed.fault}.`);
  const { stored, covered } = crcRegion(batch);
  if (crc32c(covered) !== stored) throw brokerError('CORRUPT_BATCH', `The checksum of the batch for ${subject} is wrong.`);
  if (batch.length > recordBytesMax) checkRecordSizes(batch, parsed.facts, recordBytesMax, subject);
  return parsed.facts;
}

function checkRecordSizes(batch: Uint8Array, { compression, recordCount }: BatchFacts, recordBytesMax: number, subject: string): void {
  const largest = compression === 'none' ? largestRecord(batch, recordCount) : recordCount === 1 ? batch.length - batchHeaderBytes : 0;
  if (largest === undefined) throw brokerError('INVALID_BATCH', `The records of the batch for ${subject} do not fill it exactly.`);
  if (largest > recordBytesMax) {
    throw brokerError('RECORD_TOO_LARGE', `A record for ${subject} has ${largest} bytes; record.bytes.max is ${recordBytesMax}.`);
  }
}

/** Bytes of the largest record; undefined if the lengths do not add up to the batch. */
function largestRecord(batch: Uint8Array, recordCount: number): number | undefined {
  let at = batchHeaderBytes;
  let largest = 0;
  for (let record = 0; record < recordCount; record += 1) {
    const length = readZigZag(batch, at);
    if (length === undefined || length.value < 0) return undefined;
    at = length.end + length.value;
    if (at > batch.length) return undefined;
    largest = Math.max(largest, length.value);
  }
  return at === batch.length ? largest : undefined;
}

const varintBytesMax = 5;

/** A signed varint of up to 32 bits at `at`. */
function readZigZag(bytes: Uint8Array, at: number): { readonly value: number; readonly end: number } | undefined {
  let raw = 0;
  for (let place = 0; place < varintBytesMax; place += 1) {
    const byte = bytes[at + place];
    if (byte === undefined) return undefined;
    raw |= (byte & 0x7f) << (7 * place);
    if ((byte & 0x80) === 0) return { value: (raw >>> 1) ^ -(raw & 1), end: at + place + 1 };
  }
  return undefined;
}
