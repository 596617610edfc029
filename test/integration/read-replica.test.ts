/** What real replicas show of themselves: a follower, a leader that was cut off, and a node without a replica. */
import { type ChaosCluster, startChaosCluster } from '@balsa/chaos/cluster/chaos-cluster.ts';
import type { ChaosNode } from '@balsa/chaos/cluster/chaos-node.ts';
import { partition } from '@balsa/chaos/cluster/partitions.ts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cleanUp, onCleanUp } from './fixture/clean-up.ts';
import { rawClient, soundBatch } from './fixture/raw-client.ts';
import { type TopicUnderFire, topicUnderFire } from './fixture/topic-under-fire.ts';
import { until } from './fixture/until.ts';

const topicName = 'shown';
const neverAcked = 'never acknowledged';
const produceMs = 1_000;

let cluster: ChaosCluster;
let topic: TopicUnderFire;
beforeAll(async () => {
  cluster = await startChaosCluster({ nodes: 3, config: { 'maintenance.balanceCheckMs': 600_000 } });
  onCleanUp(cluster.stop);
  topic = await topicUnderFire(cluster, topicName);
});
afterAll(cleanUp);

async function shownBy({ id: node }: ChaosNode): Promise<{ readonly values: readonly string[]; readonly highWatermark: number }> {
  const values: string[] = [];
  for (;;) {
    const place = { topic: topicName, partition: 0, node, offset: BigInt(values.length) };
    const { records, highWatermark } = await topic.balsa.admin.topics.readReplica(place);
    for (const { offset, value } of records) {
      expect(offset).toBe(BigInt(values.length));
      values.push(Buffer.from(value!).toString());
    }
    expect(BigInt(values.length)).toBeLessThanOrEqual(highWatermark);
    if (records.length === 0) return { values, highWatermark: Number(highWatermark) };
  }
}

async function untilShown(node: ChaosNode, count: number): Promise<void> {
  await until(`${count} records on node ${node.id}`, async () => (await shownBy(node)).highWatermark >= count);
}

test('a follower shows what it has, and serves no consumer', async () => {
  await topic.produce(50);
  for (const follower of topic.othersThan(await topic.leader())) {
    await untilShown(follower, 50);
    expect((await shownBy(follower)).values).toEqual(topic.acked);
    expect(await rawClient(follower.clientAddress).fetch(topicName, 0, 0)).toMatchObject({ error: { code: 'NOT_LEADER' }, batches: [] });
  }
});

test('a leader that was cut off shows what was committed, and nothing that came after', async () => {
  const old = await topic.leader();
  const others = topic.othersThan(old);
  await topic.produce(10);
  await untilShown(old, topic.acked.length);
  const before = [...topic.acked];
  partition(
    cluster,
    [old.id],
    others.map(({ id }) => id),
  );
  // In its log, and on no other disk.
  const refused = rawClient(old.clientAddress).produce(topicName, 0, soundBatch(neverAcked), produceMs);
  const uncommittedOf = async (): Promise<number> => {
    const { groups } = await topic.balsa.admin.raft.status();
    const row = groups.find((group) => group.topic === topicName)?.replicas.find(({ nodeId }) => nodeId === old.id);
    return row === undefined ? 0 : row.lastIndex - row.commit;
  };
  await until('the record is in its log', async () => (await uncommittedOf()) > 0);
  expect(await shownBy(old)).toEqual({ values: before, highWatermark: before.length });
  expect(await refused).toMatchObject({ error: { code: expect.any(String) }, baseOffset: undefined });

  const next = await topic.untilAnotherLeads(old);
  await topic.produce(10);
  await untilShown(next, topic.acked.length);
  expect(await shownBy(old)).toEqual({ values: before, highWatermark: before.length });
  expect((await rawClient(old.clientAddress).fetch(topicName, 0, 0)).error?.code).toMatch(/^(LEADER_NOT_AVAILABLE|NOT_LEADER)$/);

  cluster.heal();
  await topic.untilAllAgree();
  for (const node of cluster.nodes) expect((await shownBy(node)).values).toEqual(topic.acked);
  expect(topic.acked).not.toContain(neverAcked);
});

test('a node without a replica says who has one, and one that does not exist is named', async () => {
  const { partitions } = await topic.balsa.admin.topics.create('single', { partitions: 1, replicas: 1 });
  const [home] = partitions[0]!.replicas;
  const other = cluster.nodes.find(({ id }) => id !== home)!;
  const read = (node: number) => topic.balsa.admin.topics.readReplica({ topic: 'single', partition: 0, node, offset: 0n });
  expect(await read(home!)).toMatchObject({ records: [], highWatermark: 0n, logStart: 0n });
  await expect(read(other.id)).rejects.toMatchObject({ code: 'UNKNOWN_GROUP', message: expect.stringContaining(`nodes ${home} do`) });
  await expect(read(9)).rejects.toMatchObject({ code: 'INVALID_TARGET' });
});
