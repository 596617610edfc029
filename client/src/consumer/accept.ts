/**
 * Checks a fetch answer and puts its batches into the reader's buffer. Pure but for that.
 *
 * Whatever a broker sends, a consumer sees every offset once and in order: the first batch
 * must contain the wanted offset, each next one must start where the last ended, and
 * nothing may lie at or above the high watermark. An answer that breaks this ends the
 * consumer with an error; nothing of it is delivered.
 */
import type { FetchResponse } from '@balsa/proto/client';
import { BalsaError } from '../errors.ts';
import { readHeader } from '../records/batch-header.ts';
import type { FetchedBatch, PartitionReader } from './consumer-state.ts';

export function acceptAnswer(topic: string, reader: PartitionReader, answer: FetchResponse, checkCrc: boolean): void {
  const accepted: FetchedBatch[] = [];
  let wanted = reader.nextOffset;
  let bytes = 0;
  for (const batch of answer.batches) {
    const header = readHeader(batch, checkCrc);
    const end = header.baseOffset + header.recordCount;
    const isFirst = accepted.length === 0;
    const fits = isFirst ? header.baseOffset <= wanted && wanted < end : header.baseOffset === wanted;
    if (!fits) throw broken(topic, reader, `offset ${wanted} was wanted, the batch holds ${header.baseOffset} to ${end - 1}`);
    if (end > answer.highWatermark) {
      throw broken(topic, reader, `the batch ends at ${end - 1}, the high watermark is ${answer.highWatermark}`);
    }
    accepted.push({ bytes: batch, header, from: wanted });
    bytes += batch.length;
    wanted = end;
  }
  reader.buffer.push(...accepted);
  reader.bufferedBytes += bytes;
  reader.nextOffset = wanted;
  reader.highWatermark = Math.max(reader.highWatermark, answer.highWatermark);
}

function broken(topic: string, reader: PartitionReader, what: string): BalsaError {
  const detail = `The broker's answer breaks the order of the partition: ${what}.`;
  return new BalsaError('INTERNAL', { detail, topic, partition: reader.partition });
}
