/** Cluster identity, topics, producer ids, maintenance: the control side of the broker. */
import { metadataMembership } from '@balsa/node/broker/cluster.ts';
import { asGroupId, asNodeId, metadataGroup } from '@balsa/node/core/ids.ts';
import { afterEach, describe, expect, test } from 'vitest';
import { buildBatch } from './batches.ts';
import type { Fixture } from './fixture.ts';
import { codeOf, startFixture, topicNamed } from './fixture.ts';

let fixture: Fixture;
afterEach(() => fixture?.stop());

const produce = (topic: string) =>
  fixture.broker.produce({ topic, partition: 0, acks: 'quorum', timeoutMs: 0, batch: buildBatch({ values: ['v'] }) });

describe('cluster', () => {
  test('gets an identity and knows the node that started it', async () => {
    fixture = await startFixture();
    const cluster = fixture.broker.describeCluster([]);
    expect(cluster.clusterId).toBe('ab'.repeat(16));
    expect(cluster.controller).toBe(1);
    expect(cluster.nodes).toMatchObject([{ nodeId: 1, clientAddress: 'a:1', zone: 'z', connected: true }]);
    expect(fixture.broker.readiness().filter(({ problem }) => problem !== undefined)).toEqual([]);
  });

  test('the first five ids vote on the metadata, the others learn', () => {
    const ids = [7, 3, 1, 9, 2, 4, 8].map(asNodeId);
    expect(metadataMembership(ids)).toMatchObject({ voters: [1, 2, 3, 4, 7], learners: [8, 9] });
  });

  test('a node that comes back with another data folder is refused', async () => {
    fixture = await startFixture();
    expect(fixture.broker.verifyPeer(asNodeId(1), 'store-1')).toBe('ok');
    expect(fixture.broker.verifyPeer(asNodeId(1), 'other')).toContain('store-1');
    expect(await codeOf(fixture.broker.registerNode({ ...fixture.broker.facts, storeId: 'other' }))).toBe('WRONG_CLUSTER');
  });

  test('a broker without a metadata leader is not ready and says why', async () => {
    fixture = await startFixture();
    fixture.host.depose(metadataGroup, 0);
    const problems = fixture.broker.readiness().flatMap(({ name, problem }) => (problem === undefined ? [] : [name]));
    expect(problems).toEqual(['metadata-leader', 'group-leaders']);
  });
});

describe('topics', () => {
  test('can be produced to at once, described, altered and deleted', async () => {
    fixture = await startFixture();
    const created = await fixture.broker.createTopic({ ...topicNamed('t'), partitions: 3 });
    expect(created.partitions.map(({ hint }) => hint.leader)).toEqual([1, 1, 1]);
    expect(await produce('t')).toMatchObject({ baseOffset: 0 });
    const altered = await fixture.broker.alterTopic({ name: 't', partitions: 5, config: { 'retention.ms': '5000' } });
    expect(altered.partitions).toHaveLength(5);
    expect(altered.topic.config.get('retention.ms')).toBe('5000');
    await fixture.broker.deleteTopic('t');
    expect(await codeOf(produce('t'))).toBe('UNKNOWN_TOPIC');
    await expect.poll(() => fixture.host.groups()).toEqual([metadataGroup]);
  });

  test('created without numbers get the defaults of the node', async () => {
    fixture = await startFixture({ topicDefaults: { partitions: 3, replicationFactor: 2 } });
    const create = (name: string, partitions: number, replicationFactor: number) =>
      fixture.broker.createTopic({ name, partitions, replicationFactor, config: {} });
    expect((await create('few', 0, 1)).partitions).toHaveLength(3);
    expect((await create('own', 2, 1)).partitions).toHaveLength(2);
    // Two replicas are more than the one node of this cluster can hold.
    expect(await codeOf(create('replicated', 1, 0))).toBe('INVALID_REPLICATION');
  });

  test('made again under the same name shows nothing of its predecessor', async () => {
    fixture = await startFixture();
    await fixture.broker.createTopic(topicNamed('t'));
    const old = fixture.groupOf('t');
    const batch = buildBatch({ values: ['a'], producerId: 1, producerEpoch: 0, baseSequence: 0 });
    const send = () => fixture.broker.produce({ topic: 't', partition: 0, acks: 'quorum', timeoutMs: 0, batch });
    await send();
    await fixture.host.checkpoint(old);
    await fixture.broker.deleteTopic('t');
    await fixture.broker.createTopic(topicNamed('t'));
    expect(fixture.groupOf('t')).not.toBe(old);
    expect(await send()).toMatchObject({ baseOffset: 0, duplicate: false });
    const rows = () => fixture.stateStore.range('offsets', { from: new Uint8Array(0), to: new Uint8Array(4).fill(255), limit: 10 });
    await expect.poll(async () => (await rows()).length).toBe(0);
  });

  test('refusals have stable codes and name what is wrong', async () => {
    fixture = await startFixture();
    const { broker } = fixture;
    await broker.createTopic(topicNamed('t'));
    expect(await codeOf(broker.createTopic(topicNamed('t')))).toBe('TOPIC_EXISTS');
    expect(await codeOf(broker.createTopic(topicNamed('no spaces')))).toBe('INVALID_TOPIC_NAME');
    expect(await codeOf(broker.createTopic({ ...topicNamed('x'), replicationFactor: 2 }))).toBe('INVALID_REPLICATION');
    expect(await codeOf(broker.createTopic({ ...topicNamed('x'), partitions: 20_000 }))).toBe('INVALID_PARTITIONS');
    await expect(broker.createTopic(topicNamed('x', { 'retention.msx': '1' }))).rejects.toMatchObject({
      code: 'INVALID_CONFIG',
      message: expect.stringContaining('retention.ms'),
    });
    expect(await codeOf(broker.deleteTopic('absent'))).toBe('UNKNOWN_TOPIC');
    expect(await codeOf(broker.alterTopic({ name: 't', partitions: 0, config: { 'retention.ms': 'never' } }))).toBe('INVALID_CONFIG');
  });

  test('are written on the metadata leader only, which others name', async () => {
    fixture = await startFixture();
    fixture.host.depose(metadataGroup, 3);
    await expect(fixture.broker.createTopic(topicNamed('t'))).rejects.toMatchObject({ code: 'NOT_LEADER', hint: { leader: 3 } });
  });

  test('the replicas of a partition are placed in the order asked for, at once', async () => {
    fixture = await startFixture();
    const { broker } = fixture;
    for (const nodeId of [2, 3].map(asNodeId)) await broker.registerNode({ ...broker.facts, nodeId, storeId: `store-${nodeId}` });
    await broker.createTopic({ ...topicNamed('t'), partitions: 2 });
    const placed = await broker.setReplicas('t', 1, [3, 1]);
    expect(placed.partitions[1]).toMatchObject({ number: 1, group: fixture.groupOf('t', 1), replicas: [3, 1] });
    expect(broker.describeCluster(['t']).topics[0]?.partitions.map(({ replicas }) => replicas.length)).toEqual([1, 2]);
    expect(await codeOf(broker.setReplicas('absent', 0, [1]))).toBe('UNKNOWN_TOPIC');
    expect(await codeOf(broker.setReplicas('t', 2, [1]))).toBe('UNKNOWN_PARTITION');
    expect(await codeOf(broker.setReplicas('t', 1, []))).toBe('INVALID_REPLICATION');
    expect(await codeOf(broker.setReplicas('t', 1, [1, 1]))).toBe('INVALID_REQUEST');
    await expect(broker.setReplicas('t', 1, [1, 9])).rejects.toMatchObject({
      code: 'INVALID_TARGET',
      message: expect.stringContaining('node 9'),
    });
    expect(broker.describeCluster(['t']).topics[0]?.partitions[1]?.replicas).toEqual([3, 1]);
  });

  test('a broker that may not know the newest topics says who does, not that there is none', async () => {
    fixture = await startFixture();
    fixture.host.depose(metadataGroup, 3);
    await expect(fixture.broker.setReplicas('newest', 0, [1])).rejects.toMatchObject({ code: 'NOT_LEADER', hint: { leader: 3 } });
    fixture.host.depose(metadataGroup, 1);
    fixture.host.refusal = { reason: 'timeout', effect: 'none' };
    expect(await codeOf(fixture.broker.setReplicas('newest', 0, [1]))).toBe('LEADER_NOT_AVAILABLE');
  });

  test('a group that the metadata does not know yet is left alone', async () => {
    fixture = await startFixture();
    const machine = {
      apply: () => [],
      encode: () => new Uint8Array(),
      restore: () => {},
      mark: () => 0,
      takeRows: () => [],
      mayStartAt: () => undefined,
    };
    const birth = { voters: [asNodeId(1)], outgoing: [], learners: [], learnersNext: [], autoLeave: false };
    await fixture.host.open({ group: asGroupId(99), generation: 1, birth, machine });
    await fixture.broker.createTopic(topicNamed('t'));
    await fixture.broker.deleteTopic('t');
    await expect.poll(() => fixture.host.groups()).toEqual([0, 99]);
  });
});

describe('a broker that stops', () => {
  test('ends waits, refuses new work as retriable, and is not ready', async () => {
    fixture = await startFixture({ limits: { fetchWaitMsMax: 600_000 } });
    await fixture.broker.createTopic(topicNamed('t'));
    const waiting = codeOf(fixture.broker.fetch({ topic: 't', partition: 0, offset: 0, bytesMax: 1, waitMsMax: 600_000 }));
    await new Promise((resolve) => setImmediate(resolve));
    fixture.broker.stop();
    expect(await waiting).toBe('SHUTTING_DOWN');
    expect(await codeOf(produce('t'))).toBe('SHUTTING_DOWN');
    expect(fixture.broker.readiness()[0]).toMatchObject({ name: 'running', problem: 'the broker is stopping' });
  });
});

describe('producer ids', () => {
  test('are unique, also for callers at the same time, and cost one write per block', async () => {
    fixture = await startFixture();
    const before = fixture.host.status(metadataGroup)!.last;
    const ids = await Promise.all(Array.from({ length: 1500 }, () => fixture.broker.nextProducerId()));
    expect(new Set(ids).size).toBe(1500);
    expect(fixture.host.status(metadataGroup)!.last - before).toBe(2);
  });
});

describe('retention', () => {
  test('moves the log start of expired batches and keeps the others readable', async () => {
    fixture = await startFixture({ maintenance: { retentionCheckMs: 100 } });
    await fixture.broker.createTopic(topicNamed('t', { 'retention.ms': '60000' }));
    const send = (timestampMs: number) =>
      fixture.broker.produce({ topic: 't', partition: 0, acks: 'quorum', timeoutMs: 0, batch: buildBatch({ values: ['v'], timestampMs }) });
    await send(1000);
    await send(2000);
    await send(Date.now());
    await expect.poll(() => fixture.broker.raftStatus(fixture.groupOf('t'))[0]?.logStart).toBe(2);
    const fetched = await fixture.broker.fetch({ topic: 't', partition: 0, offset: 2, bytesMax: 1000, waitMsMax: 0 });
    expect(fetched.batches.map(({ baseOffset }) => baseOffset)).toEqual([2]);
    expect(await fixture.broker.listOffset('t', 0, { at: 'earliest' })).toBe(2);
    expect(await fixture.broker.listOffset('t', 0, { at: 'latest' })).toBe(3);
    expect(await codeOf(fixture.broker.fetch({ topic: 't', partition: 0, offset: 1, bytesMax: 1000, waitMsMax: 0 }))).toBe(
      'OFFSET_OUT_OF_RANGE',
    );
  });
});
