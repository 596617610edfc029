/** What readers are told: every record once, and no end without a proof of leadership. */
import { afterEach, expect, test } from 'vitest';
import { buildBatch } from './batches.ts';
import { codeOf, type Fixture, startFixture, topicNamed } from './fixture.ts';

let fixture: Fixture;
afterEach(() => fixture.stop());

const produce = (batch: Uint8Array) => fixture.broker.produce({ topic: 't', partition: 0, acks: 'quorum', timeoutMs: 0, batch });

test('a batch that is sent again is read once', async () => {
  fixture = await startFixture();
  await fixture.broker.createTopic(topicNamed('t'));
  const batch = (sequence: number) => buildBatch({ values: [`v${sequence}`], producerId: 7, producerEpoch: 0, baseSequence: sequence });
  await produce(batch(0));
  expect(await produce(batch(0))).toMatchObject({ baseOffset: 0, duplicate: true });
  await produce(batch(1));
  expect(await produce(batch(0))).toMatchObject({ baseOffset: 0, duplicate: true });
  const fetched = await fixture.broker.fetch({ topic: 't', partition: 0, offset: 0, bytesMax: 1_000_000, waitMsMax: 0 });
  fetched.release();
  expect(fetched.batches.map(({ baseOffset }) => baseOffset)).toEqual([0, 1]);
  expect(fetched.highWatermark).toBe(2);
});

test.each(['earliest', 'latest'] as const)('the %s offset is refused by a broker that cannot prove that it leads', async (at) => {
  fixture = await startFixture();
  await fixture.broker.createTopic(topicNamed('t'));
  await produce(buildBatch({ values: ['a'] }));
  fixture.host.refusal = { reason: 'timeout', effect: 'none' };
  expect(await codeOf(fixture.broker.listOffset('t', 0, { at }))).toBe('LEADER_NOT_AVAILABLE');
});
