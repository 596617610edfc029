/** The client API over real sockets: what works, what is refused, and what a misbehaving client can do. */
import { connect, constants } from 'node:http2';
import type { Method, Transport } from '@balsa/client';
import type { GetRaftStatusResponse, SetReplicasResponse } from '@balsa/proto/admin';
import type { GetMetadataResponse, ListOffsetsResponse, ReadReplicaResponse } from '@balsa/proto/client';
import { Acks, DataServiceService, FetchRequest, OffsetPosition } from '@balsa/proto/client';
import { asNodeId, asOffset, asTerm, type GroupId } from '@balsa/node/core/ids.ts';
import { stampBatch } from '@balsa/node/core/records/batch-stamp.ts';
import { healthServiceDefinition } from '@balsa/node/edges/grpc/health-service.ts';
import { Client, credentials, makeClientConstructor, status } from '@grpc/grpc-js';
import { afterEach, describe, expect, test } from 'vitest';
import { grpcTransport } from '../../../client/src/transport/grpc-transport.ts';
import { buildBatch } from '../broker/batches.ts';
import type { EdgeFixture } from './edge-fixture.ts';
import { call, exchange, startEdge } from './edge-fixture.ts';

let edge: EdgeFixture;
afterEach(() => edge.close());

const createTopic = (name: string, config: Record<string, string> = {}) =>
  call((done) => edge.admin.createTopic({ name, partitions: 1, replicationFactor: 1, config }, done));
const produceTo = (batch: Uint8Array, extra: Record<string, unknown> = {}) => ({
  topic: 't',
  partition: 0,
  acks: Acks.ACKS_QUORUM,
  timeoutMs: 0,
  batch,
  ...extra,
});
const fetchFrom = (offset: number, extra: Record<string, unknown> = {}) => ({
  topic: 't',
  partition: 0,
  offset,
  bytesMax: 1024 * 1024,
  waitMsMax: 0,
  ...extra,
});

/** A batch of exactly `bytes` bytes (8.1 to 9 MB), of records below the record limit. */
function batchOf(bytes: number): Uint8Array {
  const values = Array.from({ length: 8 }, () => new Uint8Array(1_000_000));
  const last = new Uint8Array(200_000);
  const missing = bytes - buildBatch({ values: [...values, last] }).length;
  const batch = buildBatch({ values: [...values, new Uint8Array(last.length + missing)] });
  expect(batch.length).toBe(bytes);
  return batch;
}

/** One request at a time over the transport of the client library. */
function libraryStream<Request, Response>(
  transport: Transport,
  method: Method<Request, Response>,
): (request: Request) => Promise<Response> {
  let settle = Promise.withResolvers<Response>();
  const stream = transport.openStream(edge.address, method, {
    onMessage: (response) => settle.resolve(response),
    onClosed: (reason) => settle.reject(reason),
  });
  return (request) => {
    settle = Promise.withResolvers<Response>();
    stream.send(request);
    return settle.promise;
  };
}

async function startWithTopic(...options: Parameters<typeof startEdge>): Promise<void> {
  edge = await startEdge(...options);
  expect(await createTopic('t')).toMatchObject({ error: undefined, topic: { name: 't' } });
}

/** A fetch stream with `requests` that reads none of its answers; on bare HTTP/2, because grpc-js reads ahead. */
function openStalledFetch(address: string, requests: number): { readonly resetCode: Promise<number>; readonly close: () => void } {
  const session = connect(`http://${address}`);
  const stream = session.request({
    [constants.HTTP2_HEADER_METHOD]: 'POST',
    [constants.HTTP2_HEADER_PATH]: '/balsa.v1.DataService/Fetch',
    [constants.HTTP2_HEADER_CONTENT_TYPE]: 'application/grpc',
    [constants.HTTP2_HEADER_TE]: 'trailers',
  });
  const resetCode = new Promise<number>((resolve) => {
    stream.on('close', () => resolve(stream.rstCode));
    stream.on('error', () => {});
  });
  for (let correlation = 1; correlation <= requests; correlation += 1) {
    const message = FetchRequest.encode({ correlation, ...fetchFrom(0, { bytesMax: 1_100_000 }) }).finish();
    const head = Buffer.alloc(5);
    head.writeUInt32BE(message.length, 1);
    stream.write(Buffer.concat([head, message]));
  }
  return { resetCode, close: () => session.destroy() };
}

describe('client API', () => {
  test('creates, produces, fetches, lists, describes', async () => {
    await startWithTopic();
    const producer = exchange(edge.data.produce());
    const consumer = exchange(edge.data.fetch());
    const batch = buildBatch({ values: ['a', 'b'], timestampMs: 500 });
    expect(await producer.ask(produceTo(batch))).toMatchObject({
      error: undefined,
      baseOffset: 0,
      duplicate: false,
      receipt: { term: 1, durableCopies: 1 },
    });
    expect(await producer.ask(produceTo(batch, { acks: Acks.ACKS_LEADER }))).toMatchObject({ error: undefined, baseOffset: undefined });
    const fetched = await consumer.ask(fetchFrom(0));
    expect(fetched).toMatchObject({ error: undefined, highWatermark: 4, logStart: 0 });
    expect(fetched.batches.map((bytes) => Buffer.from(bytes).readBigInt64BE(0))).toEqual([0n, 2n]);
    expect(Buffer.from(fetched.batches[0]!).subarray(16)).toEqual(Buffer.from(batch.subarray(16)));
    const list = (position: OffsetPosition, timeMs = 0) =>
      call((done) => edge.data.listOffsets({ topic: 't', partition: 0, position, timeMs }, done));
    expect(await list(OffsetPosition.OFFSET_POSITION_LATEST)).toMatchObject({ offset: 4 });
    expect(await list(OffsetPosition.OFFSET_POSITION_TIME, 501)).toMatchObject({ offset: 4 });
    expect(await list(OffsetPosition.OFFSET_POSITION_UNSPECIFIED)).toMatchObject({ error: { code: 'INVALID_REQUEST' } });
    const metadata = await call((done) => edge.data.getMetadata({ topics: [] }, done));
    expect(metadata).toMatchObject({
      controllerNodeId: 1,
      answeringNodeId: 1,
      topics: [{ name: 't', partitions: [{ leaderNodeId: 1, leaderTerm: 1 }] }],
    });
    expect(await call((done) => edge.data.initProducer({}, done))).toMatchObject({ error: undefined, producerId: 1 });
    const raft = await call<GetRaftStatusResponse>((done) => edge.admin.getRaftStatus({ allGroups: true, groupId: 0 }, done));
    expect(raft.groups).toMatchObject([{ groupId: 0 }, { topic: 't', role: 'leader', highWatermark: 4, voters: [1] }]);
    expect(await call((done) => edge.admin.getNodeStatus({}, done))).toMatchObject({ groupsHosted: 2, groupsLed: 2, notReadyReasons: [] });
    producer.stream.end();
    consumer.stream.end();
    await expect.poll(edge.streams).toBe(0);
  });

  test('a receipt names the group that the metadata shows, for every acks, and another one when the topic was created anew', async () => {
    await startWithTopic();
    const groupNow = async () => {
      const { topics } = await call<GetMetadataResponse>((done) => edge.data.getMetadata({ topics: ['t'] }, done));
      return topics[0]!.partitions[0]!.groupId;
    };
    const producer = exchange(edge.data.produce());
    const groups: number[] = [];
    for (const life of [1, 2]) {
      groups.push(await groupNow());
      for (const acks of [Acks.ACKS_QUORUM, Acks.ACKS_LEADER, Acks.ACKS_NONE]) {
        const { receipt } = await producer.ask(produceTo(buildBatch({ values: ['a'] }), { acks }));
        expect(receipt).toMatchObject({ groupId: groups.at(-1) });
      }
      if (life === 1) {
        expect(await call((done) => edge.admin.deleteTopic({ name: 't' }, done))).toMatchObject({ error: undefined });
        await createTopic('t');
      }
    }
    expect(new Set(groups).size).toBe(2);
    producer.stream.end();
    await expect.poll(edge.streams).toBe(0);
  });

  test('the order of replicas is accepted, and the status shows who votes', async () => {
    await startWithTopic();
    await edge.broker.registerNode({ ...edge.broker.facts, nodeId: asNodeId(2), storeId: 'store-2' });
    const setReplicas = (replicaNodeIds: number[], partition = 0) =>
      call<SetReplicasResponse>((done) => edge.admin.setReplicas({ topic: 't', partition, replicaNodeIds }, done));
    const accepted = await setReplicas([2, 1]);
    expect(accepted).toMatchObject({ error: undefined, topic: { name: 't', partitions: [{ partition: 0, replicaNodeIds: [2, 1] }] } });
    expect(await setReplicas([7])).toMatchObject({ error: { code: 'INVALID_TARGET' }, topic: undefined });
    expect(await setReplicas([1], 3)).toMatchObject({ error: { code: 'UNKNOWN_PARTITION' }, topic: undefined });
    const { status: real } = edge.host;
    const outgoing = [1, 3].map(asNodeId);
    Object.assign(edge.host, {
      status: (group: GroupId) => {
        const found = real(group);
        return found === undefined ? undefined : { ...found, membership: { ...found.membership, outgoing } };
      },
    });
    const raft = await call<GetRaftStatusResponse>((done) =>
      edge.admin.getRaftStatus({ allGroups: false, groupId: edge.groupOf('t') }, done),
    );
    expect(raft.groups).toMatchObject([{ voters: [1], outgoing: [1, 3], learners: [] }]);
  });

  test('a replica that does not lead gives what it holds, with offsets and epochs stamped', async () => {
    await startWithTopic();
    const batch = buildBatch({ values: ['a', 'b'] });
    const producer = exchange(edge.data.produce());
    for (let i = 0; i < 2; i += 1) await producer.ask(produceTo(batch));
    edge.host.depose(edge.groupOf('t'), 2);
    const read = (offset: number, partition = 0) =>
      call<ReadReplicaResponse>((done) => edge.data.readReplica({ topic: 't', partition, offset, bytesMax: 1024 }, done));
    const answer = await read(0);
    expect(answer).toMatchObject({ error: undefined, highWatermark: 4, logStart: 0 });
    expect(answer.batches.map((bytes) => Buffer.from(bytes))).toEqual(
      [0, 2].map((offset) => Buffer.from(stampBatch(batch, asOffset(offset), asTerm(1)))),
    );
    expect(edge.broker.bytesInflight().fetch).toBe(0);
    expect(await read(5)).toMatchObject({ error: { code: 'OFFSET_OUT_OF_RANGE' }, batches: [] });
    expect(await read(0, 1)).toMatchObject({ error: { code: 'UNKNOWN_PARTITION' } });
    // A consumer gets nothing from here.
    expect(await exchange(edge.data.fetch()).ask(fetchFrom(0))).toMatchObject({ error: { code: 'NOT_LEADER' } });
  });

  test('the largest batch fits through the limits of library and server, one byte more is refused by its code', async () => {
    await startWithTopic();
    const transport = grpcTransport('edge-test');
    const { produce, fetch } = DataServiceService;
    try {
      const producer = libraryStream(transport, produce);
      const largest = batchOf(8 * 1024 * 1024);
      expect(await producer({ correlation: 1, ...produceTo(largest) })).toMatchObject({ error: undefined, baseOffset: 0 });
      const refusal = await producer({ correlation: 2, ...produceTo(batchOf(8 * 1024 * 1024 + 1)) });
      expect(refusal.error).toMatchObject({ code: 'BATCH_TOO_LARGE', message: expect.stringContaining('8388608') });
      expect(await producer({ correlation: 3, ...produceTo(buildBatch({ values: ['a'] })) })).toMatchObject({ error: undefined });
      const { batches } = await libraryStream(transport, fetch)({ correlation: 1, ...fetchFrom(0) });
      expect(batches.map(({ length }) => length)).toEqual([largest.length]);
      expect(Buffer.compare(batches[0]!.subarray(16), largest.subarray(16))).toBe(0);
    } finally {
      transport.close();
    }
  });

  test('a fetch waits for data, and other requests of its stream do not wait for it', async () => {
    await startWithTopic();
    await createTopic('other');
    const consumer = exchange(edge.data.fetch());
    const waiting = consumer.ask(fetchFrom(0, { waitMsMax: 5000 }));
    expect(await consumer.ask(fetchFrom(0, { topic: 'other' }))).toMatchObject({ error: undefined, highWatermark: 0 });
    await exchange(edge.data.produce()).ask(produceTo(buildBatch({ values: ['a'] })));
    expect((await waiting).batches).toHaveLength(1);
  });

  test('a stream may read far more than it may hold at one time', async () => {
    await startWithTopic({ fetchStreamBytesMax: 100_000 });
    await exchange(edge.data.produce()).ask(produceTo(buildBatch({ values: [new Uint8Array(90_000)] })));
    const consumer = exchange(edge.data.fetch());
    const answers = await Promise.all(Array.from({ length: 20 }, () => consumer.ask(fetchFrom(0))));
    expect(answers.map(({ error, batches }) => error?.code ?? batches.length)).toEqual(Array.from({ length: 20 }, () => 1));
  });

  test('errors carry a code, advice and the leader', async () => {
    await startWithTopic();
    const producer = exchange(edge.data.produce());
    const batch = buildBatch({ values: ['a'] });
    expect(await producer.ask(produceTo(batch, { topic: 'nope' }))).toMatchObject({ error: { code: 'UNKNOWN_TOPIC' } });
    expect(await producer.ask(produceTo(batch, { partition: 7 }))).toMatchObject({ error: { code: 'UNKNOWN_PARTITION' } });
    expect(await producer.ask(produceTo(batch, { acks: 9 }))).toMatchObject({ error: { code: 'INVALID_REQUEST' } });
    edge.host.depose(edge.groupOf('t'), 2);
    expect(await producer.ask(produceTo(batch))).toMatchObject({ error: { code: 'NOT_LEADER', leaderNodeId: 2, leaderTerm: 2 } });
    expect(await call((done) => edge.admin.getRaftStatus({ allGroups: false, groupId: 77 }, done))).toMatchObject({
      error: { code: 'UNKNOWN_GROUP' },
    });
  });

  test('an unexpected failure is INTERNAL, reported, and the stream goes on', async () => {
    await startWithTopic();
    const producer = exchange(edge.data.produce());
    const { propose } = edge.host;
    Object.assign(edge.host, { propose: () => Promise.reject(new TypeError('a bug')) });
    const answer = await producer.ask(produceTo(buildBatch({ values: ['a'] })));
    expect(answer.error).toMatchObject({ code: 'INTERNAL' });
    expect(answer.error!.message).not.toContain('a bug');
    expect(edge.unexpected).toMatchObject([{ message: 'a bug' }]);
    Object.assign(edge.host, { propose });
    expect(await producer.ask(produceTo(buildBatch({ values: ['a'] })))).toMatchObject({ error: undefined });
  });

  test('the standard health service follows readiness', async () => {
    await startWithTopic();
    const HealthClient = makeClientConstructor(healthServiceDefinition, 'Health');
    const health = new HealthClient(edge.address, credentials.createInsecure());
    expect(health).toBeInstanceOf(Client);
    const check = (service: string) => call<{ status: number }>((done) => health['check']!({ service }, done));
    expect(await check('')).toEqual({ status: 1 });
    expect(await check('balsa.v1.DataService')).toEqual({ status: 1 });
    await expect(check('nope')).rejects.toMatchObject({ code: status.NOT_FOUND });
    const watched: number[] = [];
    const watch = health['watch']!({ service: '' });
    watch.on('data', (answer: { status: number }) => watched.push(answer.status));
    watch.on('error', () => {});
    await expect.poll(() => watched).toEqual([1]);
    edge.host.depose(edge.groupOf('t'), 0);
    expect(await check('')).toEqual({ status: 2 });
    await expect.poll(() => watched, { timeout: 5000 }).toEqual([1, 2]);
    watch.cancel();
    health.close();
  });
});

describe('a client that misbehaves', () => {
  test('a flood of bad requests harms nobody', async () => {
    await startWithTopic();
    const corrupt = buildBatch({ values: ['x'.repeat(100)] });
    corrupt[70]! ^= 1;
    const bad = [
      produceTo(corrupt),
      produceTo(new Uint8Array(3)),
      produceTo(corrupt, { topic: 'no' }),
      produceTo(corrupt, { partition: 1 }),
      produceTo(corrupt, { acks: 44 }),
    ];
    const flood = exchange(edge.connect().produce());
    const answers = Array.from({ length: 3000 }, (_, i) => flood.ask(bad[i % bad.length]!));
    const good = exchange(edge.data.produce());
    expect(await good.ask(produceTo(buildBatch({ values: ['a'] })))).toMatchObject({ error: undefined, baseOffset: 0 });
    const codes = new Set((await Promise.all(answers)).map(({ error }) => error?.code));
    expect(codes).toEqual(new Set(['CORRUPT_BATCH', 'INVALID_BATCH', 'INVALID_REQUEST', 'UNKNOWN_PARTITION', 'UNKNOWN_TOPIC']));
    expect(edge.unexpected).toEqual([]);
    expect(edge.broker.bytesInflight()).toEqual({ produce: 0, fetch: 0 });
  });

  test('bytes that are no message end that stream only', async () => {
    await startWithTopic();
    const raw = new Client(edge.address, credentials.createInsecure());
    const stream = raw.makeBidiStreamRequest(
      '/balsa.v1.DataService/Produce',
      (bytes: Buffer) => bytes,
      (bytes: Buffer) => bytes,
    );
    const ended = new Promise<number>((resolve) => {
      stream.on('error', (error: { code: number }) => resolve(error.code));
    });
    stream.on('data', () => {});
    stream.write(Buffer.from([0x32, 0xff, 0xff, 0xff, 0xff, 0x0f, 1, 2]));
    expect(await ended).not.toBe(status.OK);
    await expect.poll(edge.streams).toBe(0);
    raw.close();
    expect(await exchange(edge.data.produce()).ask(produceTo(buildBatch({ values: ['a'] })))).toMatchObject({ baseOffset: 0 });
  });

  test('a batch above the limit is refused by its code, not by a broken stream', async () => {
    await startWithTopic();
    const producer = exchange(edge.data.produce());
    expect(await producer.ask(produceTo(new Uint8Array(9 * 1024 * 1024)))).toMatchObject({ error: { code: 'BATCH_TOO_LARGE' } });
    expect(await producer.ask(produceTo(buildBatch({ values: [new Uint8Array(1024 * 1024 + 1)] })))).toMatchObject({
      error: { code: 'RECORD_TOO_LARGE' },
    });
    expect(await producer.ask(produceTo(buildBatch({ values: ['a'] })))).toMatchObject({ baseOffset: 0 });
  });

  test('producers are held back, not refused, while the log is slow', async () => {
    await startWithTopic({ produceStreamBytesMax: 256 * 1024 });
    const release = edge.host.hold();
    const producer = exchange(edge.data.produce());
    const batch = buildBatch({ values: [new Uint8Array(100_000)] });
    const answers = Array.from({ length: 200 }, () => producer.ask(produceTo(batch)));
    await expect.poll(() => edge.broker.bytesInflight().produce).toBeGreaterThan(200_000);
    // A few turns later nothing more has been taken from the connection.
    for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(edge.broker.bytesInflight().produce).toBeLessThan(500_000);
    release();
    expect(new Set((await Promise.all(answers)).map(({ error }) => error?.code))).toEqual(new Set([undefined]));
  });

  test('answers that leave together are counted one by one: a stream never runs dry', async () => {
    await startWithTopic({ streamRequestsInflightMax: 64 });
    const producer = exchange(edge.data.produce());
    const batch = buildBatch({ values: ['a'] });
    for (let round = 0; round < 5; round += 1) {
      const release = edge.host.hold();
      const answers = Array.from({ length: 50 }, () => producer.ask(produceTo(batch)));
      await expect.poll(() => edge.broker.bytesInflight().produce).toBe(50 * batch.length);
      release();
      expect((await Promise.all(answers)).map(({ error }) => error?.code)).toEqual(Array.from({ length: 50 }, () => undefined));
    }
  });

  test('a consumer that takes nothing is bounded in memory and loses its stream', async () => {
    await startWithTopic({ fetchStreamBytesMax: 2 * 1024 * 1024, streamStallMs: 300 });
    const producer = exchange(edge.data.produce());
    for (let i = 0; i < 4; i += 1) await producer.ask(produceTo(buildBatch({ values: [new Uint8Array(1_000_000)] })));
    const stalled = openStalledFetch(edge.address, 100);
    await expect.poll(() => edge.broker.bytesInflight().fetch).toBeGreaterThan(1_000_000);
    expect(edge.broker.bytesInflight().fetch).toBeLessThanOrEqual(2 * 1024 * 1024);
    // Others are served meanwhile.
    const other = exchange(edge.connect().fetch());
    expect((await other.ask(fetchFrom(0))).batches.length).toBeGreaterThan(0);
    expect(await stalled.resetCode).toBe(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    await expect.poll(() => edge.broker.bytesInflight().fetch).toBe(0);
    other.stream.end();
    producer.stream.end();
    await expect.poll(edge.streams).toBe(0);
    stalled.close();
  });

  test('a client that goes away while it waits leaves nothing behind', async () => {
    await startWithTopic();
    const client = edge.connect();
    const consumer = exchange(client.fetch());
    void consumer.ask(fetchFrom(0, { waitMsMax: 5000 }));
    await expect.poll(edge.streams).toBe(1);
    consumer.stream.cancel();
    await expect.poll(edge.streams).toBe(0);
    await exchange(edge.data.produce()).ask(produceTo(buildBatch({ values: ['a'] })));
    expect(edge.broker.bytesInflight().fetch).toBe(0);
  });

  test('streams and calls beyond the limits are refused by name', async () => {
    await startWithTopic({ streamsMax: 2, unaryInflightMax: 3 });
    exchange(edge.data.produce());
    exchange(edge.data.fetch());
    await expect.poll(edge.streams).toBe(2);
    expect(await exchange(edge.data.fetch()).failed).toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
      details: expect.stringContaining('streamsMax'),
    });
    const release = edge.host.hold();
    const lists = Array.from({ length: 5 }, () =>
      call<ListOffsetsResponse>((done) =>
        edge.data.listOffsets({ topic: 't', partition: 0, position: OffsetPosition.OFFSET_POSITION_LATEST, timeMs: 0 }, done),
      ),
    );
    await expect.poll(() => edge.refused.filter((code) => code === 'OVERLOADED').length).toBe(3);
    await expect(call((done) => edge.data.getMetadata({ topics: [] }, done))).rejects.toMatchObject({ code: status.RESOURCE_EXHAUSTED });
    release();
    const codes = (await Promise.all(lists)).map(({ error }) => error?.code);
    expect(codes.filter((code) => code === 'OVERLOADED')).toHaveLength(2);
    expect(codes.filter((code) => code === undefined)).toHaveLength(3);
  });
});
