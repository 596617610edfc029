/** A failed fsync ends the process: what is not certainly on disk is never acknowledged. */
import { text } from '@balsa/client';
import { exitCodes } from '@balsa/node/assembly/exit-code.ts';
import { errorTable } from '@balsa/proto/errors';
import { readFileSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';
import { cleanUp } from './fixture/clean-up.ts';
import { connectTo, restart, startTestCluster } from './fixture/test-cluster.ts';
import { until } from './fixture/until.ts';

afterAll(cleanUp);

test('the broker ends with STORAGE_FAILED and acknowledges nothing more; after a restart it has all it acknowledged', async () => {
  const preload = new URL('./fixture/failing-sync.ts', import.meta.url).href;
  const cluster = await startTestCluster({ nodes: 1, env: { NODE_OPTIONS: `--import ${preload}` } });
  const node = cluster.nodes[0]!;
  const balsa = await connectTo(cluster);
  await balsa.admin.topics.create('kept');
  const topic = balsa.topic('kept', { value: text });
  await using producer = topic.producer({ deliveryTimeout: '90s' });
  expect(await producer.send({ value: 'before' })).toMatchObject({ offset: 0n });

  const log = (): string => readFileSync(node.logFile, 'utf8');
  node.kill('SIGUSR2');
  await until('fdatasync to fail', () => log().includes('fdatasync fails from now on'));
  let acked = false;
  const unsure = producer.send({ value: 'unsure' });
  void unsure.then(
    () => {
      acked = true;
    },
    () => undefined,
  );
  expect(await node.stopped).toMatchObject({ code: exitCodes.STORAGE_FAILED.code, expected: false });
  expect(acked).toBe(false);
  expect(log()).toMatch(/^STORAGE_FAILED: .*fdatasync/m);
  expect(log()).toContain(errorTable.STORAGE_FAILED.remedy);

  await restart(cluster, node);
  // The producer sends the same batch again: whether or not the first one was on disk, it is there once.
  expect(await unsure).toMatchObject({ offset: 1n });
  expect(await topic.offsets()).toEqual([{ partition: 0, earliest: 0n, latest: 2n }]);
});
