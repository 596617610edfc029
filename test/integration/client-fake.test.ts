/** The client over real gRPC connections, against the fake cluster. */
import { type Balsa, connect, type ConsumedRecord, text } from '@balsa/client';
import { systemClock } from '../../client/src/ports/system.ts';
import { afterEach, expect, test } from 'vitest';
import { addTopic, createFakeCluster, type FakeCluster, moveLeader, partitionOf } from '../unit/client/fake-broker.ts';
import { type FakeServers, startFakeServers } from '../unit/client/fake-server.ts';
import { logValues } from '../unit/client/log-values.ts';

let balsa: Balsa | undefined;
let servers: FakeServers | undefined;

async function start(
  partitions: number,
): Promise<{ readonly cluster: FakeCluster; readonly client: Balsa; readonly servers: FakeServers }> {
  const cluster = createFakeCluster(systemClock);
  servers = await startFakeServers(cluster);
  addTopic(cluster, 't', partitions);
  balsa = await connect(servers.addresses, { requestTimeout: '2s' });
  return { cluster, client: balsa, servers };
}

afterEach(async () => {
  await balsa?.close();
  servers?.stop();
});

async function read(records: AsyncIterable<ConsumedRecord<string, string>>): Promise<string[]> {
  const values: string[] = [];
  for await (const { value } of records) values.push(value ?? '');
  return values;
}

test('sends and reads back many records over several partitions', async () => {
  const { client } = await start(3);
  const topic = client.topic('t', { key: text, value: text });
  const records = Array.from({ length: 5_000 }, (_, index) => ({ key: `k${index % 50}`, value: `v${index}` }));
  await using producer = topic.producer({ batchBytesMax: 4_000 });
  const { count } = await producer.sendAll(records);
  expect(count).toBe(5_000);
  await using consumer = topic.consumer({ from: 'earliest', until: 'latest' });
  const values = await read(consumer);
  expect(values.toSorted()).toEqual(records.map(({ value }) => value).toSorted());
});

test('goes on when the leader dies, without loss, duplicate or reordering', async () => {
  const { cluster, client, servers: running } = await start(1);
  const topic = client.topic('t', { key: text, value: text });
  await using producer = topic.producer({ batchBytesMax: 1_000 });
  await using consumer = topic.consumer({ from: 'earliest', until: 2_000n });
  const reading = read(consumer);
  const sends = Array.from({ length: 1_000 }, (_, index) => producer.send({ value: `a${index}` }));
  await sends[100];
  const leader = partitionOf(cluster, 't', 0)?.leader ?? 0;
  running.kill(leader);
  moveLeader(cluster, 't', 0, (leader % 3) + 1);
  sends.push(...Array.from({ length: 1_000 }, (_, index) => producer.send({ value: `b${index}` })));
  const results = await Promise.all(sends);
  expect(results.map(({ offset }) => offset)).toEqual(results.map((_, index) => BigInt(index)));
  expect(await reading).toEqual(logValues(cluster, 't', 0));
});

test('a call against nobody ends at its time-out with what was tried', async () => {
  await expect(connect('balsa://127.0.0.1:1', { timeout: 200 })).rejects.toMatchObject({ code: 'TIMEOUT', retriable: true });
});

test('aborting a call ends it', async () => {
  const { client, cluster } = await start(1);
  const controller = new AbortController();
  cluster.hooks.onProduce = () => {
    controller.abort(new Error('enough'));
    return { kind: 'drop-request' };
  };
  const producer = client.topic('t', { value: text }).producer();
  await expect(producer.send({ value: 'x' }, { signal: controller.signal })).rejects.toMatchObject({ code: 'ABORTED', effect: 'unknown' });
  cluster.hooks.onProduce = () => undefined;
  await producer.close();
});

test('status shows every node, marks the dead one, and moves leadership', async () => {
  const { client, servers: running, cluster } = await start(2);
  const group = partitionOf(cluster, 't', 0)?.groupId ?? 0;
  const before = await client.admin.raft.status();
  expect(before.groups.map(({ leader }) => leader)).toEqual([1, 2]);
  expect(await client.admin.raft.transfer(group, { to: 2 })).toEqual({ groupId: group, leader: 2 });
  running.kill(3);
  const { nodes } = await client.admin.cluster.status();
  expect(nodes.map(({ nodeId, isReachable }) => [nodeId, isReachable])).toEqual([
    [1, true],
    [2, true],
    [3, false],
  ]);
  const after = await client.admin.raft.status({ group });
  expect(after.groups).toHaveLength(1);
  expect(after.groups[0]).toMatchObject({ leader: 2, term: 2 });
  expect(after.unreachable.map(({ nodeId }) => nodeId)).toEqual([3]);
});
