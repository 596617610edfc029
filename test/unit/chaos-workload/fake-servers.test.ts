/** The workload as a whole against fake brokers behind real sockets: rates, bounds, lost producers, findings. */
import { checkHistory, type Verdict } from '@balsa/chaos/history/check-history.ts';
import type { ProbeSample } from '@balsa/chaos/record/probe-sample.ts';
import { type Load, loadSchema } from '@balsa/chaos/scenario/load.ts';
import { topicSchema } from '@balsa/chaos/scenario/scenario.ts';
import { drain } from '@balsa/chaos/workload/drain.ts';
import { startProbes } from '@balsa/chaos/workload/probes.ts';
import { startWorkload, type Workload } from '@balsa/chaos/workload/workload.ts';
import { connect } from '@balsa/client';
import { afterEach, expect, test } from 'vitest';
import { systemClock } from '../../../client/src/ports/system.ts';
import { until } from '../../integration/fixture/until.ts';
import { addTopic, createFakeCluster, type FakeCluster } from '../client/fake-broker.ts';
import { startFakeServers } from '../client/fake-server.ts';
import { type FakeRun, fakeRun } from './fake-run.ts';

const topics = [topicSchema.parse({ name: 't', partitions: 2 })];

interface Scene extends FakeRun {
  readonly cluster: FakeCluster;
  readonly address: string;
  readonly work: (load: Partial<Load>) => Workload;
  /** What is wrong with the history, once everything has been read back. */
  readonly findings: () => Promise<Verdict['findings']>;
}

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (let end = ends.pop(); end !== undefined; end = ends.pop()) await end();
});

async function start(nowMs?: () => number): Promise<Scene> {
  const cluster = createFakeCluster(systemClock);
  addTopic(cluster, 't', 2);
  const servers = await startFakeServers(cluster);
  ends.push(servers.stop);
  const address = servers.addresses.join(',');
  const run = fakeRun(address, nowMs);
  const work = (load: Partial<Load>): Workload => {
    const workload = startWorkload({ ...run.crew, topics, load: loadSchema.parse({ consumers: 0, deliveryTimeoutMs: 60_000, ...load }) });
    ends.push(workload.stop);
    return workload;
  };
  const findings = async (): Promise<Verdict['findings']> => {
    const { signal } = new AbortController();
    await drain({ address, history: run.history, topics: ['t'], withinMs: 10_000, replicas: false, signal });
    return checkHistory(run.history).findings;
  };
  return { ...run, cluster, address, work, findings };
}

const sentBy = ({ events }: Scene): number =>
  events().reduce((sum, event) => sum + (event.type === 'invoke' && event.f === 'send' ? event.records.length : 0), 0);

/** A cluster and a clock that stands still until it is told to go on. */
async function startWithClock() {
  const clock = { nowMs: 0 };
  const scene = await start(() => clock.nowMs);
  /** Lets time pass; exactly so many records are due then, to be sent or skipped. */
  const pass = async (workload: Workload, ms: number, records: number): Promise<void> => {
    const dealt = (): number => sentBy(scene) + workload.skipped();
    const goal = dealt() + records;
    clock.nowMs += ms;
    await until(`${goal} records`, () => dealt() >= goal);
    expect(dealt()).toBe(goal);
  };
  return { ...scene, pass };
}

test('offers what the load says, more under a factor, and its history holds', async () => {
  const scene = await startWithClock();
  const plan = { producers: 3, sendRecordsMax: 1, consumers: 2, slowConsumers: 1, acks: ['quorum' as const, 'leader' as const] };
  const workload = scene.work({ ...plan, recordsPerSecond: 200 });
  await until('the first record', () => sentBy(scene) === 1);
  for (let step = 0; step < 10; step += 1) await scene.pass(workload, 20, 4);
  workload.setRate(5);
  // The next one was due already.
  await scene.pass(workload, 5, 1);
  for (let step = 0; step < 10; step += 1) await scene.pass(workload, 20, 20);
  workload.setRate(1);
  for (let step = 0; step < 10; step += 1) await scene.pass(workload, 20, 4);
  expect(workload.skipped()).toBe(0);
  await workload.stop();
  expect(workload.failures).toEqual([]);
  expect(workload.acked()).toBe(sentBy(scene));
  expect(await scene.findings()).toEqual([]);
  expect(scene.outcomes('poll').filter((outcome) => outcome === 'ok').length).toBeGreaterThan(0);
});

test('sends groups of all sizes that the load allows', async () => {
  const scene = await start();
  const workload = scene.work({ recordsPerSecond: 500, producers: 2, sendRecordsMax: 4 });
  await until('some sends', () => sentBy(scene) > 200);
  await workload.stop();
  const sizes = scene.events().flatMap((event) => (event.type === 'invoke' && event.f === 'send' ? [event.records.length] : []));
  expect(new Set(sizes)).toEqual(new Set([1, 2, 3, 4]));
});

test('never has more than the bound unanswered; the rest is counted, not queued', async () => {
  const scene = await startWithClock();
  scene.cluster.hooks.onProduce = () => ({ kind: 'drop-request' });
  const workload = scene.work({ recordsPerSecond: 16_000, producers: 1, sendRecordsMax: 1 });
  await until('the first record', () => sentBy(scene) === 1);
  for (let step = 0; step < 10; step += 1) await scene.pass(workload, 25, 400);
  scene.cluster.hooks.onProduce = () => undefined;
  const { unanswered } = await workload.crashProducer();
  expect({ sent: sentBy(scene), skipped: workload.skipped(), unanswered }).toEqual({ sent: 2000, skipped: 2001, unanswered: 2000 });
  await workload.stop();
  expect(scene.outcomes('send')).toEqual(Array.from({ length: 2000 }, () => 'info CLOSED'));
});

test('what was due while the harness was held up is skipped beyond a bound, and counted', async () => {
  const clock = { nowMs: 0 };
  const scene = await start(() => clock.nowMs);
  const workload = scene.work({ recordsPerSecond: 1000, producers: 1, sendRecordsMax: 1 });
  await until('the first record', () => sentBy(scene) === 1);
  clock.nowMs += 60_000;
  await until('records of a minute', () => sentBy(scene) + workload.skipped() === 60_001);
  expect(sentBy(scene)).toBe(1001);
});

test('a lost producer leaves its sends undecided and is replaced under another name', async () => {
  const scene = await start();
  const workload = scene.work({ recordsPerSecond: 200, producers: 2, deliveryTimeoutMs: 1000 });
  await until('acknowledgements', () => workload.acked() > 20);
  scene.cluster.hooks.onProduce = () => ({ kind: 'drop-reply' });
  await until(
    'unanswered sends',
    () => scene.outcomes('send').length < scene.events().filter(({ f, type }) => f === 'send' && type === 'invoke').length,
  );
  const { producer, unanswered } = await workload.crashProducer();
  scene.cluster.hooks.onProduce = () => undefined;
  expect(producer).toMatch(/^producer-[12]\.1$/);
  expect(unanswered).toBeGreaterThan(0);
  const successor = producer.replace(/1$/, '2');
  const sessions = (): ReadonlySet<string> =>
    new Set(scene.events().flatMap((event) => (event.type === 'invoke' && event.f === 'send' ? [event.session] : [])));
  await until('a successor', () => sessions().has(successor));
  await workload.stop();
  expect(scene.outcomes('send').filter((outcome) => outcome === 'info CLOSED')).toHaveLength(unanswered);
  expect(workload.failures).toEqual([]);
});

test('what no error of the library explains is a finding, and ends nothing but its worker', async () => {
  const scene = await start();
  const balsa = await connect(scene.address);
  await balsa
    .topic('t')
    .producer()
    .send({ value: new TextEncoder().encode('of somebody else'), partition: 0 });
  await balsa.close();
  const workload = scene.work({ recordsPerSecond: 200, producers: 1, consumers: 1 });
  await until('a finding', () => workload.failures.length > 0);
  const acked = workload.acked();
  await until('more acknowledgements', () => workload.acked() > acked + 20);
  await workload.stop();
  expect(workload.failures.map(({ message }) => message)).toEqual(['consumer-1: a value without its name']);
});

test('each probe that was due is a sample, answered or not', async () => {
  const clock = { nowMs: 0 };
  const scene = await start(() => clock.nowMs);
  const samples: ProbeSample[] = [];
  const plan = { periodMs: 20, deadlineMs: 1000, kinds: ['write' as const, 'read' as const, 'consume' as const] };
  const probes = await startProbes({ ...scene.crew, topics, plan, onSample: (sample) => samples.push(sample), onStall: () => undefined });
  ends.push(probes.stop);
  const good = (kind: string): number => samples.filter(({ probe, error }) => probe === kind && error === undefined).length;
  const missed = (kind: string): readonly ProbeSample[] => samples.filter(({ probe, error }) => probe === kind && error !== undefined);
  const count = (kind: string): number => good(kind) + missed(kind).length;
  /** Two partitions are probed. */
  const passPeriods = async (periods: number, kinds: readonly string[]): Promise<void> => {
    const goals = kinds.map((kind) => count(kind) + 2 * periods);
    clock.nowMs += periods * plan.periodMs;
    await until('the samples of all that was due', () => kinds.every((kind, i) => count(kind) >= goals[i]!));
    expect(kinds.map(count)).toEqual(goals);
  };
  await until('what was due at once', () => plan.kinds.every((kind) => count(kind) === 1));
  for (let i = 0; i < 5; i += 1) await passPeriods(1, plan.kinds);
  await passPeriods(5, plan.kinds);
  expect(plan.kinds.flatMap(missed)).toEqual([]);
  scene.cluster.hooks.onProduce = () => ({ kind: 'drop-reply' });
  await passPeriods(3, ['write', 'read']);
  expect(missed('write').map(({ error, doneNs }) => [error, doneNs])).toEqual(Array.from({ length: 6 }, () => ['TIMEOUT', undefined]));
  scene.cluster.hooks.onProduce = () => undefined;
  const before = good('consume');
  for (let i = 0; good('consume') < before + 4 && i < 100; i += 1) await passPeriods(1, ['write', 'read']);
  await probes.stop();
  expect(probes.failures).toEqual([]);
  expect(good('consume')).toBeGreaterThanOrEqual(before + 4);
  expect(good('consume')).toBe(good('write'));
  for (const partition of [0, 1]) {
    for (const probe of ['write', 'read']) {
      const due = samples.filter((sample) => sample.probe === probe && sample.partition === partition).map(({ dueNs }) => dueNs);
      const first = due.toSorted((a, b) => a - b)[0]!;
      expect(due.toSorted((a, b) => a - b)).toEqual(due.map((_, i) => first + i * plan.periodMs * 1e6));
    }
  }
  expect(await scene.findings()).toEqual([]);
});
