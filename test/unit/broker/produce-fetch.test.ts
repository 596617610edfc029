/** The way of a message through the broker, over a host that commits at once. */
import { stampBatch } from '@balsa/node/core/records/batch-stamp.ts';
import { afterEach, describe, expect, test } from 'vitest';
import { buildBatch } from './batches.ts';
import type { Fixture } from './fixture.ts';
import { codeOf, startFixture, topicNamed } from './fixture.ts';

let fixture: Fixture;
afterEach(() => fixture.stop());

const send = (batch: Uint8Array, extra: Record<string, unknown> = {}) =>
  fixture.broker.produce({ topic: 't', partition: 0, acks: 'quorum', timeoutMs: 0, batch, ...extra });
const read = (offset: number, extra: Record<string, unknown> = {}) =>
  fixture.broker.fetch({ topic: 't', partition: 0, offset, bytesMax: 1024 * 1024, waitMsMax: 0, ...extra });
const offsetsOf = (fetched: Awaited<ReturnType<typeof read>>): number[] => fetched.batches.map((batch) => batch.baseOffset);

async function startWithTopic(options: Parameters<typeof startFixture>[0] = {}, config: Record<string, string> = {}): Promise<void> {
  fixture = await startFixture(options);
  await fixture.broker.createTopic(topicNamed('t', config));
}

describe('produce', () => {
  test('right after the creation a batch gets the first offset and a receipt', async () => {
    await startWithTopic();
    const produced = await send(buildBatch({ values: ['a', 'b', 'c'] }));
    expect(produced).toMatchObject({ baseOffset: 0, duplicate: false, durableCopies: 1, term: 1 });
    expect(produced.index).toBeGreaterThan(0);
    expect(await send(buildBatch({ values: ['d'] }))).toMatchObject({ baseOffset: 3 });
  });

  test('the same batch of an idempotent producer gets the same offset', async () => {
    await startWithTopic();
    const batch = buildBatch({ values: ['a', 'b'], producerId: 7, producerEpoch: 0, baseSequence: 0 });
    expect(await send(batch)).toMatchObject({ baseOffset: 0, duplicate: false });
    expect(await send(batch)).toMatchObject({ baseOffset: 0, duplicate: true });
    expect((await read(0)).highWatermark).toBe(2);
    expect(offsetsOf(await read(0))).toEqual([0]);
  });

  test('acks below quorum are answered without an offset', async () => {
    await startWithTopic();
    expect(await send(buildBatch({ values: ['a'] }), { acks: 'leader' })).toMatchObject({ baseOffset: undefined });
    expect(await send(buildBatch({ values: ['b'] }), { acks: 'none' })).toMatchObject({ baseOffset: undefined });
    expect((await read(0)).highWatermark).toBe(2);
  });

  test('bad requests have stable codes and take no place in the log', async () => {
    await startWithTopic({}, { 'record.bytes.max': '1024', 'batch.bytes.max': '4096' });
    const good = buildBatch({ values: ['a'] });
    const corrupt = good.slice();
    corrupt[corrupt.length - 2]! ^= 1;
    expect(await codeOf(send(good, { topic: 'absent' }))).toBe('UNKNOWN_TOPIC');
    expect(await codeOf(send(good, { partition: 1 }))).toBe('UNKNOWN_PARTITION');
    expect(await codeOf(send(corrupt))).toBe('CORRUPT_BATCH');
    expect(await codeOf(send(good.subarray(0, 40)))).toBe('INVALID_BATCH');
    expect(await codeOf(send(new Uint8Array(0)))).toBe('INVALID_BATCH');
    expect(await codeOf(send(buildBatch({ values: [new Uint8Array(2000)] })))).toBe('RECORD_TOO_LARGE');
    expect(await codeOf(send(buildBatch({ values: ['small', new Uint8Array(2000)] })))).toBe('RECORD_TOO_LARGE');
    expect(await codeOf(send(buildBatch({ values: [new Uint8Array(5000)] })))).toBe('BATCH_TOO_LARGE');
    expect(await codeOf(send(buildBatch({ values: ['a'], producerId: 1, producerEpoch: 0, baseSequence: 9 })))).not.toBe('resolved');
    expect(await send(buildBatch({ values: Array.from({ length: 3 }, () => new Uint8Array(1000)) }))).toMatchObject({ baseOffset: 0 });
  });

  test('refusals of the host become codes that say whether anything was written', async () => {
    await startWithTopic();
    const batch = buildBatch({ values: ['a'] });
    fixture.host.refusal = { reason: 'disk-full' };
    expect(await codeOf(send(batch))).toBe('DISK_FULL');
    fixture.host.refusal = { reason: 'timeout', effect: 'unknown' };
    expect(await codeOf(send(batch))).toBe('TIMEOUT');
    fixture.host.refusal = { reason: 'overloaded', limit: 'uncommittedBytesMax' };
    expect(await codeOf(send(batch))).toBe('OVERLOADED');
    fixture.host.refusal = undefined;
    fixture.host.depose(fixture.groupOf('t'), 2);
    await expect(send(batch)).rejects.toMatchObject({ code: 'NOT_LEADER', hint: { leader: 2, term: 2 } });
    fixture.host.depose(fixture.groupOf('t'), 0);
    expect(await codeOf(send(batch))).toBe('LEADER_NOT_AVAILABLE');
  });

  test('what is in work is bounded in bytes, and refused beyond it without harm', async () => {
    await startWithTopic({ limits: { produceBytesInflightMax: 3000 } });
    const release = fixture.host.hold();
    const batch = buildBatch({ values: [new Uint8Array(1000)] });
    const calls = Array.from({ length: 50 }, () =>
      send(batch).then(
        () => 'ok',
        (error: { code: string }) => error.code,
      ),
    );
    await expect.poll(() => fixture.broker.bytesInflight().produce).toBeGreaterThan(2000);
    expect(fixture.broker.bytesInflight().produce).toBeLessThanOrEqual(3000);
    release();
    const outcomes = await Promise.all(calls);
    expect(outcomes.filter((outcome) => outcome === 'ok')).toHaveLength(2);
    expect(outcomes.filter((outcome) => outcome === 'OVERLOADED')).toHaveLength(48);
    expect(fixture.broker.bytesInflight().produce).toBe(0);
    expect(await send(batch)).toMatchObject({ baseOffset: 2 });
  });
});

describe('fetch', () => {
  test('gives the produced bytes with offset and epoch stamped', async () => {
    await startWithTopic();
    const batch = buildBatch({ values: ['a', 'b'] });
    await send(buildBatch({ values: ['x'] }));
    await send(batch);
    const fetched = await read(1);
    expect(fetched).toMatchObject({ highWatermark: 3, logStart: 0 });
    const [first] = fetched.batches;
    expect(stampBatch(first!.bytes, first!.baseOffset, first!.term)).toEqual(stampBatch(batch, 1 as never, 1));
    // A batch that contains the offset is returned whole.
    expect(offsetsOf(await read(2))).toEqual([1]);
    // What was read is still as the producer sent it: readers share these bytes.
    expect(first!.bytes).toEqual(batch);
  });

  test('skips entries that hold no records', async () => {
    await startWithTopic();
    const batch = buildBatch({ values: ['a'], producerId: 3, producerEpoch: 0, baseSequence: 0 });
    await send(batch);
    await send(batch);
    await codeOf(
      fixture.host
        .propose(fixture.groupOf('t'), new Uint8Array(3), { durability: 'quorum', timeoutMs: 1 })
        .then(() => Promise.reject(new Error('no'))),
    ).catch(() => {});
    await send(buildBatch({ values: ['b'] }));
    expect(offsetsOf(await read(0))).toEqual([0, 1]);
  });

  test('keeps to the bytes asked for, but gives one batch at least', async () => {
    await startWithTopic();
    for (let i = 0; i < 10; i += 1) await send(buildBatch({ values: [new Uint8Array(1000)] }));
    expect(offsetsOf(await read(0, { bytesMax: 3500 }))).toEqual([0, 1, 2]);
    expect(offsetsOf(await read(4, { bytesMax: 1 }))).toEqual([4]);
  });

  test('reads on from the state store when rows have left memory', async () => {
    await startWithTopic();
    const group = fixture.groupOf('t');
    for (let i = 0; i < 30; i += 1) {
      await send(buildBatch({ values: ['a', 'b', 'c'] }));
      if (i % 10 === 9) await fixture.host.checkpoint(group);
    }
    const seen: number[] = [];
    for (let offset = 0; offset < 90; ) {
      const fetched = await read(offset, { bytesMax: 600 });
      seen.push(...offsetsOf(fetched));
      offset = fetched.batches.at(-1)!.baseOffset + 3;
    }
    expect(seen).toEqual(Array.from({ length: 30 }, (_, i) => i * 3));
    expect(offsetsOf(await read(4, { bytesMax: 1 }))).toEqual([3]);
  });

  test('refuses offsets outside the log', async () => {
    await startWithTopic();
    await send(buildBatch({ values: ['a'] }));
    expect(await codeOf(read(2))).toBe('OFFSET_OUT_OF_RANGE');
    expect((await read(1)).batches).toEqual([]);
  });

  test('is refused rather than stale when this broker leads no more', async () => {
    await startWithTopic();
    await send(buildBatch({ values: ['a'] }));
    fixture.host.depose(fixture.groupOf('t'), 2);
    expect(await codeOf(read(0))).toBe('NOT_LEADER');
  });

  test('a confirmation that fails refuses the read although the data is here', async () => {
    await startWithTopic();
    await send(buildBatch({ values: ['a'] }));
    fixture.host.refusal = { reason: 'timeout', effect: 'none' };
    expect(await codeOf(read(0))).toBe('LEADER_NOT_AVAILABLE');
  });

  test('waits for data, and needs one confirmation for it', async () => {
    await startWithTopic();
    const before = fixture.host.confirmations();
    const waiting = read(0, { waitMsMax: 5000 });
    await new Promise((resolve) => setImmediate(resolve));
    await send(buildBatch({ values: ['a'] }));
    expect(offsetsOf(await waiting)).toEqual([0]);
    expect(fixture.host.confirmations() - before).toBe(1);
  });

  test('a wait ends at its time, at an abort, and when the leader moves', async () => {
    await startWithTopic({ limits: { fetchWaitMsMax: 600_000 } });
    expect((await read(0, { waitMsMax: 5 })).batches).toEqual([]);
    const abort = new AbortController();
    const aborted = read(0, { waitMsMax: 5000, signal: abort.signal });
    abort.abort();
    expect((await aborted).batches).toEqual([]);
    const waiting = codeOf(read(0, { waitMsMax: 600_000 }));
    await new Promise((resolve) => setImmediate(resolve));
    fixture.host.depose(fixture.groupOf('t'), 3);
    expect(await waiting).toBe('NOT_LEADER');
  });

  test('bytes in work are bounded: readers wait for their turn and all are served', async () => {
    await startWithTopic({ limits: { fetchBytesInflightMax: 2500 } });
    for (let i = 0; i < 2; i += 1) await send(buildBatch({ values: [new Uint8Array(1000)] }));
    const peak: number[] = [];
    const readers = Array.from({ length: 20 }, async () => {
      const fetched = await read(0, { bytesMax: 1100 });
      peak.push(fixture.broker.bytesInflight().fetch);
      await new Promise((resolve) => setImmediate(resolve));
      fetched.release();
      fetched.release();
      return fetched.batches.length;
    });
    expect(await Promise.all(readers)).toEqual(Array.from({ length: 20 }, () => 1));
    expect(Math.max(...peak)).toBeLessThanOrEqual(2500);
    expect(fixture.broker.bytesInflight().fetch).toBe(0);
  });
});
