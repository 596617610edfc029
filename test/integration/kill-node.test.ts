/** kill -9 of brokers at random moments under load. */
import type { Balsa } from '@balsa/client';
import type { LocalCluster, LocalNode } from '@balsa/node/local-cluster/local-cluster.ts';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cleanUp } from './fixture/clean-up.ts';
import { expectKept, type KeyedLoad, startKeyedLoad } from './fixture/keyed-load.ts';
import { connectTo, killNode, leaderAndFollowers, restart, startTestCluster, untilCaughtUp } from './fixture/test-cluster.ts';
import { until } from './fixture/until.ts';

const partitions = 3;
const killDelayMsMax = 300;
/** What a busy machine may take; `make failover` measures the real figure. */
const gapMsMax = 3_000;

let cluster: LocalCluster;
let balsa: Balsa;
beforeAll(async () => {
  cluster = await startTestCluster();
  balsa = await connectTo(cluster);
});
afterAll(cleanUp);

/** Every partition acknowledges records sent from now on. */
async function untilServing({ acked }: KeyedLoad): Promise<void> {
  const before = new Map(acked);
  await until('acknowledgements in every partition', () =>
    Array.from({ length: partitions }, (_, i) => i).every((i) => (acked.get(i) ?? 0) > (before.get(i) ?? 0) + 50),
  );
}

type Choice = (topic: string) => Promise<LocalNode>;
const aLeader: Choice = async (topic) => (await leaderAndFollowers(cluster, balsa, topic)).leader;
const aFollower: Choice = async (topic) => (await leaderAndFollowers(cluster, balsa, topic)).followers[0]!;

describe('kill -9 under load', () => {
  test.each([
    ['the leader, twice', 'leader', [aLeader, aLeader]],
    ['a follower', 'follower', [aFollower]],
  ])('of %s: nothing acknowledged is lost, doubled or out of order, and it serves again', async (_, topic, choices) => {
    await balsa.admin.topics.create(topic, { partitions, replicas: 3 });
    const load = startKeyedLoad(balsa, topic);
    for (const choose of choices) {
      await untilServing(load);
      const victim = await choose(topic);
      // The moment of the kill is random, the order of events is not: this waits for nothing.
      await delay(Math.random() * killDelayMsMax);
      load.forgetGaps();
      await killNode(victim);
      await untilServing(load);
      expect(load.longestGapMs()).toBeLessThan(gapMsMax);
      await restart(cluster, victim);
      await untilCaughtUp(cluster, balsa, topic);
    }
    await load.stop();
    expect(load.errors).toEqual([]);
    await expectKept(balsa, topic, load);
  });
});
