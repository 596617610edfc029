/** Reads a topic from its beginning to its present end, as the history for the check. */
import type { Balsa } from '@balsa/client';
import { text } from '@balsa/client';
import type { ReadRecord } from '../history/per-key-check.ts';
import { sequenceOf } from './workload.ts';

const batchRecordsMax = 5000;

export interface ReadBack {
  readonly records: readonly ReadRecord[];
  /** Of keys and values. */
  readonly bytes: number;
  readonly elapsedMs: number;
}

export async function readBack(balsa: Balsa, topic: string, signal: AbortSignal, onProgress: (records: number) => void): Promise<ReadBack> {
  const startMs = performance.now();
  await using consumer = balsa.topic(topic, { key: text, value: text }).consumer({ from: 'earliest', until: 'latest', signal });
  const records: ReadRecord[] = [];
  let bytes = 0;
  for await (const batch of consumer.batches({ max: batchRecordsMax })) {
    for (const { partition, key, value } of batch.records) {
      records.push({ partition, key: key ?? '', sequence: sequenceOf(value ?? '') });
      bytes += (key?.length ?? 0) + (value?.length ?? 0);
    }
    onProgress(records.length);
  }
  return { records, bytes, elapsedMs: performance.now() - startMs };
}
