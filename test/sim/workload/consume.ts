/**
 * A consumer of the workload: reads one partition from a place of its choice, and now and
 * then begins anew elsewhere. Every batch that the library hands out is a poll.
 */
import { type Balsa, BalsaError, type Consumer } from '@balsa/client';
import type { PollInvoke, Source } from '@balsa/chaos/history/event.ts';
import { type ByteBatch, readRecord } from '@balsa/chaos/workload/answers.ts';
import type { Worker } from './worker.ts';

export { readRecord } from '@balsa/chaos/workload/answers.ts';

export interface ConsumerPlan {
  readonly topic: string;
  readonly partition: number;
  /** A consumer is closed and another begins after about so many polls. */
  readonly pollsMax: number;
}

type Place = Pick<PollInvoke, 'topic' | 'partition'> & { readonly source?: Source };

const retryMs = 100;
/** A new consumer takes a moment: without latency it would read the same records for ever, and no time would pass. */
const betweenMsMax = 40;
/** A new consumer goes back by less than so many records. */
const againMax = 20;
/** Little: a consumer that is closed soon has read it for nothing. */
const readAhead = { fetchWait: 200, prefetchBytesMax: 4096, fetchBytesMax: 2048 };

export async function runConsumer(worker: Worker, balsa: Balsa, { topic, partition, pollsMax }: ConsumerPlan): Promise<void> {
  let next = 0;
  while (!worker.stopping()) {
    const from = worker.random.chance(300) ? Math.max(0, next - worker.random.below(againMax)) : next;
    const polls = worker.random.between(1, pollsMax);
    const consumer = balsa.topic(topic).consumer({ from: BigInt(from), partitions: [partition], ...readAhead });
    const read = await pollSome(worker, consumer, { topic, partition }, from, polls);
    await consumer.close();
    if (read.error === 'OFFSET_OUT_OF_RANGE') next = await earliest(worker, balsa, topic, partition, next);
    else next = read.next;
    await worker.pause(read.error === undefined ? worker.random.below(betweenMsMax) + 1 : retryMs);
  }
}

interface Read {
  /** Offset after the last record (exclusive end). */
  readonly next: number;
  readonly error?: string;
}

/** Assigns `from` and records up to `polls` polls. A poll that waits is closed when the crew stops. */
export async function pollSome(
  worker: Worker,
  consumer: Consumer<Uint8Array, Uint8Array>,
  place: Place,
  from: number,
  polls: number,
): Promise<Read> {
  const { recorder, name: process } = worker;
  recorder.invoke({ f: 'assign', process, topic: place.topic, partition: place.partition, offset: from })({ type: 'ok' });
  const batches = consumer.batches()[Symbol.asyncIterator]();
  let next = from;
  const stop = closeOnStop(worker, consumer);
  try {
    for (let poll = 0; poll < polls && !worker.stopping(); poll++) {
      const complete = recorder.invoke({ f: 'poll', process, ...place });
      const result = await batches.next().catch((error: unknown) => error);
      if (result instanceof BalsaError) {
        complete({ type: 'fail', error: result.code });
        return { next, error: result.code };
      }
      if (result instanceof Error) throw result;
      const { done, value } = result as IteratorResult<ByteBatch, void>;
      if (done === true || value === undefined) {
        complete({ type: 'fail', error: 'CLOSED' });
        return { next };
      }
      const records = value.records.map(readRecord);
      next = (records.at(-1)?.offset ?? next - 1) + 1;
      worker.note('poll');
      // The library reads ahead: its high watermark may be older than the call, and says nothing here.
      complete({ type: 'ok', records });
    }
    return { next };
  } finally {
    stop();
  }
}

function closeOnStop(worker: Worker, consumer: { readonly close: () => Promise<void> }): () => void {
  return worker.client.clock.every(retryMs, () => {
    if (worker.stopping()) void consumer.close();
  });
}

async function earliest(worker: Worker, balsa: Balsa, topic: string, partition: number, next: number): Promise<number> {
  worker.note('out-of-range');
  try {
    const found = (await balsa.topic(topic).offsets()).find((offsets) => offsets.partition === partition);
    return found === undefined ? next : Number(found.earliest);
  } catch (error) {
    if (!(error instanceof BalsaError)) throw error;
    return next;
  }
}
