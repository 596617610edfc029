/**
 * The end of a run, read back: every partition from the log start to its end by a fresh client,
 * and again from every replica on its own node. What cannot be read in time is written down
 * as failed; that something is missing then is for the checker to say.
 *
 * A pass that is interrupted goes on where it was, so that neither the history nor the time
 * grows with every try; it begins anew only where retention has removed what comes next.
 *
 * Bounds: `drainsMax` partitions at a time, so that one that does not answer delays few others.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { type Balsa, connect } from '@balsa/client';
import type { PollOk, ReadRecord } from '../history/event.ts';
import type { HistoryRecorder } from '../history/recorder.ts';
import type { PartitionRef } from '../record/timeline.ts';
import { balsaErrorOf, type ByteBatch, readFailure, readRecord } from './answers.ts';
import { closeClient } from './crew.ts';

export interface DrainOptions {
  readonly address: string;
  readonly history: HistoryRecorder;
  readonly topics: readonly string[];
  readonly withinMs: number;
  /** Whether replicas are read as well. */
  readonly replicas: boolean;
  readonly signal: AbortSignal;
}

interface Draining extends DrainOptions {
  readonly balsa: Balsa;
  readonly endMs: number;
}

interface Partition extends PartitionRef {
  readonly replicas: readonly number[];
}

/** A log on its way to be read: by whom, and how far it is. */
interface Reading extends PartitionRef {
  /** The replica that is read; undefined: whoever leads. */
  readonly node: number | undefined;
  readonly name: string;
  /** Passes begun. */
  passes: number;
  /** The offset that comes next; undefined: a pass begins. */
  next: number | undefined;
}

const drainsMax = 8;
const callTimeoutMs = 5_000;
const closeTimeoutMs = 2_000;
const retryMs = 100;
const fetchWaitMs = 100;
const replicaBytes = 1024 * 1024;

/**
 * Resolves to what no error of the library explains, a record that nobody can have sent above all:
 * findings, one per partition at most. Rejects if the cluster cannot even be asked what there is.
 */
export async function drain(options: DrainOptions): Promise<readonly Error[]> {
  const endMs = performance.now() + options.withinMs;
  const balsa = await connect(options.address, { clientId: 'drain', timeout: options.withinMs });
  try {
    const draining: Draining = { ...options, balsa, endMs };
    const left = (await partitionsOf(draining)).values();
    const failures: Error[] = [];
    const work = async (): Promise<void> => {
      for (const partition of left)
        await drainPartition(draining, partition).catch((error: unknown) => failures.push(failureOf(partition, error)));
    };
    await Promise.all(Array.from({ length: drainsMax }, work));
    return failures;
  } finally {
    await closeClient(balsa, closeTimeoutMs);
  }
}

const failureOf = ({ topic, partition }: PartitionRef, cause: unknown): Error =>
  new Error(`drain of ${topic}/${partition}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });

async function partitionsOf({ balsa, topics, withinMs }: Draining): Promise<readonly Partition[]> {
  const described = await balsa.admin.topics.list({ timeout: withinMs });
  return described
    .filter(({ name }) => topics.includes(name))
    .flatMap(({ name: topic, partitions }) => partitions.map(({ partition, replicas }) => ({ topic, partition, replicas })));
}

/** The log first, then the replicas: what the log's end was is known by then. */
async function drainPartition(draining: Draining, { topic, partition, replicas }: Partition): Promise<void> {
  const name = `drain/${topic}/${partition}`;
  await untilRead(draining, { topic, partition, node: undefined, name, passes: 0, next: undefined });
  for (const node of draining.replicas ? replicas : []) {
    await untilRead(draining, { topic, partition, node, name: `${name}/node-${node}`, passes: 0, next: undefined });
  }
}

async function untilRead(draining: Draining, reading: Reading): Promise<void> {
  const { endMs, signal } = draining;
  while (!(await readOn(draining, reading)) && performance.now() < endMs && !signal.aborted) await delay(retryMs);
}

/** Reads as far as it gets; whether that was the end of the log. */
async function readOn(draining: Draining, reading: Reading): Promise<boolean> {
  const { topic, partition, node } = reading;
  try {
    const [bounds] = await draining.balsa.topic(topic).offsets({ partitions: [partition], timeout: callTimeoutMs });
    if (bounds === undefined) throw new Error(`no offsets of ${topic}/${partition}`);
    const told = { highWatermark: Number(bounds.latest), logStart: Number(bounds.earliest) };
    reading.next ??= beginPass(draining, reading, told.logStart);
    if (node === undefined) await readLog(draining, reading, told);
    else await readReplica(draining, reading, node, told.highWatermark);
    return reading.next >= told.highWatermark;
  } catch (error) {
    // What was read when it failed is in the history, and so is the failure.
    if (balsaErrorOf(error).code === 'OFFSET_OUT_OF_RANGE') reading.next = undefined;
    return false;
  }
}

function beginPass({ history }: Draining, reading: Reading, offset: number): number {
  const { topic, partition, node } = reading;
  reading.passes += 1;
  const op = history.invoke({
    f: 'assign',
    process: processOf(reading),
    topic,
    partition,
    offset,
    ...(node === undefined ? {} : { node }),
  });
  history.complete(op, { type: 'ok' });
  return offset;
}

const processOf = ({ name, passes }: Reading): string => `${name}#${passes}`;

type Bounds = Required<Pick<PollOk, 'highWatermark' | 'logStart'>>;

/** The last poll finds nothing more: that it came to the end is on record even for an empty log. */
async function readLog({ balsa, history, endMs, signal }: Draining, reading: Reading, told: Bounds): Promise<void> {
  const { topic, partition } = reading;
  const leftMs = Math.max(callTimeoutMs, endMs - performance.now());
  await using consumer = balsa.topic(topic).consumer({
    from: BigInt(reading.next ?? told.logStart),
    until: BigInt(told.highWatermark),
    partitions: [partition],
    fetchWait: fetchWaitMs,
    signal: AbortSignal.any([signal, AbortSignal.timeout(Math.ceil(leftMs))]),
  });
  const batches = consumer.batches()[Symbol.asyncIterator]();
  for (let isDone = false; !isDone; ) {
    const op = history.invoke({ f: 'poll', process: processOf(reading), topic, partition, source: 'drain' });
    const result: IteratorResult<ByteBatch, void> = await batches.next().catch((error: unknown) => {
      history.complete(op, readFailure(error));
      throw error;
    });
    isDone = result.done === true;
    const records = result.done === true ? [] : result.value.records.map(readRecord);
    history.complete(op, { type: 'ok', records, ...told });
    advance(reading, records);
  }
}

const advance = (reading: Reading, records: readonly ReadRecord[]): void => {
  const last = records.at(-1);
  if (last !== undefined) reading.next = last.offset + 1;
};

/** A replica that lags has an end of its own: then nothing more comes for now. */
async function readReplica({ balsa, history }: Draining, reading: Reading, node: number, end: number): Promise<void> {
  const { topic, partition } = reading;
  for (let isMore = true; isMore; ) {
    const op = history.invoke({ f: 'poll', process: processOf(reading), topic, partition, source: 'replica', node });
    const place = { topic, partition, node, offset: BigInt(reading.next ?? 0), bytesMax: replicaBytes };
    const answer = await balsa.admin.topics.readReplica(place, { timeout: callTimeoutMs }).catch((error: unknown) => {
      history.complete(op, readFailure(error));
      throw error;
    });
    const records = answer.records.map(readRecord);
    history.complete(op, { type: 'ok', records, highWatermark: Number(answer.highWatermark), logStart: Number(answer.logStart) });
    advance(reading, records);
    isMore = records.length > 0 && (reading.next ?? 0) < end;
  }
}
