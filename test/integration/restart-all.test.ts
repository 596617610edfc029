/** All brokers down and up again: by SIGTERM, and by kill -9 of all at once. */
import type { Balsa } from '@balsa/client';
import { text } from '@balsa/client';
import type { LocalCluster } from '@balsa/node/local-cluster/local-cluster.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cleanUp } from './fixture/clean-up.ts';
import { ackedCount, expectKept, startKeyedLoad } from './fixture/keyed-load.ts';
import { connectTo, restart, startTestCluster, untilCaughtUp } from './fixture/test-cluster.ts';
import { until } from './fixture/until.ts';

const partitions = 3;
const recordsMin = 1_000;

let cluster: LocalCluster;
let balsa: Balsa;
beforeAll(async () => {
  cluster = await startTestCluster();
  balsa = await connectTo(cluster);
});
afterAll(cleanUp);

describe('all brokers stopped and started again', () => {
  test.each([
    ['SIGTERM', { code: 0, signal: null }],
    ['SIGKILL', { code: null, signal: 'SIGKILL' }],
  ] as const)('by %s under load: everything acknowledged is there and offsets go on', async (signal, exit) => {
    const topic = `stopped-by-${signal}`;
    await balsa.admin.topics.create(topic, { partitions, replicas: 3 });
    const load = startKeyedLoad(balsa, topic);
    await until('acknowledged records', () => ackedCount(load) > recordsMin);
    for (const node of cluster.nodes) node.kill(signal);
    expect(await Promise.all(cluster.nodes.map(({ stopped }) => stopped))).toEqual(cluster.nodes.map(() => ({ ...exit, expected: true })));
    const ackedBefore = ackedCount(load);
    await restart(cluster, ...cluster.nodes);
    await until('new acknowledgements', () => ackedCount(load) > ackedBefore + recordsMin);
    await load.stop();
    expect(load.errors).toEqual([]);
    await untilCaughtUp(cluster, balsa, topic);
    await expectKept(balsa, topic, load);

    await using producer = balsa.topic(topic, { value: text }).producer();
    for (const { partition, earliest, latest } of await balsa.topic(topic).offsets()) {
      expect(earliest).toBe(0n);
      expect(await producer.send({ partition, value: 'one more' })).toMatchObject({ partition, offset: latest });
    }
  });
});
