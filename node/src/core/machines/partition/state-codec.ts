/**
 * Partition state as bytes, for snapshots, checkpoints and for comparing replicas.
 *
 * ```
 * uint8 version (1), int64 nextOffset, int64 logStart, int64 lastStampMs, int32 producers
 * per producer, in the order of lastIndex:
 *   int64 producerId, int16 epoch, int64 sequencesTaken, int64 lastIndex, int64 lastStampMs, uint8 batches
 *   per batch, oldest first: int32 firstSequence, int32 lastSequence, int64 baseOffset
 * ```
 *
 * Decoding asserts: these bytes come from a journal that verified their checksum, so
 * damage means a bug, and a replica with a wrong state must not go on.
 */
import { assert } from '../../assert.ts';
import { asOffset, asRaftIndex } from '../../ids.ts';
import { ByteReader, ByteWriter } from '../../records/bytes.ts';
import { producerWindowBatches } from './limits.ts';
import type { Producer, RememberedBatch } from './producer.ts';
import type { PartitionState } from './state.ts';

const version = 1;
const headBytes = 29;
const producerBytesMax = 35 + producerWindowBatches * 16;

export function encodePartitionState(state: PartitionState): Uint8Array {
  const writer = new ByteWriter(headBytes + state.producers.size * producerBytesMax);
  writer.uint8(version);
  writer.int64(state.nextOffset);
  writer.int64(state.logStart);
  writer.int64(state.lastStampMs);
  writer.int32(state.producers.size);
  let previousIndex = 0;
  for (const [producerId, producer] of state.producers) {
    assert(producer.lastIndex > previousIndex, 'producers are in log order', { producerId, previousIndex, lastIndex: producer.lastIndex });
    previousIndex = producer.lastIndex;
    writeProducer(writer, producerId, producer);
  }
  return writer.finish();
}

export function decodePartitionState(bytes: Uint8Array): PartitionState {
  const reader = new ByteReader(bytes);
  const found = reader.uint8();
  assert(found === version, 'the partition state has a known version', { found, version });
  const nextOffset = asOffset(reader.int64());
  const logStart = asOffset(reader.int64());
  const lastStampMs = reader.int64();
  assert(logStart >= 0 && logStart <= nextOffset, 'the log start lies in the log', { logStart, nextOffset });
  const producers = new Map<number, Producer>();
  let previousIndex = 0;
  for (let left = reader.int32(); left > 0; left--) {
    const producerId = reader.int64();
    const producer = readProducer(reader);
    assert(producer.lastIndex > previousIndex, 'producers are in log order', { producerId, previousIndex, lastIndex: producer.lastIndex });
    assert(!producers.has(producerId), 'a producer is listed once', { producerId });
    previousIndex = producer.lastIndex;
    producers.set(producerId, producer);
  }
  assert(reader.remaining === 0, 'the partition state has no bytes left over', { remaining: reader.remaining });
  return { nextOffset, logStart, lastStampMs, producers };
}

function writeProducer(writer: ByteWriter, producerId: number, producer: Producer): void {
  writer.int64(producerId);
  writer.int16(producer.epoch);
  writer.int64(producer.sequencesTaken);
  writer.int64(producer.lastIndex);
  writer.int64(producer.lastStampMs);
  writer.uint8(producer.window.length);
  for (const batch of producer.window) {
    writer.int32(batch.firstSequence);
    writer.int32(batch.lastSequence);
    writer.int64(batch.baseOffset);
  }
}

function readProducer(reader: ByteReader): Producer {
  const epoch = reader.int16();
  const sequencesTaken = reader.int64();
  const lastIndex = asRaftIndex(reader.int64());
  const lastStampMs = reader.int64();
  const batches = reader.uint8();
  assert(batches >= 1 && batches <= producerWindowBatches, 'a producer has remembered batches', { batches });
  const window: RememberedBatch[] = [];
  for (let left = batches; left > 0; left--) {
    window.push({ firstSequence: reader.int32(), lastSequence: reader.int32(), baseOffset: asOffset(reader.int64()) });
  }
  return { epoch, window, sequencesTaken, lastIndex, lastStampMs };
}
