/** What one replica holds, read without a leader's leave: possibly old, never false, never more than is applied. */
import { offsetRow } from '@balsa/node/broker/batch-rows.ts';
import { asNodeId, asOffset, asRaftIndex, metadataGroup } from '@balsa/node/core/ids.ts';
import type { GroupStatus } from '@balsa/node/host/vocabulary.ts';
import { HostError } from '@balsa/node/host/vocabulary.ts';
import { afterEach, expect, test } from 'vitest';
import { buildBatch } from './batches.ts';
import type { Fixture } from './fixture.ts';
import { codeOf, startFixture, topicNamed } from './fixture.ts';

let fixture: Fixture;
afterEach(() => fixture.stop());

const send = (...values: readonly (string | Uint8Array)[]) =>
  fixture.broker.produce({ topic: 't', partition: 0, acks: 'quorum', timeoutMs: 0, batch: buildBatch({ values }) });
const read = (offset: number, extra: Record<string, unknown> = {}) =>
  fixture.broker.readReplica({ topic: 't', partition: 0, offset, bytesMax: 1024 * 1024, ...extra });
const offsetsOf = (fetched: Awaited<ReturnType<typeof read>>): number[] => {
  fetched.release();
  return fetched.batches.map((batch) => batch.baseOffset);
};

async function startWithTopic(): Promise<void> {
  fixture = await startFixture();
  await fixture.broker.createTopic(topicNamed('t'));
}

/** Changes what the host says of the partition's group. */
function disguise(change: Partial<GroupStatus>): void {
  const { status } = fixture.host;
  Object.assign(fixture.host, {
    status: (group: number) => {
      const real = status(group as never);
      return real === undefined || group === metadataGroup ? real : { ...real, ...change };
    },
  });
}

test('a replica answers whoever leads, and asks nobody', async () => {
  await startWithTopic();
  await send('a', 'b');
  await send('c');
  for (const leader of [2, 0]) {
    fixture.host.depose(fixture.groupOf('t'), leader);
    const before = fixture.host.confirmations();
    expect(await read(1)).toMatchObject({ highWatermark: 3, logStart: 0, batches: [{ baseOffset: 0, term: 1 }, { baseOffset: 2 }] });
    expect(fixture.host.confirmations()).toBe(before);
  }
});

test('it ends at what is applied, and says so', async () => {
  await startWithTopic();
  await send('a', 'b');
  expect(await read(2)).toMatchObject({ highWatermark: 2, batches: [] });
  await expect(read(3)).rejects.toMatchObject({ code: 'OFFSET_OUT_OF_RANGE', message: expect.stringContaining('0 to 2') });
});

test('rows of a store that is ahead of the machine do not count', async () => {
  await startWithTopic();
  await send('a');
  await send('b');
  const group = fixture.groupOf('t');
  const key = { group, generation: 1 };
  await fixture.host.checkpoint(group);
  await fixture.host.checkpoint(group);
  const row = { index: asRaftIndex(99), baseOffset: asOffset(2), recordCount: 1, maxTimestampMs: 0, sizeBytes: 70, endBytes: 210 };
  await fixture.stateStore.write([offsetRow(key, row)]);
  const { read: readEntries } = fixture.host;
  const asked: number[] = [];
  const spy: typeof readEntries = (id, first, last, bytesMax) => {
    asked.push(last);
    return readEntries(id, first, last, bytesMax);
  };
  Object.assign(fixture.host, { read: spy });
  expect(offsetsOf(await read(0))).toEqual([0, 1]);
  // A read beyond the end of a real journal breaks an invariant.
  expect(asked).toEqual([fixture.host.status(group)?.last]);
});

test('records that retention has removed are refused, although their removal is not applied here yet', async () => {
  await startWithTopic();
  await send('a');
  const { index } = await send('b');
  await send('c');
  const reads = fixture.host.reads();
  disguise({ first: asRaftIndex(index + 1) });
  expect(await codeOf(read(0))).toBe('OFFSET_OUT_OF_RANGE');
  expect(await codeOf(read(1))).toBe('OFFSET_OUT_OF_RANGE');
  expect(fixture.host.reads()).toBe(reads);
  expect(offsetsOf(await read(2))).toEqual([2]);
  expect(fixture.broker.bytesInflight().fetch).toBe(0);
});

test('a gap before what is there is no answer either', async () => {
  await startWithTopic();
  await send('a');
  await send('b');
  const group = fixture.groupOf('t');
  await fixture.host.checkpoint(group);
  await fixture.host.checkpoint(group);
  // As after a snapshot: the row of the first batch was never here.
  const [rowKey] = (await fixture.stateStore.range('offsets', { from: new Uint8Array(0), to: new Uint8Array(4).fill(255), limit: 1 }))[0]!;
  await fixture.stateStore.write([{ op: 'delete', family: 'offsets', key: rowKey }]);
  expect(await codeOf(read(0))).toBe('OFFSET_OUT_OF_RANGE');
  expect(offsetsOf(await read(1))).toEqual([1]);
  expect(fixture.broker.bytesInflight().fetch).toBe(0);
});

test('one answer has one batch at least and about 1 MiB at most, and counts until it is released', async () => {
  await startWithTopic();
  for (let i = 0; i < 4; i += 1) await send(new Uint8Array(400_000));
  expect(offsetsOf(await read(0, { bytesMax: 0 }))).toEqual([0]);
  const large = await read(0, { bytesMax: 16 * 1024 * 1024 });
  expect(large.batches).toHaveLength(2);
  expect(fixture.broker.bytesInflight().fetch).toBeGreaterThan(800_000);
  large.release();
  expect(fixture.broker.bytesInflight().fetch).toBe(0);
});

test('a damaged replica is silent', async () => {
  await startWithTopic();
  await send('a');
  disguise({ faulty: true });
  await expect(read(0)).rejects.toMatchObject({ code: 'NOT_READY', message: expect.stringContaining('t-0 here is damaged') });
});

test('so is one whose damage is found by the read', async () => {
  await startWithTopic();
  await send('a');
  Object.assign(fixture.host, { read: () => Promise.reject(new HostError({ reason: 'faulty' })) });
  await expect(read(0)).rejects.toMatchObject({ code: 'LEADER_NOT_AVAILABLE', message: expect.stringContaining('damaged') });
  expect(fixture.broker.bytesInflight().fetch).toBe(0);
});

test('without a replica here the nodes that have one are named', async () => {
  await startWithTopic();
  await fixture.broker.registerNode({ ...fixture.broker.facts, nodeId: asNodeId(2), storeId: 'store-2' });
  // The emptier node gets it.
  await fixture.broker.createTopic(topicNamed('elsewhere'));
  await expect(read(0, { topic: 'elsewhere' })).rejects.toMatchObject({
    code: 'UNKNOWN_GROUP',
    message: expect.stringMatching(/no replica of elsewhere-0; nodes 2 do\. .*balsa raft status/),
  });
  expect(await codeOf(read(0, { topic: 'absent' }))).toBe('UNKNOWN_TOPIC');
  expect(await codeOf(read(0, { partition: 1 }))).toBe('UNKNOWN_PARTITION');
});

test('a replica that is being opened, and a broker that stops, ask to come again', async () => {
  fixture = await startFixture();
  const opening = Promise.withResolvers<void>();
  const { open } = fixture.host;
  Object.assign(fixture.host, { open: (spec: Parameters<typeof open>[0]) => opening.promise.then(() => open(spec)) });
  const created = fixture.broker.createTopic(topicNamed('t'));
  await expect.poll(() => fixture.broker.describeCluster(['t']).topics).toHaveLength(1);
  await expect(read(0)).rejects.toMatchObject({ code: 'NOT_READY', message: expect.stringContaining('being opened') });
  opening.resolve();
  await created;
  expect(await read(0)).toMatchObject({ highWatermark: 0, batches: [] });
  fixture.broker.stop();
  expect(await codeOf(read(0))).toBe('SHUTTING_DOWN');
});
