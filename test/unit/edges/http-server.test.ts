/** Health and metrics over HTTP. */
import type { ReadinessCheck } from '@balsa/node/broker/status.ts';
import { createHttpEdge } from '@balsa/node/edges/http/http-server.ts';
import { createMetrics } from '@balsa/node/telemetry/metrics.ts';
import { scrape } from '@balsa/node/telemetry/scrape.ts';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { buildBatch } from '../broker/batches.ts';
import { startFixture, topicNamed } from '../broker/fixture.ts';

let checks: () => readonly ReadinessCheck[] = () => [];
let metrics: () => Promise<{ contentType: string; text: string }> = async () => ({ contentType: 'text/plain', text: '' });
const unexpected: unknown[] = [];
const edge = createHttpEdge({ checks: () => checks(), metrics: () => metrics(), onUnexpected: (error) => unexpected.push(error) });
let port = 0;

beforeEach(async () => {
  port = await edge.listen('127.0.0.1', 0);
});
afterEach(() => edge.stop());

async function get(path: string, method = 'GET'): Promise<{ readonly status: number; readonly text: string }> {
  const response = await globalThis.fetch(`http://127.0.0.1:${port}${path}`, { method });
  return { status: response.status, text: await response.text() };
}

test('readiness names what is missing, liveness does not care', async () => {
  checks = () => [
    { name: 'running', problem: undefined },
    { name: 'registered', problem: 'not yet' },
  ];
  expect(await get('/livez')).toEqual({ status: 200, text: 'ok\n' });
  expect(await get('/readyz')).toEqual({ status: 503, text: '[-]registered not yet\nnot ready\n' });
  expect(await get('/healthz?verbose')).toEqual({ status: 503, text: '[+]running ok\n[-]registered not yet\nnot ready\n' });
  expect(await get('/readyz/running')).toMatchObject({ status: 200 });
  expect(await get('/readyz/absent')).toMatchObject({ status: 404 });
  checks = () => [{ name: 'running', problem: undefined }];
  expect(await get('/readyz')).toEqual({ status: 200, text: 'ok\n' });
});

test('unknown pages, other methods and failing answers end in a status, not in a crash', async () => {
  expect(await get('/')).toMatchObject({ status: 404 });
  expect(await get('/livez', 'POST')).toMatchObject({ status: 405 });
  expect(await get('/livez', 'HEAD')).toEqual({ status: 200, text: '' });
  metrics = () => Promise.reject(new Error('a bug'));
  expect(await get('/metrics')).toMatchObject({ status: 500 });
  expect(unexpected).toMatchObject([{ message: 'a bug' }]);
  expect(await get('/livez')).toMatchObject({ status: 200 });
});

test('metrics show partitions, groups and queues of a broker', async () => {
  const fixture = await startFixture();
  await fixture.broker.createTopic(topicNamed('t'));
  await fixture.broker.produce({ topic: 't', partition: 0, acks: 'quorum', timeoutMs: 0, batch: buildBatch({ values: ['a', 'b'] }) });
  const table = createMetrics();
  const stats = {
    segments: 3,
    bytes: 4,
    batches: 5,
    frames: 6,
    cachedBytes: 7,
    full: true,
    roomBytes: Number.POSITIVE_INFINITY,
    tornTails: 0,
    corruptFrames: 0,
  };
  metrics = () => scrape(table, { broker: fixture.broker, journal: () => stats, peers: () => [], proposalBytes: () => 11 });
  const { text } = await get('/metrics');
  expect(text).toContain('kafka_topic_partition_current_offset{topic="t",partition="0"} 2');
  expect(text).toContain('balsa_raft_groups_led 2');
  expect(text).toContain('balsa_queue_bytes{queue="proposals"} 11');
  expect(text).toContain('balsa_journal_full 1');
  expect(text).toContain('balsa_ready 1');
  expect(text).toContain('nodejs_eventloop_lag_seconds');
  // A topic that is gone leaves no series behind.
  await fixture.broker.deleteTopic('t');
  await expect.poll(() => fixture.host.groups().length).toBe(1);
  expect((await get('/metrics')).text).not.toContain('topic="t"');
  fixture.stop();
});
