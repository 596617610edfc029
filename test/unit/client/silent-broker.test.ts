/** A broker that stands still keeps its connections open; clients must not wait for it longer than for an election. */
import { type Balsa, BalsaError, type ConnectOptions, text } from '@balsa/client';
import { describe, expect, test } from 'vitest';
import { awaitAnswer, createSilenceWatch, isSuspect, suspectMs, suspicionMs } from '../../../client/src/cluster/silence.ts';
import { addTopic, moveLeader } from './fake-broker.ts';
import { createFakeWorld, type FakeWorld } from './fake-world.ts';
import { createVirtualClock } from './virtual-clock.ts';

/** What a client may need once another leader is there: the next look, and one broker that is asked in vain before. */
const foundMs = suspectMs + 1_000 + 100;

async function start(options: ConnectOptions = {}): Promise<FakeWorld & { readonly balsa: Balsa }> {
  const world = createFakeWorld();
  addTopic(world.cluster, 't', 1);
  return { ...world, balsa: await world.connect(options) };
}

/** The leader stands still, and is replaced after the time of an election. */
async function standStill({ network, cluster, clock }: FakeWorld): Promise<void> {
  network.setSilent('node1:7070', true);
  await clock.advance(700);
  moveLeader(cluster, 't', 0, 2);
}

describe('with a leader that stands still', () => {
  test('a producer whose records expire meanwhile goes on at the next leader', async () => {
    const world = await start();
    const producer = world.balsa.topic('t', { value: text }).producer({ deliveryTimeout: '1s' });
    await world.clock.run(producer.send({ value: 'a' }));
    const standing = standStill(world);
    const results: string[] = [];
    // One every 50 ms, as from an application that does not wait.
    for (let i = 0; i < 40; i += 1) {
      const dueMs = world.clock.monotonicMs();
      producer.send({ value: `b${i}` }).then(
        () => results.push(`acked ${world.clock.monotonicMs() - dueMs < 1000}`),
        (error: BalsaError) => results.push(error.code),
      );
      await world.clock.advance(50);
    }
    await standing;
    const firstAck = results.indexOf('acked true');
    expect(firstAck).toBeGreaterThanOrEqual(0);
    // Two seconds of sends; what was due in the last one is acknowledged.
    expect(results.filter((result) => result === 'acked true').length).toBeGreaterThan(15);
    await world.clock.run(producer.close());
  });

  test('a question goes to the next leader before its own time is over', async () => {
    const world = await start();
    await world.clock.run(world.balsa.topic('t').offsets());
    const standing = standStill(world);
    const asked = world.balsa.topic('t').offsets({ partitions: [0], timeout: '10s' });
    const startMs = world.clock.monotonicMs();
    await world.clock.run(standing);
    expect(await world.clock.run(asked)).toHaveLength(1);
    expect(world.clock.monotonicMs() - startMs).toBeLessThan(700 + foundMs);
  });

  test('a consumer reads on at the next leader', async () => {
    const world = await start();
    const producer = world.balsa.topic('t', { value: text }).producer();
    await world.clock.run(producer.send({ value: 'a' }));
    const consumer = world.balsa.topic('t', { value: text }).consumer({ from: 'earliest', fetchWait: '500ms' });
    const records = consumer[Symbol.asyncIterator]();
    expect((await world.clock.run(records.next())).value).toMatchObject({ value: 'a' });
    await world.clock.run(standStill(world));
    const startMs = world.clock.monotonicMs();
    await world.clock.run(producer.send({ value: 'b' }));
    expect((await world.clock.run(records.next())).value).toMatchObject({ value: 'b' });
    expect(world.clock.monotonicMs() - startMs).toBeLessThan(500 + foundMs);
    await world.clock.run(consumer.close());
    await world.clock.run(producer.close());
  });
});

test('a client that is closed leaves no timer', async () => {
  const world = await start({ requestTimeout: '2s' });
  world.network.setSilent('node1:7070', true);
  const asked = world.balsa
    .topic('t')
    .offsets({ timeout: '1s' })
    .catch((error: BalsaError) => error.code);
  await world.clock.advance(600);
  await world.clock.run(world.balsa.close({ timeout: 0 }));
  expect(await world.clock.run(asked)).toMatch(/CLOSED|TIMEOUT|CONNECTION_LOST/);
  await world.clock.advance(10_000);
  expect(world.clock.pendingTimers()).toBe(0);
});

describe('the watch', () => {
  const watching = () => {
    const clock = createVirtualClock();
    const watch = createSilenceWatch(clock);
    let told = 0;
    watch.onSilent = () => (told += 1);
    return { clock, watch, told: () => told };
  };

  test('an answer in time is no silence; the time that a broker may take does not count', async () => {
    const { clock, watch, told } = watching();
    const quick = awaitAnswer(watch, 'a');
    const long = awaitAnswer(watch, 'b', 5_000);
    await clock.advance(suspectMs - 1);
    quick('heard');
    await clock.advance(5_000 - suspectMs);
    expect(told()).toBe(0);
    await clock.advance(suspectMs + 1);
    expect([told(), isSuspect(watch, 'a'), isSuspect(watch, 'b')]).toEqual([1, false, true]);
    long('heard');
    expect(isSuspect(watch, 'b')).toBe(false);
  });

  test('silence is told again and again while it lasts, and one that gave up does not end the suspicion: time does', async () => {
    const { clock, watch, told } = watching();
    const one = awaitAnswer(watch, 'a');
    await clock.advance(suspectMs * 3 + 1);
    expect(told()).toBe(3);
    one('given-up');
    await clock.advance(suspicionMs - 2);
    expect([told(), isSuspect(watch, 'a')]).toEqual([3, true]);
    await clock.advance(1);
    expect([told(), isSuspect(watch, 'a')]).toEqual([3, false]);
    expect(clock.pendingTimers()).toBe(0);
  });

  test('what is done about a silence may wait for the same broker', async () => {
    const { clock, watch, told } = watching();
    watch.onSilent = () => void awaitAnswer(watch, 'a');
    awaitAnswer(watch, 'a');
    await clock.advance(suspectMs * 3 + 1);
    expect(told()).toBe(0);
    expect(watch.byAddress.get('a')?.open).toBe(4);
  });

  test('a stream of requests that all give up is a silence all the same', async () => {
    const { clock, watch, told } = watching();
    const first = awaitAnswer(watch, 'a');
    await clock.advance(suspectMs / 2);
    const second = awaitAnswer(watch, 'a');
    first('given-up');
    await clock.advance(suspectMs / 2 + 1);
    expect(told()).toBe(1);
    second('given-up');
  });
});
