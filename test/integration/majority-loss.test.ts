/** Two of three brokers are gone: nothing is acknowledged, nothing stale is read, and all is well when they are back. */
import { type Balsa, BalsaError, text } from '@balsa/client';
import type { LocalCluster } from '@balsa/node/local-cluster/local-cluster.ts';
import { errorTable } from '@balsa/proto/errors';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cleanUp } from './fixture/clean-up.ts';
import { ackedCount, expectKept, startKeyedLoad } from './fixture/keyed-load.ts';
import { rawClient, soundBatch } from './fixture/raw-client.ts';
import { connectTo, killNode, leaderAndFollowers, restart, startTestCluster, untilCaughtUp } from './fixture/test-cluster.ts';
import { until } from './fixture/until.ts';

const deadlineMs = 2_000;
/** What a busy machine may take to run the timer of a deadline. */
const patienceMs = 2_000;
const recordsMin = 500;

let cluster: LocalCluster;
let balsa: Balsa;
beforeAll(async () => {
  cluster = await startTestCluster();
  balsa = await connectTo(cluster);
});
afterAll(cleanUp);

/** Fails in time, clearly, and so that the caller knows that trying again makes sense. */
async function expectRetriableFailure(call: () => Promise<unknown>): Promise<void> {
  const startMs = performance.now();
  const failure: unknown = await call().then(
    (value) => expect.unreachable(`answered ${JSON.stringify(value)}`),
    (error: unknown) => error,
  );
  expect(performance.now() - startMs).toBeLessThan(deadlineMs + patienceMs);
  expect(failure).toBeInstanceOf(BalsaError);
  const { code, message, retriable } = failure as BalsaError;
  expect(code).toMatch(/^(LEADER_NOT_AVAILABLE|TIMEOUT)$/);
  expect(retriable).toBe(true);
  expect(message).toContain(errorTable[code].remedy);
}

const refusal = expect.stringMatching(/^(LEADER_NOT_AVAILABLE|NOT_LEADER|LEADER_CHANGED|TIMEOUT)$/);

describe('two of three brokers down', () => {
  test.each(['leader', 'follower'])(
    'the last one was a %s: it acknowledges and reads nothing; with the others all goes on',
    async (role) => {
      const topic = `last-is-${role}`;
      await balsa.admin.topics.create(topic, { partitions: 1, replicas: 3 });
      const load = startKeyedLoad(balsa, topic);
      await until('acknowledged records', () => ackedCount(load) > recordsMin);
      const { leader, followers } = await leaderAndFollowers(cluster, balsa, topic);
      const survivor = role === 'leader' ? leader : followers[0]!;
      const others = cluster.nodes.filter((node) => node !== survivor);
      const raw = rawClient(survivor.clientAddress);
      await Promise.all(others.map(killNode));
      const ackedAfter: number[] = [];

      // At once, when the survivor may still believe in its old leader, and a while later.
      for (let attempt = 0; attempt < 2; attempt += 1) {
        const [fetched, listed, produced] = await Promise.all([
          raw.fetch(topic, 0, 0),
          raw.latest(topic, 0),
          raw.produce(topic, 0, soundBatch('never acknowledged'), deadlineMs),
        ]);
        expect(fetched).toMatchObject({ error: { code: refusal }, batches: [] });
        expect(listed).toMatchObject({ error: { code: refusal } });
        expect(produced).toMatchObject({ error: { code: refusal }, baseOffset: undefined });
        await using producer = balsa.topic(topic, { value: text }).producer({ deliveryTimeout: deadlineMs });
        await Promise.all([
          expectRetriableFailure(() => producer.send({ value: 'x', partition: 0 }, { timeout: deadlineMs })),
          expectRetriableFailure(() => balsa.topic(topic).offsets({ timeout: deadlineMs })),
          expectRetriableFailure(() => balsa.admin.topics.create(`${topic}-new`, {}, { timeout: deadlineMs })),
        ]);
        ackedAfter.push(ackedCount(load));
      }
      expect(ackedAfter[1], 'acknowledgements without a majority').toBe(ackedAfter[0]);

      await restart(cluster, ...others);
      await until('new acknowledgements', () => ackedCount(load) > ackedAfter[1]! + recordsMin);
      await untilCaughtUp(cluster, balsa, topic);
      await load.stop();
      expect(load.errors).toEqual([]);
      await expectKept(balsa, topic, load);
    },
  );
});
