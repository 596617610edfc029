/** What a producer says and does of batches whose fate it does not know. */
import { type BalsaError, text } from '@balsa/client';
import { expect, test } from 'vitest';
import { addTopic } from './fake-broker.ts';
import { createFakeWorld } from './fake-world.ts';
import { logValues } from './log-values.ts';

async function start() {
  const world = createFakeWorld();
  addTopic(world.cluster, 't', 1);
  const balsa = await world.connect();
  return { ...world, producer: balsa.topic('t', { key: text, value: text }).producer({ deliveryTimeout: 2_000 }) };
}

const outcome = (send: Promise<unknown>): Promise<unknown> =>
  send.then(
    () => 'written',
    ({ code, effect }: BalsaError) => [code, effect],
  );

test('a refusal that leaves the effect open does not become "surely not written"', async () => {
  const world = await start();
  world.cluster.hooks.onProduce = () => ({ kind: 'append-then-fail', code: 'TIMEOUT' });
  const result = await world.clock.run(outcome(world.producer.send({ value: 'a' })));
  expect(logValues(world.cluster, 't', 0)).toEqual(['a']);
  expect(result).toEqual(['TIMEOUT', 'unknown']);
});

test('what was sent behind a batch of unknown fate is not written again under the next epoch', async () => {
  const world = await start();
  world.cluster.hooks.onProduce = () => ({ kind: 'drop-reply' });
  const first = outcome(world.producer.send({ value: 'a' }));
  await world.clock.advance(1_000);
  const second = outcome(world.producer.send({ value: 'b' }));
  await world.clock.advance(900);
  expect(logValues(world.cluster, 't', 0)).toEqual(['a', 'b']);
  expect(await world.clock.run(first)).toEqual(['TIMEOUT', 'unknown']);
  world.cluster.hooks.onProduce = () => undefined;
  expect(await world.clock.run(second)).toEqual(['TIMEOUT', 'unknown']);
  await world.clock.run(world.producer.send({ value: 'c' }));
  expect(logValues(world.cluster, 't', 0)).toEqual(['a', 'b', 'c']);
});
