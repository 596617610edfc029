/** Reading where the partition ends: nothing beyond the high watermark, nothing lost when a new leader is behind. */
import { type BalsaError, text } from '@balsa/client';
import { expect, test } from 'vitest';
import { addTopic } from './fake-broker.ts';
import { createFakeWorld } from './fake-world.ts';

async function start(...values: readonly string[]) {
  const world = createFakeWorld();
  addTopic(world.cluster, 't', 1);
  const topic = (await world.connect()).topic('t', { key: text, value: text });
  const producer = topic.producer();
  await world.clock.run(Promise.all(values.map((value) => producer.send({ value }))));
  return { ...world, topic, producer };
}

test('the offset of the high watermark itself is not readable yet', async () => {
  const world = await start('a', 'b', 'c');
  world.cluster.hooks.onFetch = (answer) => ({ ...answer, highWatermark: 2 });
  const read = async () => {
    for await (const { value } of world.topic.consumer({ from: 'earliest' })) expect(value).toBe(undefined);
  };
  const failure = await world.clock.run(read().catch((error: BalsaError) => error));
  expect((failure as BalsaError).message).toMatch(/high watermark is 2/);
});

test('a consumer at the end keeps its place when a new leader does not know that end yet', async () => {
  const world = await start('a', 'b', 'c');
  let refusals = 2;
  world.cluster.hooks.onFetch = (answer) => {
    if (refusals-- <= 0) return undefined;
    return { ...answer, error: { code: 'OFFSET_OUT_OF_RANGE', message: '', leaderNodeId: 0, leaderTerm: 0 }, batches: [] };
  };
  const consumer = world.topic.consumer({ from: 3n });
  const next = consumer[Symbol.asyncIterator]().next();
  await world.clock.advance(3_000);
  await world.clock.run(world.producer.send({ value: 'd' }));
  const { value } = await world.clock.run(next);
  expect(value).toMatchObject({ value: 'd', offset: 3n });
  await world.clock.run(consumer.close());
});
