import { type Balsa, BalsaError, text } from '@balsa/client';
import { describe, expect, test } from 'vitest';
import { mergeGroups } from '../../../client/src/admin/raft.ts';
import { addTopic, fakeService, moveLeader, partitionOf } from './fake-broker.ts';
import { createFakeWorld, type FakeWorld } from './fake-world.ts';

async function start(): Promise<FakeWorld & { readonly balsa: Balsa }> {
  const world = createFakeWorld();
  return { ...world, balsa: await world.connect() };
}

const failed = (work: Promise<unknown>) =>
  work.then(
    () => expect.fail('it did not fail'),
    (error: BalsaError) => error,
  );

/** Answers the next `count` calls of a method with `code`, after it was carried out. */
function loseAnswers(world: FakeWorld, method: string, code: string, count: number): void {
  let left = count;
  world.cluster.hooks.onUnary = (path) => {
    if (!path.endsWith(`/${method}`) || left-- <= 0) return undefined;
    return { code, message: '', leaderNodeId: 0, leaderTerm: 0 };
  };
}

describe('topics', () => {
  test('create, describe, list, alter, delete', async () => {
    const { clock, balsa } = await start();
    const { topics } = balsa.admin;
    const created = await clock.run(topics.create('b', { partitions: 2, config: { 'retention.ms': '5' } }));
    expect(created).toMatchObject({ name: 'b', replicas: 3, config: { 'retention.ms': '5' } });
    expect(created.partitions.map(({ partition, leader, term }) => [partition, leader, term])).toEqual([
      [0, 1, 1],
      [1, 2, 1],
    ]);
    await clock.run(topics.create('a'));
    expect((await clock.run(topics.list())).map(({ name }) => name)).toEqual(['a', 'b']);
    expect((await clock.run(topics.alter('b', { partitions: 3 }))).partitions).toHaveLength(3);
    expect((await clock.run(failed(topics.create('b')))).code).toBe('TOPIC_EXISTS');
    await clock.run(topics.delete('b'));
    expect((await clock.run(failed(topics.describe('b')))).code).toBe('UNKNOWN_TOPIC');
    expect((await clock.run(failed(topics.delete('b')))).code).toBe('UNKNOWN_TOPIC');
  });

  test('writes follow the metadata leader', async () => {
    const { clock, cluster, balsa } = await start();
    cluster.controller = 3;
    await clock.run(balsa.admin.topics.create('a'));
    expect(cluster.calls.filter((call) => call.endsWith('CreateTopic'))).toEqual(['1:CreateTopic', '3:CreateTopic']);
  });

  test('a create or delete whose answer is lost is found to be done', async () => {
    const world = await start();
    const { topics } = world.balsa.admin;
    loseAnswers(world, 'CreateTopic', 'TIMEOUT', 1);
    expect((await world.clock.run(topics.create('a', { partitions: 2 }))).partitions).toHaveLength(2);
    loseAnswers(world, 'DeleteTopic', 'LEADER_CHANGED', 1);
    await world.clock.run(topics.delete('a'));
    expect(world.cluster.topics.size).toBe(0);
  });

  test('a topic of another shape is not taken for the lost create', async () => {
    const world = await start();
    addTopic(world.cluster, 'a', 5);
    world.cluster.hooks.onUnary = (path) => {
      world.cluster.hooks.onUnary = () => undefined;
      return path.endsWith('/CreateTopic') ? { code: 'TIMEOUT', message: '', leaderNodeId: 0, leaderTerm: 0 } : undefined;
    };
    expect((await world.clock.run(failed(world.balsa.admin.topics.create('a', { partitions: 2 })))).code).toBe('TOPIC_EXISTS');
  });

  test('ensure creates, completes, or leaves alone', async () => {
    const { clock, cluster, balsa } = await start();
    const { topics } = balsa.admin;
    expect((await clock.run(topics.ensure('a', { partitions: 2 }))).partitions).toHaveLength(2);
    const completed = await clock.run(topics.ensure('a', { partitions: 3, config: { x: '1' } }));
    expect([completed.partitions.length, completed.config]).toEqual([3, { x: '1' }]);
    const alters = () => cluster.calls.filter((call) => call.endsWith('AlterTopic')).length;
    const before = alters();
    expect((await clock.run(topics.ensure('a', { partitions: 2, config: { x: '1' } }))).partitions).toHaveLength(3);
    expect(alters()).toBe(before);
  });

  test('a refusal that no retry changes comes at once, others until the time-out', async () => {
    const world = await start();
    loseAnswers(world, 'CreateTopic', 'INVALID_CONFIG', 1);
    expect((await world.clock.run(failed(world.balsa.admin.topics.create('a')))).code).toBe('INVALID_CONFIG');
    loseAnswers(world, 'AlterTopic', 'OVERLOADED', 1_000);
    const startMs = world.clock.monotonicMs();
    const error = await world.clock.run(failed(world.balsa.admin.topics.alter('a', {}, { timeout: '3s' })));
    expect(error).toMatchObject({ code: 'TIMEOUT' });
    expect(error.message).toMatch(/OVERLOADED/);
    expect(world.clock.monotonicMs() - startMs).toBeGreaterThanOrEqual(3_000);
    expect(world.clock.monotonicMs() - startMs).toBeLessThan(3_600);
  });
});

describe('replicas', () => {
  test('are set on the metadata leader, and again if the answer was lost', async () => {
    const world = await start();
    const { clock, cluster, balsa } = world;
    addTopic(cluster, 't', 2);
    cluster.controller = 3;
    loseAnswers(world, 'SetReplicas', 'TIMEOUT', 1);
    const placed = await clock.run(balsa.admin.topics.setReplicas('t', 1, [3, 1]));
    expect(placed).toMatchObject({ name: 't', partitions: [{ partition: 0 }, { partition: 1 }] });
    expect(partitionOf(cluster, 't', 1)?.replicas).toEqual([3, 1]);
    expect(partitionOf(cluster, 't', 0)?.replicas).toBeUndefined();
    expect(cluster.calls.filter((call) => call.endsWith('SetReplicas')).at(-1)).toBe('3:SetReplicas');
    expect((await clock.run(failed(balsa.admin.topics.setReplicas('t', 1, [9])))).code).toBe('INVALID_TARGET');
    expect((await clock.run(failed(balsa.admin.topics.setReplicas('absent', 0, [1])))).code).toBe('UNKNOWN_TOPIC');
  });
});

describe('what one replica holds', () => {
  /** Two batches, of two records and of one, on all nodes; node 3 lacks the second. */
  async function withRecords() {
    const world = await start();
    addTopic(world.cluster, 't', 1);
    const producer = world.balsa.topic('t', { key: text, value: text }).producer();
    await world.clock.run(Promise.all([producer.send({ key: 'k', value: 'a' }), producer.send({ value: 'b' })]));
    await world.clock.run(producer.send({ value: 'c', headers: { h: 'x' } }));
    world.cluster.lags.set(3, 1);
    const read = (node: number, offset: bigint, timeout = 3_000) =>
      world.balsa.admin.topics.readReplica({ topic: 't', partition: 0, node, offset }, { timeout });
    return { ...world, read };
  }

  test('comes decoded from the node that was named, from the offset on', async () => {
    const { clock, cluster, read } = await withRecords();
    cluster.calls.length = 0;
    const all = await clock.run(read(2, 1n));
    expect(all).toMatchObject({ highWatermark: 3n, logStart: 0n });
    expect(all.records.map(({ offset, partition, value }) => [offset, partition, Buffer.from(value!).toString()])).toEqual([
      [1n, 0, 'b'],
      [2n, 0, 'c'],
    ]);
    expect(all.records[1]?.headers).toMatchObject([{ key: 'h' }]);
    expect(cluster.calls).toEqual(['2:ReadReplica']);
  });

  test('may be less than the leader has, and ends where the replica does', async () => {
    const { clock, read } = await withRecords();
    const behind = await clock.run(read(3, 0n));
    expect([behind.highWatermark, behind.records.map(({ offset }) => offset)]).toEqual([2n, [0n, 1n]]);
    expect((await clock.run(read(3, 2n))).records).toEqual([]);
    expect(await clock.run(failed(read(3, 3n)))).toMatchObject({ code: 'OFFSET_OUT_OF_RANGE', topic: 't', partition: 0 });
  });

  test('is asked for again while the node cannot answer, and found at its new address', async () => {
    const { clock, cluster, network, read } = await withRecords();
    network.setUp('node2:7070', false);
    const reading = read(2, 0n);
    await clock.run(
      expect(failed(read(2, 0n, 500))).resolves.toMatchObject({ code: 'TIMEOUT', message: expect.stringContaining('CONNECTION_LOST') }),
    );
    cluster.nodes.get(2)!.address = 'elsewhere:1';
    network.serve('elsewhere:1', fakeService(cluster, 2));
    expect((await clock.run(reading)).records).toHaveLength(3);
  });

  test('is asked for again at a node that has not heard of a new topic, or of a new partition, and not of one that is gone', async () => {
    const world = await withRecords();
    const { clock, cluster, balsa, read } = world;
    for (const code of ['UNKNOWN_TOPIC', 'UNKNOWN_PARTITION']) {
      loseAnswers(world, 'ReadReplica', code, 2);
      expect((await clock.run(read(2, 0n))).records).toHaveLength(3);
    }
    const absent = (topic: string, partition: number) => failed(balsa.admin.topics.readReplica({ topic, partition, node: 2, offset: 0n }));
    expect((await clock.run(absent('absent', 0))).code).toBe('UNKNOWN_TOPIC');
    loseAnswers(world, 'ReadReplica', 'UNKNOWN_PARTITION', 1_000);
    expect((await clock.run(absent('t', 1))).code).toBe('UNKNOWN_PARTITION');
    cluster.topics.delete('t');
    expect((await clock.run(failed(read(2, 0n)))).code).toBe('UNKNOWN_TOPIC');
  });

  test('cannot come from a node that is not there', async () => {
    const { clock, cluster, read } = await withRecords();
    expect(await clock.run(failed(read(9, 0n)))).toMatchObject({ code: 'INVALID_TARGET', message: expect.stringContaining('no node 9') });
    // Nobody knows for certain while the metadata leader is gone.
    cluster.controller = 0;
    expect(await clock.run(failed(read(8, 0n)))).toMatchObject({ code: 'TIMEOUT', message: expect.stringContaining('node 8') });
    expect(cluster.calls.filter((call) => call.endsWith('ReadReplica'))).toEqual([]);
  });
});

describe('status', () => {
  test('marks brokers that do not answer', async () => {
    const { clock, network, balsa } = await start();
    network.setUp('node2:7070', false);
    const status = await clock.run(balsa.admin.cluster.status());
    expect(status).toMatchObject({ clusterId: 'fake', controllerNodeId: 1 });
    expect(status.nodes.map(({ nodeId, isReachable, report }) => [nodeId, isReachable, report?.version])).toEqual([
      [1, true, '0.0.0'],
      [2, false, undefined],
      [3, true, '0.0.0'],
    ]);
    expect(status.nodes[1]?.error?.code).toBe('CONNECTION_LOST');
  });

  test('raft rows of all brokers are merged per group, the highest term wins', async () => {
    const { clock, cluster, balsa } = await start();
    addTopic(cluster, 't', 2);
    moveLeader(cluster, 't', 0, 3, 10_000);
    const { groups } = await clock.run(balsa.admin.raft.status());
    expect(groups.map(({ groupId, leader, term, replicas }) => [groupId, leader, term, replicas.length])).toEqual([
      [1, 3, 2, 3],
      [2, 2, 1, 3],
    ]);
    expect(mergeGroups([])).toEqual([]);
  });

  test('transfer asks the leader of the group', async () => {
    const { clock, cluster, balsa } = await start();
    addTopic(cluster, 't', 1);
    const group = partitionOf(cluster, 't', 0)!.groupId;
    expect(await clock.run(balsa.admin.raft.transfer(group, { to: 3 }))).toEqual({ groupId: group, leader: 3 });
    expect((await clock.run(failed(balsa.admin.raft.transfer(99)))).code).toBe('UNKNOWN_GROUP');
  });
});

describe('connecting', () => {
  test('skips seeds that do not answer; fails if none does', async () => {
    const world = createFakeWorld();
    world.network.setUp('node1:7070', false);
    const balsa = await world.connect();
    expect(balsa.clusterId).toBe('fake');
    for (const node of [2, 3]) world.network.setUp(`node${node}:7070`, false);
    const error = await failed(world.connect({ timeout: '1s' }));
    expect(error).toMatchObject({ code: 'TIMEOUT' });
    expect(error.message).toMatch(/node1:7070, node2:7070, node3:7070|node2:7070/);
  });

  test('a closed client refuses new work', async () => {
    const { clock, balsa } = await start();
    await clock.run(balsa.close());
    expect(() => balsa.topic('t')).toThrow(/CLOSED/);
    expect((await clock.run(failed(balsa.admin.topics.list()))).code).toBe('CLOSED');
  });
});
