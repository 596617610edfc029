/** Sends to a fake broker that misbehaves, and what the history says of them. */
import { checkHistory } from '@balsa/chaos/history/check-history.ts';
import type { SendInvoke } from '@balsa/chaos/history/event.ts';
import { createSession, giveUp, type ProducerSession, send } from '@balsa/chaos/workload/send.ts';
import type { ProducerOptions } from '@balsa/client';
import { expect, test } from 'vitest';
import { addTopic, type ProduceFault } from '../client/fake-broker.ts';
import { createFakeWorld, type FakeWorld } from '../client/fake-world.ts';
import { type FakeRun, fakeRun } from './fake-run.ts';

interface Scene extends FakeRun {
  readonly world: FakeWorld;
  readonly session: ProducerSession;
}

async function start(options: ProducerOptions = {}): Promise<Scene> {
  const world = createFakeWorld();
  addTopic(world.cluster, 't', 1);
  const balsa = await world.connect();
  const { acks = 'quorum', idempotent = true } = options;
  const producer = balsa.topic('t').producer({ deliveryTimeout: 500, ...options });
  return { ...fakeRun('unused'), world, session: createSession({ session: 's', acks, idempotent, producerOf: () => producer }) };
}

const place = { topic: 't', partition: 0 };
const processes = ({ events }: FakeRun): readonly string[] => events().flatMap((event) => (event.type === 'invoke' ? [event.process] : []));
const always = ({ world }: Scene, fault: ProduceFault | undefined): void => {
  world.cluster.hooks.onProduce = () => fault;
};

test('an acknowledged send has offsets, batches and its records’ fingerprints', async () => {
  const scene = await start();
  const { id, done } = send(scene.crew, scene.session, place, [20, 40]);
  expect(await scene.world.clock.run(done)).toEqual({ type: 'ok', offsets: [0, 1], batches: [2], attempts: 1, incarnation: '1' });
  const { records } = scene.events()[0] as SendInvoke;
  expect(records).toEqual([
    { id, fingerprint: expect.any(Number) },
    { id: id + 1, fingerprint: expect.any(Number) },
  ]);
  expect(scene.crew.acked).toBe(2);
  expect(scene.session.open.size).toBe(0);
});

test('sends are pipelined under one name, in the order of their invocations', async () => {
  const scene = await start();
  const sends = [1, 2, 3].map(() => send(scene.crew, scene.session, place, [20]).done);
  expect(scene.session.open.size).toBe(3);
  await scene.world.clock.run(Promise.all(sends));
  expect(processes(scene)).toEqual(['s#0', 's#0', 's#0']);
  expect(scene.outcomes('send')).toEqual(['ok', 'ok', 'ok']);
});

test('after an unknown outcome the session goes on under another name, after a definite one under the same', async () => {
  const scene = await start();
  always(scene, { kind: 'append-then-fail', code: 'TIMEOUT' });
  await scene.world.clock.run(send(scene.crew, scene.session, place, [20]).done);
  always(scene, { kind: 'refuse', code: 'RECORD_TOO_LARGE' });
  await scene.world.clock.run(send(scene.crew, scene.session, place, [20]).done);
  always(scene, undefined);
  await scene.world.clock.run(send(scene.crew, scene.session, place, [20]).done);
  expect(scene.outcomes('send')).toEqual(['info TIMEOUT', 'fail RECORD_TOO_LARGE', 'ok']);
  expect(processes(scene)).toEqual(['s#0', 's#1', 's#1']);
  expect(checkHistory(scene.history).counts).toMatchObject({ 'malformed-history': 0, unanswered: 0 });
});

test('weak acks tell no offsets', async () => {
  const scene = await start({ acks: 'leader' });
  expect(await scene.world.clock.run(send(scene.crew, scene.session, place, [20]).done)).toMatchObject({ type: 'ok', offsets: [null] });
});

test('what is given up is undecided at once, and a late answer changes nothing', async () => {
  const scene = await start();
  always(scene, { kind: 'delay-reply', ms: 50 });
  const { done } = send(scene.crew, scene.session, place, [20]);
  expect(giveUp(scene.crew, scene.session)).toBe(1);
  expect(scene.outcomes('send')).toEqual(['info CLOSED']);
  expect(await scene.world.clock.run(done)).toMatchObject({ type: 'info' });
  expect(scene.outcomes('send')).toEqual(['info CLOSED']);
  expect(scene.crew.acked).toBe(0);
});

test.each([
  { idempotent: true, attempts: 1 },
  { idempotent: false, attempts: 1000 },
])('what is given up may have been repeated as any other: %j', async ({ idempotent, attempts }) => {
  const scene = await start({ idempotent });
  always(scene, { kind: 'delay-reply', ms: 50 });
  const { done } = send(scene.crew, scene.session, place, [20]);
  giveUp(scene.crew, scene.session);
  await scene.world.clock.run(done);
  const ending = [...scene.history].find((event) => event.type === 'info');
  expect(ending).toMatchObject({ error: 'CLOSED', attempts });
});
