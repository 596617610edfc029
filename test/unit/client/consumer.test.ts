import { type Balsa, type BalsaError, type Consumer, type ConsumerOptions, json, text } from '@balsa/client';
import { describe, expect, test } from 'vitest';
import { addTopic, moveLeader, partitionOf } from './fake-broker.ts';
import { createFakeWorld, type FakeWorld } from './fake-world.ts';

type World = FakeWorld & { readonly balsa: Balsa; readonly open: (options?: ConsumerOptions) => Consumer<string, string> };

/** A topic whose partition p holds p0..p{count-1}, three records per batch. */
async function start(partitions = 1, count = 0): Promise<World> {
  const world = createFakeWorld();
  addTopic(world.cluster, 't', partitions);
  const balsa = await world.connect();
  const topic = balsa.topic('t', { key: text, value: text });
  const full = { ...world, balsa, open: (options?: ConsumerOptions) => topic.consumer(options) };
  for (let partition = 0; partition < partitions; partition++) await fill(full, partition, 0, count);
  return full;
}

async function fill(world: Omit<World, 'open'>, partition: number, first: number, count: number): Promise<void> {
  const producer = world.balsa.topic('t', { value: text }).producer();
  for (let base = first; base < first + count; base += 3) {
    const values = [base, base + 1, base + 2].filter((index) => index < first + count);
    await world.clock.run(
      Promise.all(values.map((index) => producer.send({ value: `${partition}-${index}`, partition, timestamp: 1_000 + index }))),
    );
  }
  await world.clock.run(producer.close());
}

async function take(world: FakeWorld, consumer: AsyncIterable<{ value: string | null }>, count: number): Promise<string[]> {
  const values: string[] = [];
  const work = async () => {
    if (count === 0) return;
    for await (const { value } of consumer) {
      values.push(value ?? '');
      if (values.length === count) return;
    }
  };
  await world.clock.run(work());
  return values;
}

const all = (world: FakeWorld, consumer: AsyncIterable<{ value: string | null }>) => take(world, consumer, Number.POSITIVE_INFINITY);
const names = (from: number, to: number, partition = 0) => Array.from({ length: to - from }, (_, index) => `${partition}-${from + index}`);

async function failure(world: FakeWorld, consumer: AsyncIterable<{ value: string | null }>): Promise<BalsaError> {
  return await all(world, consumer).then(
    () => expect.fail('the consumer did not fail'),
    (error: BalsaError) => error,
  );
}

describe('positions', () => {
  test('earliest to the end as it was at the start', async () => {
    const world = await start(1, 10);
    const consumer = world.open({ from: 'earliest', until: 'latest' });
    expect(await all(world, consumer)).toEqual(names(0, 10));
    await world.clock.run(consumer.close());
  });

  test('offsets, also inside of batches, and an exclusive end', async () => {
    const world = await start(1, 10);
    expect(await all(world, world.open({ from: 4n, until: 8n }))).toEqual(names(4, 8));
    expect(await all(world, world.open({ from: 4n, until: 4n }))).toEqual([]);
  });

  test('times', async () => {
    const world = await start(1, 9);
    expect(await all(world, world.open({ from: new Date(1_003), until: 'latest' }))).toEqual(names(3, 9));
    expect(await all(world, world.open({ from: 1_006, until: 'latest' }))).toEqual(names(6, 9));
  });

  test('an offset per partition, and some partitions only', async () => {
    const world = await start(3, 4);
    const values = await all(world, world.open({ from: new Map([[1, 2n]]), until: 'latest', partitions: [1, 2] }));
    expect(values.filter((value) => value.startsWith('1-'))).toEqual(names(2, 4, 1));
    expect(values.filter((value) => value.startsWith('2-'))).toEqual(names(0, 4, 2));
    expect(values).toHaveLength(6);
  });

  test('latest waits for what comes', async () => {
    const world = await start(1, 3);
    const consumer = world.open();
    await world.clock.advance(50);
    await fill(world, 0, 3, 3);
    expect(await take(world, consumer, 3)).toEqual(names(3, 6));
  });

  test('offsets of the topic', async () => {
    const world = await start(2, 5);
    const topic = world.balsa.topic('t');
    expect(await world.clock.run(topic.offsets())).toEqual([
      { partition: 0, earliest: 0n, latest: 5n },
      { partition: 1, earliest: 0n, latest: 5n },
    ]);
    expect(await world.clock.run(topic.offsetsAt(1_003))).toEqual([
      { partition: 0, offset: 3n },
      { partition: 1, offset: 3n },
    ]);
  });

  test('a topic or partition that does not exist is an error', async () => {
    const world = await start(1, 1);
    expect((await failure(world, world.open({ partitions: [7] }))).code).toBe('UNKNOWN_PARTITION');
    expect((await failure(world, world.balsa.topic('none', { value: text }).consumer())).code).toBe('UNKNOWN_TOPIC');
  });
});

describe('iterating', () => {
  test('leaving a loop keeps the place', async () => {
    const world = await start(1, 10);
    const consumer = world.open({ from: 'earliest', until: 'latest' });
    expect(await take(world, consumer, 4)).toEqual(names(0, 4));
    expect(await all(world, consumer)).toEqual(names(4, 10));
  });

  test('batches have at most max records of one partition', async () => {
    const world = await start(2, 7);
    const consumer = world.open({ from: 'earliest', until: 'latest' });
    const seen = new Map<number, string[]>();
    const work = async () => {
      for await (const { partition, records, highWatermark } of consumer.batches({ max: 2 })) {
        expect(records.length).toBeLessThanOrEqual(2);
        expect(highWatermark).toBe(7n);
        seen.set(partition, [...(seen.get(partition) ?? []), ...records.map(({ value }) => value ?? '')]);
      }
    };
    await world.clock.run(work());
    expect(seen.get(0)).toEqual(names(0, 7, 0));
    expect(seen.get(1)).toEqual(names(0, 7, 1));
  });

  test('partitions take turns', async () => {
    const world = await start(2, 30);
    const consumer = world.open({ from: 'earliest' });
    await world.clock.advance(100);
    const values = await take(world, consumer, 6);
    expect(new Set(values.map((value) => value[0]))).toEqual(new Set(['0', '1']));
  });

  test('closing ends a waiting loop quietly, aborting with ABORTED', async () => {
    const world = await start(1, 1);
    const consumer = world.open({ from: 'earliest' });
    world.clock.after(100, () => void consumer.close());
    expect(await all(world, consumer)).toEqual(names(0, 1));
    const controller = new AbortController();
    world.clock.after(100, () => controller.abort(new Error('enough')));
    expect((await failure(world, world.open({ from: 'earliest', signal: controller.signal }))).code).toBe('ABORTED');
    await world.clock.run(world.balsa.close());
    await world.clock.advance(5_000);
    expect(world.clock.pendingTimers()).toBe(0);
  });

  test('a value that does not fit its codec names its place', async () => {
    const world = await start(1, 2);
    const consumer = world.balsa.topic('t', { value: json<string>() }).consumer({ from: 1n });
    const error = await failure(world, consumer);
    expect(error).toMatchObject({ code: 'INVALID_RECORD', topic: 't', partition: 0 });
    expect(error.message).toMatch(/Offset 1/);
  });
});

describe('prefetch', () => {
  test('stops at its bound and goes on when records are taken', async () => {
    const world = await start(1, 300);
    const batchBytes = partitionOf(world.cluster, 't', 0)!.log[0]!.bytes.length;
    let fetched = 0;
    world.cluster.hooks.onFetch = (answer) => {
      fetched += answer.batches.length;
      return undefined;
    };
    const consumer = world.open({ from: 'earliest', until: 'latest', prefetchBytesMax: batchBytes * 10 + 1_024, fetchBytesMax: 1_024 });
    await world.clock.advance(2_000);
    const before = fetched;
    expect(before * batchBytes).toBeLessThanOrEqual(batchBytes * 10 + 1_024);
    await world.clock.advance(2_000);
    expect(fetched).toBe(before);
    expect(await all(world, consumer)).toEqual(names(0, 300));
  });
});

describe('faults', () => {
  test('follows the leader', async () => {
    const world = await start(1, 3);
    const consumer = world.open({ from: 'earliest' });
    expect(await take(world, consumer, 3)).toEqual(names(0, 3));
    world.network.setUp('node1:7070', false);
    moveLeader(world.cluster, 't', 0, 2);
    await fill(world, 0, 3, 3);
    expect(await take(world, consumer, 3)).toEqual(names(3, 6));
  });

  test('leaves a silent leader', async () => {
    const world = await start(1, 3);
    const consumer = world.open({ from: 'earliest' });
    expect(await take(world, consumer, 3)).toEqual(names(0, 3));
    world.network.setSilent('node1:7070', true);
    moveLeader(world.cluster, 't', 0, 2);
    await fill(world, 0, 3, 3);
    expect(await take(world, consumer, 3)).toEqual(names(3, 6));
  });

  test.each([
    ['skips a batch', (batches: Uint8Array[]) => batches.slice(1)],
    ['skips a batch inside', (batches: Uint8Array[]) => batches.filter((_, index) => index !== 1)],
    ['repeats a batch', (batches: Uint8Array[]) => [batches[0]!, ...batches]],
    ['swaps batches', (batches: Uint8Array[]) => [batches[0]!, batches[2]!, batches[1]!]],
  ])('an answer that %s ends the consumer and delivers nothing', async (_, change) => {
    const world = await start(1, 9);
    world.cluster.hooks.onFetch = (answer) => ({ ...answer, batches: change(answer.batches) });
    const consumer = world.open({ from: 'earliest' });
    const error = await failure(world, consumer);
    expect(error).toMatchObject({ code: 'INTERNAL', topic: 't', partition: 0 });
    expect(error.message).toMatch(/breaks the order/);
  });

  test('an answer beyond the high watermark ends the consumer', async () => {
    const world = await start(1, 9);
    world.cluster.hooks.onFetch = (answer) => ({ ...answer, highWatermark: 5 });
    expect((await failure(world, world.open({ from: 'earliest' }))).message).toMatch(/high watermark is 5/);
  });

  test('a damaged batch is CORRUPT_BATCH, unless checking is switched off', async () => {
    const world = await start(1, 3);
    const { bytes } = partitionOf(world.cluster, 't', 0)!.log[0]!;
    bytes[bytes.length - 2]! ^= 1;
    expect((await failure(world, world.open({ from: 'earliest' }))).code).toBe('CORRUPT_BATCH');
    expect(await take(world, world.open({ from: 'earliest', checkCrc: false }), 3)).toHaveLength(3);
  });

  test('an offset out of range is an error or a jump, as asked for', async () => {
    const world = await start(1, 9);
    const partition = partitionOf(world.cluster, 't', 0)!;
    partition.log.shift();
    partition.logStart = 3;
    const error = await failure(world, world.open({ from: 1n }));
    expect(error).toMatchObject({ code: 'OFFSET_OUT_OF_RANGE', topic: 't', partition: 0 });
    expect(error.message).toMatch(/holds 3 to 9/);
    expect((await failure(world, world.open({ from: 10n }))).code).toBe('OFFSET_OUT_OF_RANGE');
    expect(await all(world, world.open({ from: 1n, until: 'latest', onOutOfRange: 'earliest' }))).toEqual(names(3, 9));
    expect(await all(world, world.open({ from: 1n, until: 'latest', onOutOfRange: 'latest' }))).toEqual([]);
  });

  test('a new leader that does not know the end yet is asked again', async () => {
    const world = await start(1, 9);
    let refusals = 3;
    world.cluster.hooks.onFetch = (answer) => {
      if (refusals-- <= 0) return undefined;
      return { ...answer, error: { code: 'OFFSET_OUT_OF_RANGE', message: '', leaderNodeId: 0, leaderTerm: 0 }, batches: [] };
    };
    expect(await all(world, world.open({ from: 'earliest', until: 'latest' }))).toEqual(names(0, 9));
  });
});
