/** What a broker claims to know of the cluster when a client asks. */
import { metadataGroup } from '@balsa/node/core/ids.ts';
import { afterEach, expect, test } from 'vitest';
import type { Fixture } from './fixture.ts';
import { startFixture, topicNamed } from './fixture.ts';

let fixture: Fixture;
afterEach(() => fixture?.stop());

const controllerTold = async (): Promise<number> => (await fixture.broker.describeClusterConfirmed([])).controller;

test('the metadata leader names itself once a majority has confirmed it, and shows what was acknowledged before', async () => {
  fixture = await startFixture();
  const release = fixture.host.hold();
  const creating = fixture.broker.createTopic(topicNamed('t'));
  const asked = fixture.host.confirmations();
  const describing = fixture.broker.describeClusterConfirmed([]);
  expect(fixture.host.confirmations()).toBe(asked + 1);
  release();
  await creating;
  const { controller, topics } = await describing;
  expect(controller).toBe(1);
  expect(topics.map(({ topic }) => topic.name)).toEqual(['t']);
});

test('a leader that no majority confirms in time tells what it knows and does not name itself', async () => {
  fixture = await startFixture();
  await fixture.broker.createTopic(topicNamed('t'));
  fixture.host.refusal = { reason: 'timeout', effect: 'none' };
  const { controller, topics } = await fixture.broker.describeClusterConfirmed([]);
  expect(controller).toBe(0);
  expect(topics).toHaveLength(1);
});

test('a leader that is replaced while it asks names the next one', async () => {
  fixture = await startFixture();
  const release = fixture.host.hold();
  const told = controllerTold();
  fixture.host.depose(metadataGroup, 2);
  release();
  expect(await told).toBe(2);
});

test('other brokers name the leader and ask nobody', async () => {
  fixture = await startFixture();
  fixture.host.depose(metadataGroup, 3);
  const asked = fixture.host.confirmations();
  expect(await controllerTold()).toBe(3);
  expect(fixture.host.confirmations()).toBe(asked);
});
