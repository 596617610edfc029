/** The traces of real brokers, the leader killed in between, are those of a correct Raft. */
import { appendFileSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { openTraceFile } from '@balsa/node/assembly/trace-file.ts';
import { asGroupId, asNodeId } from '@balsa/node/core/ids.ts';
import { afterAll, expect, test } from 'vitest';
import { readTrace, replay } from '../spec/merge.ts';
import { SpecViolation } from '../spec/violation.ts';
import { cleanUp, temporaryFolder } from './fixture/clean-up.ts';
import { ackedCount, startKeyedLoad } from './fixture/keyed-load.ts';
import { connectTo, killNode, leaderAndFollowers, restart, startTestCluster, untilCaughtUp } from './fixture/test-cluster.ts';
import { until } from './fixture/until.ts';

afterAll(cleanUp);

test('a killed leader, an election and a restart', async () => {
  const dir = temporaryFolder();
  const cluster = await startTestCluster({ dir, flags: ['--trace.file', 'raft.ndjson'] });
  const balsa = await connectTo(cluster);
  await balsa.admin.topics.create('traced', { partitions: 1, replicas: 3 });
  const load = startKeyedLoad(balsa, 'traced');
  await until('records are acknowledged', () => ackedCount(load) > 200);
  const { leader } = await leaderAndFollowers(cluster, balsa, 'traced');
  await killNode(leader);
  const before = ackedCount(load);
  await until('records are acknowledged again', () => ackedCount(load) > before + 200);
  await restart(cluster, leader);
  await load.stop();
  await untilCaughtUp(cluster, balsa, 'traced');
  await cluster.stop();

  const traces = cluster.nodes.map(({ id }) => readTrace(path.join(dir, `node-${id}`, 'raft.ndjson')));
  const { events, leaders, commits } = replay(traces);
  expect(events).toBe(traces.flat().length);
  // The metadata and the partition: a leader each, and a new one for the partition at least.
  expect(leaders).toBeGreaterThanOrEqual(3);
  expect(commits).toBeGreaterThan(20);

  // A leader that had counted a replica too many would be found.
  const [first = []] = traces;
  const place = first.findIndex(({ type, ...event }) => type === 'step' && 'input' in event && event.input.type === 'message');
  const withoutSource = [first.slice(0, place + 1), [], []];
  expect(() => replay(withoutSource)).toThrow(SpecViolation);
});

test('a trace file keeps its bound over restarts, says that it is full, and survives a torn line', () => {
  const file = path.join(temporaryFolder(), 'raft.ndjson');
  const bytesMax = 1000;
  const event = { type: 'damaged', node: asNodeId(1), group: asGroupId(2), generation: 1 } as const;
  const failures: unknown[] = [];
  openTraceFile(file, bytesMax, (error) => failures.push(error))(event);
  appendFileSync(file, '{"type":"st');
  const write = openTraceFile(file, bytesMax, (error) => failures.push(error));
  write(event);
  expect(readTrace(file)).toEqual([event, event]);
  for (let i = 0; i < 100; i += 1) write(event);
  openTraceFile(file, bytesMax, (error) => failures.push(error))(event);
  expect(statSync(file).size).toBeLessThanOrEqual(bytesMax);
  expect(readFileSync(file, 'utf8')).toMatch(/\{"type":"full"\}\n+$/);
  expect(() => readTrace(file)).toThrow('not complete');
  expect(failures).toEqual([]);
});
