/** More than the cluster can take: clients are held back, brokers stay within their bounds, nothing acknowledged is lost. */
import { type BalsaError, text } from '@balsa/client';
import { afterAll, expect, test } from 'vitest';
import { cleanUp } from './fixture/clean-up.ts';
import { peakResidentBytes, residentBytes } from './fixture/process-memory.ts';
import { connectTo, startTestCluster } from './fixture/test-cluster.ts';

afterAll(cleanUp);

const MiB = 1024 * 1024;
const producers = 6;
const recordsPerProducer = 250;
const valueBytes = 32 * 1024;
/** Of the 47 MiB sent, three times stored, a broker may hold its small limits and what its collector has not freed yet. */
const growthBytesMax = 200 * MiB;

/** Bounds far below what the producers have under way. */
const env = {
  BALSA_LIMITS__PRODUCE_BYTES_INFLIGHT_MAX: '1MiB',
  BALSA_LIMITS__PRODUCE_STREAM_BYTES_MAX: '256KiB',
  BALSA_RAFT__UNCOMMITTED_BYTES_MAX: '1MiB',
  BALSA_RAFT__INFLIGHT_BYTES_MAX: '1MiB',
  BALSA_JOURNAL__CACHE_BYTES: '4MiB',
};

test('producers faster than the cluster wait or are told; memory is bounded; what was acknowledged is there', {
  timeout: 180_000,
}, async () => {
  const cluster = await startTestCluster({ env });
  const clients = await Promise.all(Array.from({ length: producers }, () => connectTo(cluster)));
  const [balsa] = clients;
  await balsa!.admin.topics.create('flood', { partitions: 2, replicas: 3 });
  const before = cluster.nodes.map(({ pid }) => residentBytes(pid!));

  const acked = new Set<string>();
  const errors: BalsaError[] = [];
  const pads = '.'.repeat(valueBytes);
  await Promise.all(
    clients.map(async (client, number) => {
      // Everything at once: buffers of the producers are larger than all bounds of the brokers together.
      await using producer = client.topic('flood', { value: text }).producer({ batchBytesMax: 128 * 1024, deliveryTimeout: '90s' });
      await Promise.all(
        Array.from({ length: recordsPerProducer }, async (_, i) => {
          const id = `${number}-${i}`;
          await producer.send({ value: `${id}${pads}`, partition: i % 2 }).then(
            () => acked.add(id),
            (error: BalsaError) => errors.push(error),
          );
        }),
      );
    }),
  );

  // Overload is retriable and the deadline is long: the client library hides it.
  expect(errors).toEqual([]);
  expect(acked.size).toBe(producers * recordsPerProducer);
  const metrics = await Promise.all(
    cluster.nodes.map(async ({ httpAddress }) => await (await fetch(`http://${httpAddress}/metrics`)).text()),
  );
  expect(metrics.join('\n'), 'no broker was ever overloaded: the test proves nothing').toMatch(/code="OVERLOADED"[^\n]*\} [1-9]/);
  for (const [i, { pid }] of cluster.nodes.entries()) expect(peakResidentBytes(pid!) - before[i]!).toBeLessThan(growthBytesMax);

  const read = new Map<string, number>();
  await using consumer = balsa!.topic('flood', { value: text }).consumer({ from: 'earliest', until: 'latest' });
  for await (const { value } of consumer) {
    const id = value!.replaceAll('.', '');
    read.set(id, (read.get(id) ?? 0) + 1);
  }
  expect([...acked].filter((id) => !read.has(id))).toEqual([]);
  expect([...read].filter(([, copies]) => copies > 1)).toEqual([]);
});
