import { type BalsaError, type Producer, type ProducerOptions, text } from '@balsa/client';
import { describe, expect, test } from 'vitest';
import { decodeBatch } from '../../../client/src/records/batch-reader.ts';
import { addTopic, moveLeader, partitionOf, type ProduceFault } from './fake-broker.ts';
import { truncate } from './fake-log.ts';
import { createFakeWorld, type FakeWorld } from './fake-world.ts';
import { logValues } from './log-values.ts';

async function start(options: ProducerOptions = {}, partitions = 1): Promise<FakeWorld & { readonly producer: Producer<string, string> }> {
  const world = createFakeWorld();
  addTopic(world.cluster, 't', partitions);
  const balsa = await world.connect();
  return { ...world, producer: balsa.topic('t', { key: text, value: text }).producer(options) };
}

/** Faults for the first produce requests; later ones are served well. */
function failFirst(world: FakeWorld, ...faults: (ProduceFault | undefined)[]): void {
  const queue = [...faults];
  world.cluster.hooks.onProduce = () => queue.shift();
}

const settled = (sends: Promise<unknown>[]) => Promise.allSettled(sends);
const reasonOf = (result: PromiseSettledResult<unknown> | undefined) => (result as PromiseRejectedResult).reason as BalsaError;

describe('sending', () => {
  test('resolves with offsets and receipts, and leaves nothing behind when closed', async () => {
    const world = createFakeWorld();
    addTopic(world.cluster, 't', 1);
    const balsa = await world.connect();
    const producer = balsa.topic('t', { key: text, value: text }).producer();
    const results = await world.clock.run(Promise.all([producer.send({ key: 'a', value: '1' }), producer.send({ value: '2' })]));
    expect(results.map(({ partition, offset }) => [partition, offset])).toEqual([
      [0, 0n],
      [0, 1n],
    ]);
    expect(results[0]?.receipt).toEqual({ groupId: 1, term: 1, index: 2, durableCopies: 2 });
    await world.clock.run(balsa.close());
    await world.clock.advance(10);
    expect(world.clock.pendingTimers()).toBe(0);
    expect(world.network.openStreams()).toBe(0);
  });

  test('gathers the sends of one turn in one batch, in order', async () => {
    const { clock, cluster, producer } = await start();
    await clock.run(Promise.all(Array.from({ length: 50 }, (_, index) => producer.send({ value: `${index}` }))));
    expect(partitionOf(cluster, 't', 0)?.log).toHaveLength(1);
    expect(logValues(cluster, 't', 0)).toEqual(Array.from({ length: 50 }, (_, index) => `${index}`));
  });

  test('linger waits for more, flush does not', async () => {
    const { clock, cluster, producer } = await start({ linger: '1s' });
    const first = producer.send({ value: 'a' });
    await clock.advance(500);
    const second = producer.send({ value: 'b' });
    await clock.advance(400);
    expect(cluster.produced).toHaveLength(0);
    await clock.run(Promise.all([first, second]));
    expect(cluster.produced).toHaveLength(1);
    void producer.send({ value: 'c' });
    const startMs = clock.monotonicMs();
    await clock.run(producer.flush());
    expect(clock.monotonicMs() - startMs).toBeLessThan(100);
    expect(logValues(cluster, 't', 0)).toEqual(['a', 'b', 'c']);
  });

  test('puts headers, timestamps, null keys and null values on the wire', async () => {
    const { clock, cluster, producer } = await start();
    await clock.run(producer.send({ key: 'k', value: null, headers: { a: 'x', b: null }, timestamp: new Date(5) }));
    const [record] = decodeBatch(partitionOf(cluster, 't', 0)!.log[0]!.bytes).records;
    expect(record).toMatchObject({ value: null, timestampMs: 5 });
    expect(record!.headers.map(({ key, value }) => [key, value === null ? null : Buffer.from(value).toString()])).toEqual([
      ['a', 'x'],
      ['b', null],
    ]);
  });

  test('same key, same partition; without key one partition after the other', async () => {
    const { clock, producer } = await start({}, 5);
    const keyed = await clock.run(Promise.all(['a', 'b', 'a'].map((key) => producer.send({ key, value: 'x' }))));
    expect(keyed[0]!.partition).toBe(keyed[2]!.partition);
    const used = new Set<number>();
    for (let round = 0; round < 20; round++) {
      const results = await clock.run(Promise.all([producer.send({ value: 'x' }), producer.send({ value: 'y' })]));
      expect(results[0].partition).toBe(results[1].partition);
      used.add(results[0].partition);
    }
    expect(used.size).toBeGreaterThan(2);
  });

  test('refuses at once what can never be sent', async () => {
    const { clock, producer, cluster } = await start({ batchBytesMax: 500 });
    const results = await clock.run(
      settled([
        producer.send({ value: 'x'.repeat(500) }),
        producer.send({ value: 'x', partition: 9 }),
        producer.send({ value: 'x', timestamp: 0.5 }),
      ]),
    );
    expect(results.map((result) => [reasonOf(result).code, reasonOf(result).effect])).toEqual([
      ['RECORD_TOO_LARGE', 'none'],
      ['UNKNOWN_PARTITION', 'none'],
      ['INVALID_REQUEST', 'none'],
    ]);
    expect(cluster.produced).toHaveLength(0);
  });

  test('finds a topic that is newer than the view of the broker it asks', async () => {
    const world = createFakeWorld();
    const balsa = await world.connect();
    addTopic(world.cluster, 'late', 1);
    const producer = balsa.topic('late', { value: text }).producer();
    expect((await world.clock.run(producer.send({ value: 'x' }))).offset).toBe(0n);
    world.network.setUp('node1:7070', false);
    const unsure = balsa.topic('nowhere', { value: text }).producer({ deliveryTimeout: '2s' });
    const [doubt] = await world.clock.run(settled([unsure.send({ value: 'x' })]));
    expect(reasonOf(doubt).code, 'only the metadata leader can say that there is no topic').toBe('TIMEOUT');
    world.network.setUp('node1:7070', true);
    const lost = balsa.topic('nowhere', { value: text }).producer();
    const [result] = await world.clock.run(settled([lost.send({ value: 'x' })]));
    expect(reasonOf(result)).toMatchObject({ code: 'UNKNOWN_TOPIC', effect: 'none' });
  });

  test('fails what is buffered when the topic is deleted', async () => {
    const world = await start();
    await world.clock.run(world.producer.send({ value: 'a' }));
    world.cluster.topics.delete('t');
    const [result] = await world.clock.run(settled([world.producer.send({ value: 'b' })]), 20_000);
    expect(reasonOf(result)).toMatchObject({ code: 'UNKNOWN_TOPIC', effect: 'none' });
  });
});

describe('retries', () => {
  test('a lost answer is settled by sending the same bytes again', async () => {
    const world = await start();
    failFirst(world, { kind: 'close-after-append' });
    const { offset } = await world.clock.run(world.producer.send({ value: 'a' }));
    expect(offset).toBe(0n);
    expect(world.cluster.produced).toHaveLength(2);
    expect(world.cluster.produced[0]!.bytes.equals(world.cluster.produced[1]!.bytes)).toBe(true);
    expect(logValues(world.cluster, 't', 0)).toEqual(['a']);
  });

  test('batches behind a refused one are sent again in order, not re-batched', async () => {
    const world = await start({ batchBytesMax: 200 });
    failFirst(world, undefined, { kind: 'refuse', code: 'OVERLOADED' });
    const values = Array.from({ length: 8 }, (_, index) => `${index}`.repeat(60));
    const results = await world.clock.run(Promise.all(values.map((value) => world.producer.send({ value }))));
    expect(results.map(({ offset }) => offset)).toEqual(values.map((_, index) => BigInt(index)));
    expect(logValues(world.cluster, 't', 0)).toEqual(values);
  });

  test('a hint to a new leader is followed without a pause', async () => {
    const world = await start();
    await world.clock.run(world.producer.send({ value: 'a' }));
    moveLeader(world.cluster, 't', 0, 2);
    const questions = () => world.cluster.calls.filter((call) => call.endsWith('GetMetadata')).length;
    const before = questions();
    const startMs = world.clock.monotonicMs();
    await world.clock.run(world.producer.send({ value: 'b' }));
    expect(world.clock.monotonicMs() - startMs).toBeLessThan(10);
    expect(questions()).toBe(before);
    expect(world.cluster.produced.at(-1)?.nodeId).toBe(2);
  });

  test('a failover of 250 ms costs little more', async () => {
    const world = await start();
    await world.clock.run(world.producer.send({ value: 'a' }));
    world.network.setUp('node1:7070', false);
    world.clock.after(250, () => moveLeader(world.cluster, 't', 0, 3));
    const startMs = world.clock.monotonicMs();
    await world.clock.run(world.producer.send({ value: 'b' }));
    const tookMs = world.clock.monotonicMs() - startMs;
    expect(tookMs).toBeGreaterThan(250);
    expect(tookMs).toBeLessThan(550);
    expect(logValues(world.cluster, 't', 0)).toEqual(['a', 'b']);
  });

  test('a leader that falls silent is left as soon as another one is known', async () => {
    const world = await start();
    await world.clock.run(world.producer.send({ value: 'a' }));
    world.network.setSilent('node1:7070', true);
    moveLeader(world.cluster, 't', 0, 2);
    const startMs = world.clock.monotonicMs();
    await world.clock.run(world.producer.send({ value: 'b' }));
    // One second of silence, and at most one broker that does not answer the question who leads.
    expect(world.clock.monotonicMs() - startMs).toBeLessThan(2_500);
  });

  test('an answer that the broker has forgotten the offset of still is an acknowledgement', async () => {
    const world = await start();
    failFirst(world, { kind: 'append-then-fail', code: 'DUPLICATE_SEQUENCE' });
    const result = await world.clock.run(world.producer.send({ value: 'a' }));
    expect(result).toEqual({ partition: 0, offset: undefined, receipt: undefined });
  });

  test('a producer that the partition has forgotten starts a new epoch', async () => {
    const world = await start();
    await world.clock.run(world.producer.send({ value: 'a' }));
    partitionOf(world.cluster, 't', 0)!.producers.clear();
    expect((await world.clock.run(world.producer.send({ value: 'b' }))).offset).toBe(1n);
    expect(decodeBatch(world.cluster.produced.at(-1)!.bytes).header).toMatchObject({ producerEpoch: 1, baseSequence: 0 });
  });

  test('a batch refused for good takes nothing else with it', async () => {
    const world = await start({ batchBytesMax: 200 });
    failFirst(world, undefined, { kind: 'refuse', code: 'INVALID_BATCH' });
    const values = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(60));
    const results = await world.clock.run(settled(values.map((value) => world.producer.send({ value }))));
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled']);
    expect(reasonOf(results[1])).toMatchObject({ code: 'INVALID_BATCH', effect: 'none', topic: 't', partition: 0 });
    expect(logValues(world.cluster, 't', 0)).toEqual([values[0], values[2], values[3]]);
  });

  test('without idempotence one batch is under way at a time, and retries may duplicate', async () => {
    const world = await start({ idempotent: false, batchBytesMax: 200 });
    failFirst(world, { kind: 'append-then-fail', code: 'TIMEOUT' });
    await world.clock.run(Promise.all(['a', 'b'].map((letter) => world.producer.send({ value: letter.repeat(60) }))));
    expect(logValues(world.cluster, 't', 0).map((value) => value[0])).toEqual(['a', 'a', 'b']);
    expect(world.cluster.calls.some((call) => call.endsWith('InitProducer'))).toBe(false);
  });
});

describe('giving up', () => {
  test('what may have been written fails with unknown effect, and the next epoch goes on', async () => {
    const world = await start({ deliveryTimeout: 2_000 });
    world.cluster.hooks.onProduce = () => ({ kind: 'drop-reply' });
    const [result] = await world.clock.run(settled([world.producer.send({ value: 'a' })]));
    expect(reasonOf(result)).toMatchObject({ code: 'TIMEOUT', effect: 'unknown', topic: 't', partition: 0 });
    world.cluster.hooks.onProduce = () => undefined;
    expect((await world.clock.run(world.producer.send({ value: 'b' }))).offset).toBe(1n);
    expect(decodeBatch(world.cluster.produced.at(-1)!.bytes).header).toMatchObject({ producerEpoch: 1, baseSequence: 0 });
  });

  test('what was never sent fails with effect none', async () => {
    const world = await start({ deliveryTimeout: 2_000 });
    for (const node of [1, 2, 3]) world.network.setUp(`node${node}:7070`, false);
    const [result] = await world.clock.run(settled([world.producer.send({ value: 'a' })]));
    expect(reasonOf(result)).toMatchObject({ code: 'TIMEOUT', effect: 'none' });
  });

  test('what was refused each time fails with effect none, and what follows is written', async () => {
    const world = await start({ deliveryTimeout: 2_000 });
    world.cluster.hooks.onProduce = () => ({ kind: 'refuse', code: 'DISK_FULL' });
    const [result] = await world.clock.run(settled([world.producer.send({ value: 'a' })]));
    expect(reasonOf(result)).toMatchObject({ code: 'TIMEOUT', effect: 'none' });
    expect(reasonOf(result).message).toMatch(/DISK_FULL/);
    world.cluster.hooks.onProduce = () => undefined;
    await world.clock.run(world.producer.send({ value: 'b' }));
    expect(logValues(world.cluster, 't', 0)).toEqual(['b']);
  });

  test('a late reply to a batch that got another sequence says nothing about it', async () => {
    // The first answer (a refusal) comes after the batch was given its new sequence and while that one is undecided.
    const world = await start({ batchBytesMax: 200, deliveryTimeout: 3_000 });
    const faults: (ProduceFault | undefined)[] = [
      { kind: 'refuse', code: 'INVALID_BATCH' },
      { kind: 'delay-reply', ms: 50 },
    ];
    world.cluster.hooks.onProduce = () => faults.shift() ?? { kind: 'drop-reply' };
    const results = await world.clock.run(settled(['a', 'b'].map((letter) => world.producer.send({ value: letter.repeat(60) }))));
    expect(reasonOf(results[0])).toMatchObject({ code: 'INVALID_BATCH', effect: 'none' });
    expect(reasonOf(results[1])).toMatchObject({ code: 'TIMEOUT', effect: 'unknown' });
    expect(logValues(world.cluster, 't', 0)).toEqual(['b'.repeat(60)]);
  });

  test('a time-out or abort of one call ends that call', async () => {
    const world = await start();
    world.cluster.hooks.onProduce = () => ({ kind: 'delay-reply', ms: 3_000 });
    const controller = new AbortController();
    const sends = [
      world.producer.send({ value: 'a' }, { timeout: 100 }),
      world.producer.send({ value: 'b' }, { signal: controller.signal }),
      world.producer.send({ value: 'c' }),
    ];
    world.clock.after(200, () => controller.abort(new Error('enough')));
    const results = await world.clock.run(settled(sends));
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled']);
    expect(reasonOf(results[0])).toMatchObject({ code: 'TIMEOUT', effect: 'unknown' });
    expect(reasonOf(results[1])).toMatchObject({ code: 'ABORTED', effect: 'unknown' });
    const [early] = await world.clock.run(settled([world.producer.send({ value: 'd' }, { signal: controller.signal })]));
    expect(reasonOf(early)).toMatchObject({ code: 'ABORTED', effect: 'none' });
  });
});

describe('acks below quorum', () => {
  test('say no offset', async () => {
    const { clock, cluster, producer } = await start({ acks: 'leader' });
    expect(await clock.run(producer.send({ value: 'a' }))).toMatchObject({ offset: undefined, receipt: { term: 1 } });
    expect(cluster.produced[0]?.acks).toBe(2);
  });

  test('go on when acknowledged batches were lost with a leader', async () => {
    const world = await start({ acks: 'none' });
    for (const value of ['a', 'b', 'c']) await world.clock.run(world.producer.send({ value }));
    truncate(partitionOf(world.cluster, 't', 0)!, 2);
    moveLeader(world.cluster, 't', 0, 2);
    await world.clock.run(world.producer.send({ value: 'd' }));
    expect(logValues(world.cluster, 't', 0)).toEqual(['a', 'd']);
  });

  test('with acks of a quorum a lost batch is an error, not a gap', async () => {
    const world = await start();
    for (const value of ['a', 'b']) await world.clock.run(world.producer.send({ value }));
    truncate(partitionOf(world.cluster, 't', 0)!, 1);
    const [result] = await world.clock.run(settled([world.producer.send({ value: 'c' })]));
    expect(reasonOf(result)).toMatchObject({ code: 'OUT_OF_ORDER_SEQUENCE', effect: 'none' });
  });
});

describe('buffer', () => {
  test('send waits while it is full, and order is kept', async () => {
    const world = await start({ batchBytesMax: 1_000, bufferBytesMax: 1_000 });
    let isOpen = false;
    world.cluster.hooks.onProduce = () => (isOpen ? undefined : { kind: 'refuse', code: 'OVERLOADED' });
    const values = Array.from({ length: 30 }, (_, index) => `${String(index).padStart(2, '0')}${'x'.repeat(100)}`);
    const sends = values.map((value) => world.producer.send({ value }));
    await world.clock.advance(300);
    const attempted = new Set(world.cluster.produced.flatMap(({ bytes }) => decodeBatch(bytes).records.length));
    expect(Math.max(...attempted)).toBeLessThanOrEqual(7);
    isOpen = true;
    await world.clock.run(Promise.all(sends));
    expect(logValues(world.cluster, 't', 0)).toEqual(values);
  });

  test('a send that finds no room before its deadline fails with effect none', async () => {
    const world = await start({ batchBytesMax: 300, bufferBytesMax: 300, deliveryTimeout: 1_000 });
    world.cluster.hooks.onProduce = () => ({ kind: 'drop-request' });
    const results = await world.clock.run(
      settled([world.producer.send({ value: 'x'.repeat(150) }), world.producer.send({ value: 'y'.repeat(150) })]),
    );
    expect(results.map((result) => [reasonOf(result).code, reasonOf(result).effect])).toEqual([
      ['TIMEOUT', 'unknown'],
      ['TIMEOUT', 'none'],
    ]);
  });

  test('a send that is aborted while it waits is not written', async () => {
    const world = await start({ batchBytesMax: 300, bufferBytesMax: 300 });
    failFirst(world, { kind: 'delay-reply', ms: 500 });
    const first = world.producer.send({ value: 'x'.repeat(150) });
    const [second] = await world.clock.run(settled([world.producer.send({ value: 'y'.repeat(150) }, { timeout: 100 })]));
    expect(reasonOf(second)).toMatchObject({ code: 'TIMEOUT', effect: 'none' });
    await world.clock.run(first);
    await world.clock.run(world.producer.send({ value: 'z' }));
    expect(logValues(world.cluster, 't', 0).map((value) => value[0])).toEqual(['x', 'z']);
  });

  test('sendAll pulls its input only as fast as the buffer takes it', async () => {
    const world = await start({ batchBytesMax: 1_000, bufferBytesMax: 2_000 });
    let isOpen = false;
    let pulled = 0;
    world.cluster.hooks.onProduce = () => (isOpen ? undefined : { kind: 'refuse', code: 'OVERLOADED' });
    const input = (function* () {
      for (; pulled < 100; pulled++) yield { value: `${pulled}-${'x'.repeat(90)}` };
    })();
    const sending = world.producer.sendAll(input);
    await world.clock.advance(300);
    expect(pulled).toBeLessThan(20);
    isOpen = true;
    expect(await world.clock.run(sending)).toEqual({ count: 100, lastOffsets: new Map([[0, 99n]]) });
  });

  test('sendAll rejects at the first failure and stops pulling', async () => {
    const world = await start({ batchBytesMax: 300, bufferBytesMax: 300 });
    failFirst(world, { kind: 'refuse', code: 'INVALID_BATCH' });
    let pulled = 0;
    const input = (async function* () {
      for (; pulled < 50; pulled++) yield { value: 'x'.repeat(150) };
    })();
    const [result] = await world.clock.run(settled([world.producer.sendAll(input)]));
    expect(reasonOf(result)).toMatchObject({ code: 'INVALID_BATCH' });
    expect(pulled).toBeLessThan(10);
  });
});

describe('closing', () => {
  test('flushes first, refuses afterwards, twice is once', async () => {
    const { clock, cluster, producer } = await start({ linger: '10s' });
    const send = producer.send({ value: 'a' });
    await clock.run(producer.close());
    expect((await send).offset).toBe(0n);
    await clock.run(producer.close());
    const [late] = await clock.run(settled([producer.send({ value: 'b' })]));
    expect(reasonOf(late)).toMatchObject({ code: 'CLOSED', effect: 'none' });
    expect(logValues(cluster, 't', 0)).toEqual(['a']);
  });

  test('ends at its time-out and says what may have been written', async () => {
    const world = await start({ batchBytesMax: 200, inflightMax: 1 });
    world.cluster.hooks.onProduce = () => ({ kind: 'drop-reply' });
    const sends = settled(['a', 'b'].map((letter) => world.producer.send({ value: letter.repeat(60) })));
    await world.clock.run(world.producer.close({ timeout: 1_000 }));
    const results = await sends;
    expect(results.map((result) => [reasonOf(result).code, reasonOf(result).effect])).toEqual([
      ['CLOSED', 'unknown'],
      ['CLOSED', 'none'],
    ]);
  });
});
