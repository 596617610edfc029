/** What clients and operators get wrong: it is refused with a clear error, and the broker goes on. */
import { type Balsa, text } from '@balsa/client';
import type { LocalCluster, LocalNode } from '@balsa/node/local-cluster/local-cluster.ts';
import type { CreateTopicResponse } from '@balsa/proto/admin';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectSocket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { call } from '../unit/edges/edge-fixture.ts';
import { anyPorts, expectStartFailure, runBroker } from './fixture/broker-run.ts';
import { cleanUp, temporaryFolder } from './fixture/clean-up.ts';
import { residentBytes } from './fixture/process-memory.ts';
import { type RawClient, rawClient, soundBatch } from './fixture/raw-client.ts';
import { connectTo, startTestCluster } from './fixture/test-cluster.ts';

const topic = 'good';
const MiB = 1024 * 1024;

let cluster: LocalCluster;
let node: LocalNode;
let balsa: Balsa;
let raw: RawClient;
beforeAll(async () => {
  cluster = await startTestCluster({ nodes: 1 });
  node = cluster.nodes[0]!;
  balsa = await connectTo(cluster);
  raw = rawClient(node.clientAddress);
  await balsa.admin.topics.create(topic, { partitions: 1 });
});
afterAll(cleanUp);

function corrupt(batch: Uint8Array): Uint8Array {
  const last = batch.length - 1;
  batch[last]! ^= 0xff;
  return batch;
}

/** Good requests are still answered, by the process that was there before. */
async function expectServes(pid: number): Promise<void> {
  expect(node.pid).toBe(pid);
  await using producer = balsa.topic(topic, { value: text }).producer();
  const { offset } = await producer.send({ value: 'good' });
  await using consumer = balsa.topic(topic, { value: text }).consumer({ from: offset, until: 'latest' });
  for await (const { value } of consumer) expect(value).toBe('good');
}

describe('a request with a mistake', () => {
  const batch = (): Uint8Array => soundBatch('x');
  const produces: readonly (readonly [string, string, () => readonly [string, number, Uint8Array]])[] = [
    ['unknown topic', 'UNKNOWN_TOPIC', () => ['godo', 0, batch()]],
    ['unknown partition', 'UNKNOWN_PARTITION', () => [topic, 1, batch()]],
    ['partition number out of all range', 'UNKNOWN_PARTITION', () => [topic, 2 ** 32 - 1, batch()]],
    ['no topic', 'UNKNOWN_TOPIC', () => ['', 0, batch()]],
    ['record above 1 MiB', 'RECORD_TOO_LARGE', () => [topic, 0, soundBatch(new Uint8Array(MiB + 1))]],
    ['batch above 8 MiB', 'BATCH_TOO_LARGE', () => [topic, 0, soundBatch(...Array.from({ length: 17 }, () => new Uint8Array(MiB / 2)))]],
    ['wrong checksum', 'CORRUPT_BATCH', () => [topic, 0, corrupt(batch())]],
    ['empty batch', 'INVALID_BATCH', () => [topic, 0, new Uint8Array(0)]],
    ['batch cut short', 'INVALID_BATCH', () => [topic, 0, batch().subarray(0, -1)]],
    ['bytes that are no batch', 'INVALID_BATCH', () => [topic, 0, new Uint8Array(500).fill(0xa5)]],
  ];
  test.each(produces)('produce, %s: %s', async (_, code, request) => {
    const answer = await raw.produce(...request());
    expect(answer).toMatchObject({ error: { code, message: expect.stringMatching(/\w+ \w+/) }, baseOffset: undefined, receipt: undefined });
  });

  test('the largest record and the largest batch that are allowed are taken', async () => {
    expect(await raw.produce(topic, 0, soundBatch(new Uint8Array(MiB - 100)))).toMatchObject({ error: undefined });
    expect(await raw.produce(topic, 0, soundBatch(...Array.from({ length: 15 }, () => new Uint8Array(MiB / 2))))).toMatchObject({
      error: undefined,
    });
  });

  test('fetch and offsets: unknown topic, unknown partition, offset beyond the end', async () => {
    expect(await raw.fetch('godo', 0, 0)).toMatchObject({ error: { code: 'UNKNOWN_TOPIC' } });
    expect(await raw.fetch(topic, 9, 0)).toMatchObject({ error: { code: 'UNKNOWN_PARTITION' } });
    expect(await raw.fetch(topic, 0, 1_000_000)).toMatchObject({ error: { code: 'OFFSET_OUT_OF_RANGE' } });
    expect(await raw.latest('godo', 0)).toMatchObject({ error: { code: 'UNKNOWN_TOPIC' } });
  });

  test.each(['', '.', '..', 'a b', 'a/b', 'ä', '\0', 'x'.repeat(250)])('topic name %j: INVALID_TOPIC_NAME', async (name) => {
    const request = { name, partitions: 1, replicationFactor: 1, config: {} };
    const answer = await call<CreateTopicResponse>((done) => raw.admin.createTopic(request, done));
    expect(answer).toMatchObject({ error: { code: 'INVALID_TOPIC_NAME' }, topic: undefined });
  });

  test('topics with impossible shapes or settings', async () => {
    const { topics } = balsa.admin;
    await expect(topics.create(topic)).rejects.toMatchObject({ code: 'TOPIC_EXISTS' });
    await expect(topics.create('t', { replicas: 2 })).rejects.toMatchObject({ code: 'INVALID_REPLICATION', retriable: false });
    await expect(topics.create('t', { partitions: 10_001 })).rejects.toMatchObject({ code: 'INVALID_PARTITIONS' });
    await expect(topics.create('t', { config: { 'retention.mss': '1' } })).rejects.toMatchObject({
      code: 'INVALID_CONFIG',
      message: expect.stringContaining('retention.ms'),
    });
    await expect(topics.create('t', { config: { 'retention.ms': 'soon' } })).rejects.toMatchObject({ code: 'INVALID_CONFIG' });
    await expect(topics.describe('t')).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC' });
  });
});

describe('a start with a mistake', () => {
  test('unknown key: names it and what may have been meant', async () => {
    const ended = await runBroker([...anyPorts, '--journal.segmentByte', '64MiB']);
    expectStartFailure(ended, 'CONFIG_INVALID', [
      'the node was not started',
      'journal.segmentByte',
      'Did you mean "journal.segmentBytes"?',
      '--help',
    ]);
  });

  test('port in use: names port and setting', async () => {
    const args = ['--data.dir', temporaryFolder(), ...anyPorts, '--listen.client', node.clientAddress];
    const ended = await runBroker(args);
    expectStartFailure(ended, 'PORT_IN_USE', [node.clientAddress, 'listen.client', 'Stop that process or choose another port']);
  });
});

describe('a flood of bad requests', () => {
  /** About 300 MiB of batches in all: far more than the bound, so that what is kept of each would show. */
  const memoryGrowthMax = 128 * MiB;
  const badBatch = corrupt(soundBatch(new Uint8Array(64 * 1024)));
  const badRequests = (count: number): readonly (readonly [string, number, Uint8Array])[] =>
    Array.from({ length: count }, (_, i) => [i % 3 === 0 ? 'godo' : topic, i % 3 === 1 ? 77 : 0, badBatch]);

  async function flood(client: RawClient, count: number): Promise<void> {
    const answers = await Promise.all(badRequests(count).map((request) => client.produce(...request)));
    expect(answers.filter(({ error }) => error === undefined)).toEqual([]);
  }

  /** A connection that speaks no HTTP/2; the broker ends it. */
  async function talkNonsense({ clientAddress }: LocalNode): Promise<void> {
    const [host, port] = clientAddress.split(':');
    const socket = connectSocket(Number(port), host).on('error', () => undefined);
    socket.end(randomBytes(64 * 1024));
    socket.resume();
    await once(socket, 'close');
  }

  test('over one connection: every one is answered, memory stays bounded, good requests are served', async () => {
    const pid = node.pid!;
    await flood(raw, 500);
    const before = residentBytes(pid);
    const flooding = (async () => {
      for (let round = 0; round < 5; round += 1) await flood(raw, 500);
    })();
    await expectServes(pid);
    await flooding;
    expect(residentBytes(pid) - before).toBeLessThan(memoryGrowthMax);
    await expectServes(pid);
  });

  test('over many connections, some of which talk nonsense or hang up: the same', async () => {
    const pid = node.pid!;
    const before = residentBytes(pid);
    const clients = Array.from({ length: 60 }, () => rawClient(node.clientAddress));
    const flooding = Promise.all(clients.map((client) => flood(client, 20)));
    const nonsense = Promise.all(Array.from({ length: 50 }, () => talkNonsense(node)));
    // Requests whose answers nobody waits for.
    for (const client of Array.from({ length: 20 }, () => rawClient(node.clientAddress))) {
      void flood(client, 20).catch(() => undefined);
      client.close();
    }
    await expectServes(pid);
    await Promise.all([flooding, nonsense]);
    for (const client of clients) client.close();
    expect(residentBytes(pid) - before).toBeLessThan(memoryGrowthMax);
    await expectServes(pid);
  });
});
