/** Clients that ask for too much, take too little, or are gone in the middle of it. */
import * as z from 'zod';
import type { Proof } from '../cluster/proofs.ts';
import { pauseFor, proveBy, repeatEvery } from './begun.ts';
import { readMetrics } from './broker-metrics.ts';
import { defineFault, type Fault, type FaultContext } from './fault.ts';
import { repeatsMax } from './load-control.ts';

const family = 'load';
const measuredMs = 500;
const msPerSecond = 1000;

export const overload = defineFault({
  name: 'overload',
  family,
  summary: 'Producers offer so many times what the scenario says',
  parameters: z.strictObject({ factor: z.number().min(1.5).max(10_000).default(20) }),
  scope: 'cluster',
  describe: (_, { factor }) => `${factor} times the load`,
  begin: async (context, _, { factor }) => {
    const calm = await rateOf(context, measuredMs);
    context.load.setRate(factor);
    const prove = async (): Promise<Proof> => {
      const now = await rateOf(context, measuredMs);
      const evidence = `brokers decided on ${Math.round(now)} batches and refusals per second, ${Math.round(calm)} before`;
      return { claim: 'the brokers are asked for more', holds: now > growthMin * calm && now > 0, evidence };
    };
    return { prove: async (ending) => [await proveBy(ending, prove)], heal: async () => context.load.setRate(1) };
  },
});
const growthMin = 1.3;

/** Records that the brokers acknowledged, and requests that they refused, per second. */
async function rateOf({ cluster }: FaultContext, forMs: number): Promise<number> {
  const count = async (): Promise<number> => {
    const all = await Promise.all(cluster.nodes.filter((node) => node.state() === 'running').map(readMetrics));
    return all.reduce(
      (sum, metrics) => sum + (metrics.get('balsa_produce_records_total') ?? 0) + (metrics.get('balsa_refused_total') ?? 0),
      0,
    );
  };
  const before = await count();
  const beganMs = performance.now();
  await pauseFor(forMs, new AbortController().signal);
  return ((await count()) - before) / ((performance.now() - beganMs) / msPerSecond);
}

const slowMax = 64;

export const slowConsumer = defineFault({
  name: 'slow-consumer',
  family,
  summary: 'Consumers follow the topic from its beginning and take one record at a time, with a pause',
  parameters: z.strictObject({
    consumers: z.number().int().min(1).max(slowMax).default(4),
    everyMs: z.number().int().min(10).max(10_000).default(200),
  }),
  scope: 'cluster',
  describe: (_, { consumers, everyMs }) => `${consumers} consumers that take a record every ${everyMs} ms`,
  begin: async (context, _, { consumers, everyMs }) => {
    const ended = new AbortController();
    const slow = Array.from({ length: consumers }, () => readSlowly(context, everyMs, ended.signal));
    const prove = (): Proof => {
      const taken = slow.reduce((sum, { seen }) => sum + seen.records, 0);
      const behind = slow.filter(({ seen }) => seen.behind > 0).length;
      return {
        claim: 'consumers are behind',
        holds: taken > 0 && behind > 0,
        evidence: `they took ${taken} records, ${behind} of ${consumers} have more before them`,
      };
    };
    return {
      prove: async (ending) => [await proveBy(ending, prove)],
      heal: async () => {
        ended.abort();
        await Promise.all(slow.map(({ done }) => done));
      },
    };
  },
});

function readSlowly({ admin, partition }: FaultContext, everyMs: number, signal: AbortSignal) {
  const seen = { records: 0, behind: 0 };
  const run = async (): Promise<void> => {
    await using consumer = admin.topic(partition.topic).consumer({ from: 'earliest', signal });
    for await (const { records, highWatermark } of consumer.batches({ max: 1 })) {
      seen.records += records.length;
      seen.behind = Number(highWatermark - (records.at(-1)?.offset ?? highWatermark)) - 1;
      await pauseFor(everyMs, signal);
    }
  };
  // It ends with an error when it is told to; whether it has read anything is what the proof says.
  return { seen, done: run().catch(() => undefined) };
}

export const crashProducer = defineFault({
  name: 'crash-producer',
  family,
  summary: 'A producer is lost in the middle of its work, again and again, and another one takes its place',
  parameters: z.strictObject({ everyMs: z.number().int().min(20).max(60_000).default(500) }),
  scope: 'cluster',
  describe: (_, { everyMs }) => `a lost producer every ${everyMs} ms`,
  begin: async ({ load }, _, { everyMs }) => {
    const seen = { producers: 0, unanswered: 0 };
    const crashing = repeatEvery(everyMs, async () => {
      const { unanswered } = await load.crashProducer();
      seen.producers += 1;
      seen.unanswered += unanswered;
    });
    const prove = (): Proof => ({
      claim: 'producers were lost in the middle of their work',
      holds: seen.unanswered > 0,
      evidence: `${seen.producers} producers with ${seen.unanswered} unanswered sends were lost`,
    });
    return { prove: async (ending) => [await proveBy(ending, prove)], heal: crashing.stop };
  },
});

export const retryStorm = defineFault({
  name: 'retry-storm',
  family,
  summary: 'Producers send every request again and again at once, without waiting for an answer',
  parameters: z.strictObject({ copies: z.number().int().min(1).max(repeatsMax).default(8) }),
  scope: 'cluster',
  describe: (_, { copies }) => `every request of producers ${copies} times more`,
  begin: async ({ load }, _, { copies }) => {
    const before = load.repeats();
    load.setRepeats(copies);
    const prove = (): Proof => {
      const now = load.repeats();
      const known = now.duplicates - before.duplicates;
      return {
        claim: 'brokers are sent again what they have',
        holds: known > 0,
        evidence: `${now.sent - before.sent} requests went out again; of ${known} the broker said that it had the batch`,
      };
    };
    return { prove: async (ending) => [await proveBy(ending, prove)], heal: async () => load.setRepeats(0) };
  },
});

export const loadFaults: readonly Fault[] = [overload, slowConsumer, crashProducer, retryStorm];
