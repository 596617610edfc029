/**
 * No space left: producers are refused with DISK_FULL, reads and elections go on, and writes
 * go on by themselves when there is space again. Shown with a bound on free space that no
 * disk can meet, and on a disk that is really full where the system gives us one.
 */
import { type Balsa, text } from '@balsa/client';
import type { LocalCluster } from '@balsa/node/local-cluster/local-cluster.ts';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cleanUp, temporaryFolder } from './fixture/clean-up.ts';
import { segmentFiles } from './fixture/journal-files.ts';
import { type RawClient, rawClient, soundBatch } from './fixture/raw-client.ts';
import { mountSmallDisk } from './fixture/small-disk.ts';
import { connectTo, killNode, leaderAndFollowers, restart, startTestCluster, untilCaughtUp } from './fixture/test-cluster.ts';
import { until } from './fixture/until.ts';

const MiB = 1024 * 1024;
const topic = 'full';
const deadlineMs = 2_000;
const readMsMax = 30_000;
/** Four segments of 48 MiB for each of three nodes, and what is not journal. */
const disk = mountSmallDisk(640 * MiB);
/** Below this the brokers take no new segment; what is left is for the state store. */
const freeBytesMin = 16 * MiB;
afterAll(cleanUp);

async function readCount(balsa: Balsa): Promise<number> {
  let count = 0;
  await using consumer = balsa.topic(topic).consumer({ from: 'earliest', until: 'latest', signal: AbortSignal.timeout(readMsMax) });
  for await (const { offset } of consumer) {
    expect(offset).toBe(BigInt(count));
    count += 1;
  }
  return count;
}

/** A caller of the client library learns the reason at his deadline: the library tries again until then. */
async function expectDiskFull(balsa: Balsa, reason = /DISK_FULL/): Promise<void> {
  await using producer = balsa.topic(topic, { value: text }).producer({ deliveryTimeout: deadlineMs });
  await expect(producer.send({ value: 'x' })).rejects.toMatchObject({ retriable: true, message: expect.stringMatching(reason) });
}

async function send(balsa: Balsa, value: string): Promise<void> {
  await using producer = balsa.topic(topic, { value: text }).producer();
  await producer.send({ value });
}

test('a bound on free space that is not met: the node starts, serves reads, refuses writes, until the bound is met', async () => {
  const config = path.join(temporaryFolder(), 'node.yaml');
  const restartWithBound = async (bound: string): Promise<void> => {
    writeFileSync(config, `journal:\n  fullFreeBytesMin: ${bound}\n`);
    for (const node of cluster.nodes) node.kill('SIGTERM');
    await Promise.all(cluster.nodes.map(({ stopped }) => stopped));
    await restart(cluster, ...cluster.nodes);
  };
  writeFileSync(config, '');
  const cluster = await startTestCluster({ nodes: 1, flags: ['--config', config] });
  const balsa = await connectTo(cluster);
  await balsa.admin.topics.create(topic);
  await send(balsa, 'before');

  await restartWithBound('1024GiB');
  await expectDiskFull(balsa);
  expect(await readCount(balsa)).toBe(1);

  await restartWithBound('0');
  await send(balsa, 'after');
  expect(await readCount(balsa)).toBe(2);
});

/** Sends batches of this size to the partition's leader until there is an error. */
async function produceUntilRefused(raw: RawClient, batchBytes: number): Promise<{ readonly records: number; readonly code: string }> {
  const values = Array.from({ length: 8 }, () => new Uint8Array(batchBytes / 8));
  for (let records = 0; ; records += values.length) {
    const { error } = await raw.produce(topic, 0, soundBatch(...values), 30_000);
    if (error !== undefined) return { records, code: error.code };
  }
}

describe.runIf(disk !== undefined)('a disk that is full on every node', () => {
  let cluster: LocalCluster;
  let balsa: Balsa;
  let records = 0;
  beforeAll(async () => {
    cluster = await startTestCluster({ dir: disk!.folder, flags: ['--journal.fullFreeBytesMin', `${freeBytesMin}`] });
    balsa = await connectTo(cluster);
    await balsa.admin.topics.create(topic, { partitions: 1, replicas: 3 });
    // All nodes alike: two segments, and no room for a third.
    await until('a segment in reserve on every node', () => cluster.nodes.every(({ dir }) => segmentFiles(dir).length === 2));
    disk!.fill(freeBytesMin / 2);
  });

  test('producers are refused, reads go on', async () => {
    const { leader } = await leaderAndFollowers(cluster, balsa, topic);
    const refused = await produceUntilRefused(rawClient(leader.clientAddress), 2 * MiB);
    expect(refused.code).toBe('DISK_FULL');
    records = refused.records;
    expect(records).toBeGreaterThan(0);
    await expectDiskFull(balsa);
    expect(await readCount(balsa)).toBe(records);
  });

  test('elections go on: the next leader serves reads', async () => {
    const { leader, followers } = await leaderAndFollowers(cluster, balsa, topic);
    await killNode(leader);
    await until('another leader', async () => {
      const { partitions } = await balsa.admin.topics.describe(topic);
      return followers.some(({ id }) => id === partitions[0]?.leader);
    });
    expect(await readCount(balsa)).toBe(records);
    // The new leader may have a little room left while its only follower has none: then a write stays undecided.
    await expectDiskFull(balsa, /DISK_FULL|TIMEOUT/);
    expect(await readCount(balsa)).toBeGreaterThanOrEqual(records);
  });

  test('once there is space again, writes go on by themselves', async () => {
    disk!.empty();
    await restart(cluster, ...cluster.nodes.filter(({ pid }) => pid === undefined));
    await until('a write', async () => {
      await send(balsa, 'there is space again');
      return true;
    });
    await untilCaughtUp(cluster, balsa, topic);
    expect(await readCount(balsa)).toBeGreaterThan(records);
  });
});
