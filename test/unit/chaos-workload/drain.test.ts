/** Reading everything back from fake brokers that do not always answer. */
import { checkHistory } from '@balsa/chaos/history/check-history.ts';
import { createSession, send } from '@balsa/chaos/workload/send.ts';
import { drain } from '@balsa/chaos/workload/drain.ts';
import { connect } from '@balsa/client';
import { afterEach, expect, test } from 'vitest';
import { systemClock } from '../../../client/src/ports/system.ts';
import { until } from '../../integration/fixture/until.ts';
import { addTopic, createFakeCluster, type FakeCluster } from '../client/fake-broker.ts';
import { startFakeServers } from '../client/fake-server.ts';
import { type FakeRun, fakeRun } from './fake-run.ts';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (let end = ends.pop(); end !== undefined; end = ends.pop()) await end();
});

interface Scene extends FakeRun {
  readonly cluster: FakeCluster;
  readonly address: string;
  readonly read: (withinMs?: number) => Promise<readonly Error[]>;
}

/** Two partitions with forty records each, on three nodes. */
async function start(): Promise<Scene> {
  const cluster = createFakeCluster(systemClock);
  addTopic(cluster, 't', 2);
  const servers = await startFakeServers(cluster);
  ends.push(servers.stop);
  const address = servers.addresses.join(',');
  const run = fakeRun(address);
  const balsa = await connect(address);
  const producer = balsa.topic('t').producer();
  const session = createSession({ session: 's', acks: 'quorum', idempotent: true, producerOf: () => producer });
  for (let i = 0; i < 20; i += 1) {
    await Promise.all([0, 1].map((partition) => send(run.crew, session, { topic: 't', partition }, [20, 20]).done));
  }
  await balsa.close();
  const { signal } = new AbortController();
  const read = (withinMs = 20_000): Promise<readonly Error[]> =>
    drain({ address, history: run.history, topics: ['t'], withinMs, replicas: true, signal });
  return { ...run, cluster, address, read };
}

const recordsRead = ({ events }: FakeRun): number =>
  events().reduce((sum, event) => sum + (event.type === 'ok' && event.f === 'poll' ? event.records.length : 0), 0);

test('reads every log and every replica, once', async () => {
  const scene = await start();
  expect(await scene.read()).toEqual([]);
  const { outcome, figures } = checkHistory(scene.history);
  expect(outcome).toBe('pass');
  expect(figures).toMatchObject({ livingLogs: 2, drainedLogs: 2, replicasReadMin: 3 });
  expect(recordsRead(scene)).toBe(2 * 40 * 4);
});

test('waits for a replica that lags, and goes on where it was', async () => {
  const scene = await start();
  scene.cluster.lags.set(2, 10);
  const done = scene.read();
  const polls = (): number => scene.events().filter((event) => event.type === 'invoke' && event.f === 'poll' && event.node === 2).length;
  await until('several tries', () => polls() > 12);
  scene.cluster.lags.clear();
  await done;
  expect(checkHistory(scene.history)).toMatchObject({ outcome: 'pass', figures: { replicasReadMin: 3 } });
  expect(recordsRead(scene)).toBe(2 * 40 * 4);
});

test('goes on where a read was interrupted', async () => {
  const scene = await start();
  let failures = 3;
  scene.cluster.hooks.onUnary = (path, nodeId) => {
    if (!path.endsWith('ReadReplica') || nodeId !== 3 || failures === 0) return undefined;
    failures -= 1;
    return { code: 'NOT_READY', message: '', leaderNodeId: 0, leaderTerm: 0 };
  };
  await scene.read();
  expect(failures).toBe(0);
  expect(checkHistory(scene.history)).toMatchObject({ outcome: 'pass', figures: { drainedLogs: 2, replicasReadMin: 3 } });
  expect(recordsRead(scene)).toBe(2 * 40 * 4);
});

test('a replica that never catches up is on record, and the checker tells; all others are read', async () => {
  const scene = await start();
  scene.cluster.lags.set(2, 10);
  await scene.read(1000);
  const { outcome, counts } = checkHistory(scene.history);
  expect(outcome).toBe('fail');
  expect(counts).toMatchObject({ 'unseen-on-node': 2, 'lost-write': 0 });
});

test('a record that nobody can have sent is a finding, and everything else is read', async () => {
  const scene = await start();
  const balsa = await connect(scene.address);
  await balsa
    .topic('t')
    .producer()
    .send({ value: new TextEncoder().encode('of somebody else'), partition: 0 });
  await balsa.close();
  const failures = await scene.read();
  expect(failures.map(({ message }) => message)).toEqual(['drain of t/0: a value without its name']);
  const { outcome, figures } = checkHistory(scene.history);
  expect(outcome).toBe('fail');
  expect(figures.drainedLogs).toBe(1);
});
