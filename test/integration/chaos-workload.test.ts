/** Real clients of a real cluster through the loss of a leader: what they write down convinces the checker, and a forged record does not. */
import path from 'node:path';
import { gapsWithin, seriesOf, type Window } from '@balsa/chaos/availability/gaps.ts';
import { type ChaosCluster, startChaosCluster } from '@balsa/chaos/cluster/chaos-cluster.ts';
import { checkHistory, type Verdict } from '@balsa/chaos/history/check-history.ts';
import type { HistoryEvent } from '@balsa/chaos/history/event.ts';
import { createHistory } from '@balsa/chaos/history/recorder.ts';
import { checkVacuity } from '@balsa/chaos/history/vacuity.ts';
import { createChance } from '@balsa/chaos/nemesis/chance.ts';
import { openLineFile } from '@balsa/chaos/record/line-file.ts';
import type { ProbeKind, ProbeSample } from '@balsa/chaos/record/probe-sample.ts';
import { readHistory } from '@balsa/chaos/record/read-record.ts';
import { foundTopics } from '@balsa/chaos/run/found-topics.ts';
import { loadSchema } from '@balsa/chaos/scenario/load.ts';
import { topicSchema } from '@balsa/chaos/scenario/scenario.ts';
import type { Repeats } from '@balsa/chaos/nemesis/load-control.ts';
import { createNumbers } from '@balsa/chaos/workload/crew.ts';
import { drain } from '@balsa/chaos/workload/drain.ts';
import { startProbes } from '@balsa/chaos/workload/probes.ts';
import { startWorkload, type Workload } from '@balsa/chaos/workload/workload.ts';
import { type Balsa, connect } from '@balsa/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cleanUp, onCleanUp, temporaryFolder } from './fixture/clean-up.ts';
import { until } from './fixture/until.ts';

const nsPerMs = 1e6;
const recordsPerSecond = 300;
const plan = { periodMs: 20, deadlineMs: 1000, kinds: ['write', 'read', 'consume'] as ProbeKind[] };
const topics = [topicSchema.parse({ name: 'orders', partitions: 3, replicas: 3 })];
const load = loadSchema.parse({
  producers: 4,
  recordsPerSecond,
  acks: ['quorum', 'quorum', 'quorum', 'leader'],
  idempotent: [true, true, false, true],
  consumers: 3,
  slowConsumers: 1,
  topicChurn: true,
});

const startedMs = performance.now();
const nowNs = (): number => Math.round((performance.now() - startedMs) * nsPerMs);
const samples: ProbeSample[] = [];
let events: readonly HistoryEvent[];
let verdict: Verdict;
let file: string;
let failures: readonly Error[];
/** From the kill until the cluster was complete again. */
let lossWindow: Window;
let unanswered: number;
let repeats: Repeats;

beforeAll(async () => {
  const cluster = await startChaosCluster({ nodes: 3 });
  onCleanUp(cluster.stop);
  const admin = await connect(cluster.address, { timeout: '60s' });
  onCleanUp(() => admin.close({ timeout: '1s' }));
  file = path.join(temporaryFolder(), 'history.ndjson');
  const lines = openLineFile(file);
  onCleanUp(lines.close);
  const history = createHistory(nowNs, lines.add);
  await foundTopics(admin, topics, history);
  const clients = { address: cluster.address, topics, history, nowNs, nextId: createNumbers() };
  const workload = startWorkload({ ...clients, load, random: createChance(1) });
  const tell = { onSample: (sample: ProbeSample) => void samples.push(sample), onStall: () => undefined };
  const probes = await startProbes({ ...clients, ...tell, plan, random: createChance(2) });
  await loseLeader(cluster, admin, workload);
  // Whether somebody creates, deletes or looks is left to chance.
  await until('somebody has asked which topics there are', () =>
    [...history].some(({ type, f }) => type === 'ok' && f === 'describe-topics'),
  );
  await Promise.all([workload.stop(), probes.stop()]);
  const { signal } = new AbortController();
  const unexplained = await drain({ address: cluster.address, history, topics: ['orders'], withinMs: 60_000, replicas: true, signal });
  failures = [...workload.failures, ...probes.failures, ...unexplained];
  await lines.close();
  events = [...history];
  verdict = checkHistory(events);
}, 240_000);
afterAll(cleanUp);

/** About five seconds of load; the leader of `orders/0` is killed in the middle and comes back. */
async function loseLeader(cluster: ChaosCluster, admin: Balsa, workload: Workload): Promise<void> {
  const serve = async (seconds: number): Promise<void> => {
    const goal = workload.acked() + seconds * recordsPerSecond;
    await until(`acknowledgements of ${seconds} s`, () => workload.acked() >= goal);
  };
  workload.setRepeats(4);
  await serve(1.5);
  repeats = workload.repeats();
  unanswered = (await workload.crashProducer()).unanswered;
  await serve(0.5);
  const { partitions } = await admin.admin.topics.describe('orders');
  const node = cluster.node(partitions[0]!.leader!);
  const fromNs = nowNs();
  await node.kill();
  await serve(1.5);
  node.start();
  await cluster.untilReady();
  workload.setRepeats(0);
  lossWindow = { fromNs, toNs: nowNs() };
  await serve(1.5);
}

/** The history, had the drain not returned one value. */
function undrained(id: number): readonly HistoryEvent[] {
  const drains = new Set(
    events.flatMap((event) => (event.type === 'invoke' && 'source' in event && event.source === 'drain' ? [event.op] : [])),
  );
  return events.map((event) => {
    if (event.type !== 'ok' || event.f !== 'poll' || !drains.has(event.op)) return event;
    return { ...event, records: event.records.filter((read) => read.id !== id) };
  });
}

describe('the history', () => {
  test('has nothing twice although every request was sent many times', () => {
    expect(repeats.sent).toBeGreaterThan(recordsPerSecond);
    expect(repeats.duplicates).toBeGreaterThan(repeats.sent / 4);
    expect(verdict.findings).toEqual([]);
  });

  test('holds: nothing was lost, and no worker met anything but errors of the library', () => {
    expect(failures).toEqual([]);
    expect(verdict.findings).toEqual([]);
    expect(verdict.outcome).toBe('pass');
  });

  test('is about something: all kinds of operations, every log and every replica', () => {
    const okMin = { send: 300, poll: 50, assign: 3, 'end-offset': 100, 'start-offset': 3, 'create-topic': 2, 'describe-topics': 1 };
    expect(checkVacuity(verdict, { okMin, infoShareMax: 0.5, replicasReadMin: 3 })).toEqual([]);
    expect(verdict.figures).toMatchObject({ livingLogs: 3, drainedLogs: 3, replicasReadMin: 3 });
  });

  test('knows of the lost producer: what it had under way stays undecided, and another one took over', () => {
    expect(unanswered).toBeGreaterThan(0);
    expect(verdict.figures.infoErrors['CLOSED']).toBeGreaterThanOrEqual(unanswered);
    const sessions = new Set(events.flatMap((event) => (event.type === 'invoke' && event.f === 'send' ? [event.session] : [])));
    expect([...sessions].some((session) => /^producer-\d\.2$/.test(session))).toBe(true);
  });

  test('is the same in the file', async () => {
    expect(await readHistory(file)).toEqual(events);
  });

  test('without one acknowledged record in the drain it is no pass', () => {
    const acked = events.filter((event) => event.type === 'ok' && event.f === 'send').map(({ op }) => op);
    const sent = events.find(
      (event) => event.type === 'invoke' && event.f === 'send' && event.acks === 'quorum' && acked.includes(event.op),
    );
    const { id } = (sent as Extract<HistoryEvent, { type: 'invoke'; f: 'send' }>).records[0]!;
    const { outcome, counts } = checkHistory(undrained(id));
    expect(outcome).toBe('fail');
    expect(counts['lost-write']).toBe(1);
  });
});

// What is asked of times is little: a machine that runs tests may be late at any time.
describe('the probes', () => {
  test.for(plan.kinds)('show the loss of the leader as a gap: %s', (probe) => {
    const series = seriesOf(samples).find((each) => each.probe === probe && each.partition === 0)!;
    const gapsMs = gapsWithin(series, lossWindow).map((gap) => (gap.toNs - gap.fromNs) / nsPerMs);
    // The leader has to be missed, and another one elected.
    expect(Math.max(...gapsMs)).toBeGreaterThan(3 * plan.periodMs);
  });

  test('are one per kind, partition and period, and most are answered', () => {
    const all = seriesOf(samples);
    expect(all).toHaveLength(plan.kinds.length * 3);
    for (const { probe, samples: each, successesNs } of all) {
      const due = each.map(({ dueNs }) => dueNs);
      const periods = (due.at(-1)! - due[0]!) / (plan.periodMs * nsPerMs);
      if (probe !== 'consume') expect(Math.abs(periods + 1 - due.length), probe).toBeLessThan(1e-3);
      expect(successesNs.length, probe).toBeGreaterThan(0.5 * due.length);
    }
  });
});
