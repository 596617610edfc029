/** Faults of the catalogue on real brokers: each begins, is proven, ends, and its end is proven; nothing acknowledged is lost. */
import { type Balsa, connect, text } from '@balsa/client';
import { type ChaosCluster, startChaosCluster } from '@balsa/chaos/cluster/chaos-cluster.ts';
import { proveHealed } from '@balsa/chaos/cluster/proofs.ts';
import { faultControl } from '@balsa/chaos/faults/fault-control.ts';
import { createChance } from '@balsa/chaos/nemesis/chance.ts';
import type { Nemesis } from '@balsa/chaos/nemesis/nemesis.ts';
import { createNemesis } from '@balsa/chaos/nemesis/play-steps.ts';
import type { TimelineEvent } from '@balsa/chaos/record/timeline.ts';
import { untilCaughtUp } from '@balsa/chaos/run/catch-up.ts';
import { stepSchema } from '@balsa/chaos/scenario/step.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cleanUp, onCleanUp } from './fixture/clean-up.ts';
import { until } from './fixture/until.ts';

const topic = 'orders';
const calmMs = 30_000;

let cluster: ChaosCluster;
let balsa: Balsa;
let nemesis: Nemesis;
let writing: { readonly acked: ReadonlySet<string>; readonly stop: () => Promise<void> };
const timeline: TimelineEvent[] = [];
/** Ends of processes that nobody had asked for, and no fault had announced. */
const surprises: unknown[] = [];
const expected = new Map<number, number>();

beforeAll(async () => {
  cluster = await startChaosCluster({
    nodes: 3,
    config: { 'maintenance.balanceCheckMs': 600_000 },
    brokerArguments: () => ['--unsafe-faults'],
    onEnded: (node, ending) => {
      if (!ending.expected && (expected.get(node.id) ?? 0) === 0) surprises.push(ending);
    },
  });
  onCleanUp(cluster.stop);
  balsa = await connect(cluster.address, { requestTimeout: '10s', timeout: '60s' });
  onCleanUp(() => balsa.close({ timeout: '1s' }));
  await balsa.admin.topics.create(topic, { partitions: 1, replicas: 3 });
  nemesis = createNemesis({
    cluster,
    admin: balsa,
    load: {
      setRate: () => undefined,
      setRepeats: () => undefined,
      repeats: () => ({ sent: 0, duplicates: 0 }),
      crashProducer: async () => ({ producer: 'none', unanswered: 0 }),
    },
    random: createChance(1),
    partition: { topic, partition: 0 },
    control: (node) => faultControl(cluster.node(node).httpAddress),
    expectEnding: (node) => {
      expected.set(node, (expected.get(node) ?? 0) + 1);
      return () => expected.set(node, (expected.get(node) ?? 0) - 1);
    },
    nowNs: () => Math.round(performance.now() * 1e6),
    timeline: (event) => timeline.push(event),
    acked: () => writing.acked.size,
    untilCalm: (withinMs, signal) => untilCaughtUp(balsa, { topics: [topic], withinMs, signal }),
  });
  writing = startWriting();
  onCleanUp(writing.stop);
});
afterAll(cleanUp);

/** Somebody writes all the time: many faults need that to have an effect. */
function startWriting(): typeof writing {
  const acked = new Set<string>();
  const producer = balsa.topic(topic, { value: text }).producer({ deliveryTimeout: '20s' });
  const open = new Set<Promise<void>>();
  let next = 0;
  const timer = setInterval(() => {
    const value = `record ${next++}`;
    const sent = producer.send({ value }).then(
      () => void acked.add(value),
      () => undefined,
    );
    open.add(sent);
    void sent.finally(() => open.delete(sent));
  }, 10);
  return {
    acked,
    stop: async () => {
      clearInterval(timer);
      await Promise.all(open);
      await producer.close();
    },
  };
}

const play = async (...steps: readonly object[]) =>
  nemesis.play(
    steps.map((step) => stepSchema.parse(step)),
    1,
  );

async function expectCalm(): Promise<void> {
  await cluster.untilReady();
  expect(await untilCaughtUp(balsa, { topics: [topic], withinMs: calmMs })).toBe(true);
  await until('all healed', async () => (await proveHealed(cluster)).every(({ holds }) => holds));
}

const failing = (played: Awaited<ReturnType<typeof play>>) => played.flatMap(({ proofs }) => proofs.filter(({ holds }) => !holds));

describe('one fault after the other', () => {
  test.each<[string, object]>([
    ['kill', {}],
    ['restart', { target: 'follower' }],
    ['pause', { target: 'follower' }],
    ['cpu-starve', { with: { share: 0.3 } }],
    ['block-loop', { target: 'follower', with: { ms: 1000 } }],
    ['clock-step', { with: { byMs: 60_000 } }],
    ['crash-at', { with: { point: 'journal.before-sync', how: 'power' }, forMs: 2000 }],
    ['power-loss', { target: 'all', with: { torn: true } }],
    ['isolate', {}],
    ['mute', {}],
    ['ring', {}],
    ['cut-clients', { target: 'follower' }],
    ['delay', { with: { delayMs: 50, jitterMs: 10 } }],
    ['throttle', { target: 'all', with: { bytesPerSecond: 3000 } }],
    ['clog', { target: 'follower' }],
    ['swizzle-clog', { with: { stepMs: 20 } }],
    ['reset', {}],
    ['refuse', { target: 'follower' }],
    ['slow-close', { with: { lateMs: 300 } }],
    ['truncate', {}],
    ['truncate', { with: { direction: 'upstream' } }],
    ['go-away', {}],
    ['go-away', { with: { code: 'enhance-your-calm' } }],
    ['reply-cut', { target: 'all' }],
    ['sync-error', { forMs: 2000 }],
    ['write-error', { target: 'follower', with: { times: 1 }, forMs: 2000 }],
    ['slow-disk', { with: { delayMs: 100 } }],
    ['stall', { target: 'follower' }],
    ['bit-flip', { target: 'follower', forMs: 1 }],
    ['damage', { target: 'follower', with: { kind: 'wiped-state' }, forMs: 3000 }],
    ['transfer', { with: { everyMs: 300 }, forMs: 2000 }],
    ['slow-consumer', {}],
  ])('%s %j', async (strike, options) => {
    const played = await play({ strike, forMs: 800, ...options });
    expect(played.length).toBe(1);
    expect(played[0]!.proofs.length).toBeGreaterThan(0);
    expect(failing(played)).toEqual([]);
    await expectCalm();
  });
});

test('steps that overlap, and what is left at the end, are ended too', async () => {
  const played = await play(
    { let: { a: 'leader', b: 'follower' } },
    { begin: 'cut', fault: 'isolate', target: 'a' },
    {
      together: [
        { strike: 'pause', target: 'b', forMs: 600 },
        { begin: 'slow', fault: 'slow-disk', target: 'a' },
      ],
    },
    { end: 'cut' },
    { awaitCalm: calmMs },
  );
  expect(played.length).toBe(3);
  expect(timeline.filter((event) => event.kind === 'fault-ended').slice(-3)).toMatchObject([
    { by: 'schedule' },
    { by: 'schedule' },
    { by: 'final-heal' },
  ]);
  await expectCalm();
});

test('every fault that began has ended, no process ended unasked, and what was acknowledged is there', async () => {
  const ids = (kind: TimelineEvent['kind']) =>
    timeline.flatMap((event) => (event.kind === kind && 'fault' in event ? [event.fault] : [])).toSorted((a, b) => a - b);
  expect(ids('fault-ended')).toEqual(ids('fault-began'));
  expect(surprises).toEqual([]);
  await writing.stop();
  const read = new Set<string>();
  await using consumer = balsa.topic(topic, { value: text }).consumer({ from: 'earliest', until: 'latest' });
  for await (const { value } of consumer) if (value !== null) read.add(value);
  expect(writing.acked.size).toBeGreaterThan(500);
  expect([...writing.acked].filter((value) => !read.has(value))).toEqual([]);
});
