/**
 * The consumers of a workload: each follows one partition from a place of its choice, and now
 * and then begins anew elsewhere in it. Every batch that the library hands out is a poll.
 */
import { type Balsa, BalsaError, type Consumer } from '@balsa/client';
import { balsaErrorOf, type ByteBatch, readRecord } from './answers.ts';
import { type Crew, isStopping, pause } from './crew.ts';

export interface ConsumerPlan {
  readonly name: string;
  readonly topic: string;
  readonly partition: number;
  /** Between two polls. */
  readonly pauseMs: number;
}

const retryMs = 100;
/** A consumer is closed and another begins after at most so many polls. */
const pollsMax = 200;
/** A new consumer goes back by less than so many records, in so many of a hundred cases. */
const againMax = 50;
const againPercent = 30;
/** Little: a consumer that is closed soon has read ahead for nothing. */
const readAhead = { fetchWait: 500, prefetchBytesMax: 256 * 1024, fetchBytesMax: 64 * 1024 };

export async function runConsumer(crew: Crew, balsa: Balsa, plan: ConsumerPlan): Promise<void> {
  const { topic, partition } = plan;
  let next = 0;
  while (!isStopping(crew)) {
    const again = crew.random.below(100) < againPercent ? crew.random.below(againMax) : 0;
    const from = Math.max(0, next - again);
    const consumer = balsa.topic(topic).consumer({ from: BigInt(from), partitions: [partition], ...readAhead });
    const stop = (): void => void consumer.close();
    crew.stop.signal.addEventListener('abort', stop);
    const read = await pollSome(crew, consumer, plan, from);
    crew.stop.signal.removeEventListener('abort', stop);
    await consumer.close();
    next = read.error === 'OFFSET_OUT_OF_RANGE' ? await earliest(balsa, plan, read.next) : read.next;
    if (read.error !== undefined) await pause(crew, retryMs);
  }
}

interface Read {
  /** Offset after the last record (exclusive end). */
  readonly next: number;
  readonly error?: string;
}

async function pollSome(crew: Crew, consumer: Consumer<Uint8Array, Uint8Array>, plan: ConsumerPlan, from: number): Promise<Read> {
  const { name: process, topic, partition, pauseMs } = plan;
  const { history } = crew;
  history.complete(history.invoke({ f: 'assign', process, topic, partition, offset: from }), { type: 'ok' });
  const batches = consumer.batches()[Symbol.asyncIterator]();
  let next = from;
  for (let polls = crew.random.between(1, pollsMax); polls > 0 && !isStopping(crew); polls -= 1) {
    const op = history.invoke({ f: 'poll', process, topic, partition });
    const result: IteratorResult<ByteBatch, void> | BalsaError = await batches.next().catch(balsaErrorOf);
    if (result instanceof BalsaError || result.done === true) {
      const error = result instanceof BalsaError ? result.code : 'CLOSED';
      history.complete(op, { type: 'fail', error });
      return { next, error };
    }
    const records = result.value.records.map(readRecord);
    next = (records.at(-1)?.offset ?? next - 1) + 1;
    // The library reads ahead: its high watermark may be older than the call, and says nothing here.
    history.complete(op, { type: 'ok', records });
    if (pauseMs > 0) await pause(crew, pauseMs);
  }
  return { next };
}

async function earliest(balsa: Balsa, { topic, partition }: ConsumerPlan, next: number): Promise<number> {
  try {
    const [found] = await balsa.topic(topic).offsets({ partitions: [partition] });
    return found === undefined ? next : Number(found.earliest);
  } catch (error) {
    balsaErrorOf(error);
    return next;
  }
}
