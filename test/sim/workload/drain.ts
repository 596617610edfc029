/** Reads every partition from the log start to its end with a new client, after everything has ended. */
import { type Balsa, BalsaError, type TopicDescription } from '@balsa/client';
import { readRecord } from '@balsa/chaos/workload/answers.ts';
import type { Worker } from './worker.ts';

const timeoutMs = 15_000;
/** Retention may remove the beginning of a log while it is read: then it is read again. */
const attemptsMax = 20;

export async function drainAll(worker: Worker, balsa: Balsa): Promise<void> {
  for (const topic of await balsa.admin.topics.list({ timeout: timeoutMs })) await drainTopic(worker, balsa, topic);
}

async function drainTopic(worker: Worker, balsa: Balsa, { name: topic, partitions }: TopicDescription): Promise<void> {
  for (const { partition } of partitions) {
    let isDrained = false;
    for (let attempt = 1; !isDrained; attempt++) {
      if (attempt > attemptsMax) throw new Error(`${topic}/${partition}: retention is always faster`);
      isDrained = await drainPartition(worker, balsa, { topic, partition, process: `${worker.name}/${topic}/${partition}#${attempt}` });
    }
  }
}

interface Place {
  readonly topic: string;
  readonly partition: number;
  readonly process: string;
}

/** Whether the end was reached. */
async function drainPartition({ recorder, note }: Worker, balsa: Balsa, place: Place): Promise<boolean> {
  const { topic, partition } = place;
  const offsets = await balsa.topic(topic).offsets({ timeout: timeoutMs });
  const bounds = offsets.find((each) => each.partition === partition);
  if (bounds === undefined) throw new Error(`no offsets of ${topic}/${partition}`);
  const told = { highWatermark: Number(bounds.latest), logStart: Number(bounds.earliest) };
  recorder.invoke({ f: 'assign', ...place, offset: told.logStart })({ type: 'ok' });
  const consumer = balsa.topic(topic).consumer({ from: bounds.earliest, until: bounds.latest, partitions: [partition], fetchWait: 200 });
  const batches = consumer.batches()[Symbol.asyncIterator]();
  try {
    for (;;) {
      const complete = recorder.invoke({ f: 'poll', ...place, source: 'drain' });
      const result = await batches.next().catch((error: unknown) => error);
      if (result instanceof BalsaError && result.code === 'OFFSET_OUT_OF_RANGE') {
        complete({ type: 'fail', error: result.code });
        return false;
      }
      if (result instanceof Error) throw result;
      const { done, value } = result as Awaited<ReturnType<typeof batches.next>>;
      complete({ type: 'ok', records: done === true ? [] : value.records.map(readRecord), ...told });
      if (done === true) return true;
      note('drained');
    }
  } finally {
    await consumer.close();
  }
}
