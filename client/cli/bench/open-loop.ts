/**
 * Open-loop latency: records leave on a schedule that nothing can delay, and time counts
 * from when a record was due. Two clocks stop: at the acknowledgement, and when a consumer
 * that follows the topic has the record. The first 8 bytes of a value are its number.
 */
import type { Acks, Balsa, Consumer } from '../../src/mod.ts';
import { setTimeout as delay } from 'node:timers/promises';
import { SendWindow } from '../send-window.ts';
import { Latencies } from './latencies.ts';
import type { LatencySummary } from './latencies.ts';
import { createPacer } from './pacer.ts';
import type { Pacer } from './pacer.ts';

export interface OpenLoopOptions {
  readonly recordBytes: number;
  readonly acks: Acks;
  /** Records per second. */
  readonly rate: number;
  readonly durationMs: number;
  readonly signal: AbortSignal;
  readonly onProgress: (acked: number, total: number) => void;
}

export interface OpenLoopResult {
  readonly records: number;
  readonly ack: LatencySummary;
  readonly endToEnd: LatencySummary;
}

/** Beyond this many records without an answer the cluster is too slow for the rate, and the run fails. */
const underWayMax = 100_000;
const numberBytes = 8;
/** Records are due some time after the start, so that the consumer is there before the first one. */
const leadMs = 500;

export async function runOpenLoop(balsa: Balsa, topic: string, options: OpenLoopOptions): Promise<OpenLoopResult> {
  const total = Math.floor((options.rate * options.durationMs) / 1000);
  const pacer = createPacer(performance.now() + leadMs, options.rate);
  await using consumer = balsa.topic(topic).consumer({ from: 'earliest', signal: options.signal });
  const seen = measureArrivals(consumer, pacer, total);
  // A failure of the sender must not leave the consumer's promise unobserved.
  seen.catch(() => undefined);
  const ack = await sendOnSchedule(balsa, topic, options, pacer, total);
  return { records: total, ack, endToEnd: await seen };
}

async function sendOnSchedule(balsa: Balsa, topic: string, options: OpenLoopOptions, pacer: Pacer, total: number): Promise<LatencySummary> {
  await using producer = balsa.topic(topic).producer({ acks: options.acks });
  const latencies = new Latencies();
  const window = new SendWindow(underWayMax);
  let acked = 0;
  for (let n = 0; n < total; ) {
    const due = Math.min(total, pacer.dueCount(performance.now()));
    for (; n < due; n += 1) {
      if (!window.hasRoom) await window.room();
      const dueMs = pacer.dueMs(n);
      const sent = producer.send({ value: numbered(n, options.recordBytes) });
      window.add(
        sent.then(() => {
          latencies.record(performance.now() - dueMs);
          acked += 1;
          options.onProgress(acked, total);
        }),
      );
    }
    if (n < total) await delay(Math.max(1, pacer.dueMs(n) - performance.now()), undefined, { signal: options.signal });
  }
  await window.drain();
  return latencies.summary();
}

async function measureArrivals(consumer: Consumer<Uint8Array, Uint8Array>, pacer: Pacer, total: number): Promise<LatencySummary> {
  const latencies = new Latencies();
  for await (const { records } of consumer.batches()) {
    const nowMs = performance.now();
    for (const { value } of records) if (value !== null) latencies.record(nowMs - pacer.dueMs(numberOf(value)));
    if (latencies.count >= total) break;
  }
  return latencies.summary();
}

function numbered(n: number, bytes: number): Uint8Array {
  const value = Buffer.alloc(bytes);
  value.writeDoubleLE(n);
  return value;
}

function numberOf(value: Uint8Array): number {
  return new DataView(value.buffer, value.byteOffset, numberBytes).getFloat64(0, true);
}
