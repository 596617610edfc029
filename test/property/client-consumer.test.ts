/**
 * Random leader moves, crashes and silences under a consumer while records are written:
 * it delivers every offset of every partition once, in order, with the bytes of the log.
 */
import { text } from '@balsa/client';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addTopic, moveLeader } from '../unit/client/fake-broker.ts';
import { createFakeWorld } from '../unit/client/fake-world.ts';
import { logValues } from '../unit/client/log-values.ts';
import { seededRandom } from '../unit/client/virtual-clock.ts';

const scenarios = fc.record({
  seed: fc.integer({ min: 1, max: 2 ** 31 }),
  records: fc.integer({ min: 1, max: 150 }),
  partitions: fc.integer({ min: 1, max: 3 }),
  faults: fc.integer({ min: 0, max: 8 }),
  fetchBytesMax: fc.constantFrom(1_024, 1024 * 1024),
  prefetchBytesMax: fc.constantFrom(1_024, 8_000, 1024 * 1024),
  useBatches: fc.boolean(),
});

type Scenario = typeof scenarios extends fc.Arbitrary<infer Value> ? Value : never;

async function play(scenario: Scenario): Promise<{ readonly seen: Map<number, [bigint, string][]>; readonly logs: string[][] }> {
  const random = seededRandom(scenario.seed);
  const world = createFakeWorld({ seed: scenario.seed, latencyMs: () => random.below(5) });
  addTopic(world.cluster, 't', scenario.partitions);
  const balsa = await world.connect({ requestTimeout: 500 });
  const topic = balsa.topic('t', { value: text });
  const producer = topic.producer({ batchBytesMax: 300 });
  const { fetchBytesMax, prefetchBytesMax } = scenario;
  const consumer = topic.consumer({ from: 'earliest', fetchBytesMax, prefetchBytesMax, fetchWait: 200 });
  for (let fault = 0; fault < scenario.faults; fault++) {
    const address = `node${random.below(3) + 1}:7070`;
    const [atMs, forMs, kind] = [random.below(1_500), 20 + random.below(400), random.below(3)];
    const [partition, leader, lagMs] = [random.below(scenario.partitions), random.below(3) + 1, random.below(100)];
    world.clock.after(atMs, () => {
      if (kind === 0) moveLeader(world.cluster, 't', partition, leader, lagMs);
      else if (kind === 1) world.network.setUp(address, false);
      else world.network.setSilent(address, true);
    });
    world.clock.after(atMs + forMs, () => {
      world.network.setUp(address, true);
      world.network.setSilent(address, false);
    });
  }
  const seen = new Map<number, [bigint, string][]>();
  let count = 0;
  const note = (partition: number, offset: bigint, value: string | null) => {
    seen.set(partition, [...(seen.get(partition) ?? []), [offset, value ?? '']]);
    count++;
  };
  const reading = (async () => {
    if (scenario.useBatches) {
      for await (const { partition, records } of consumer.batches({ max: 1 + random.below(7) })) {
        for (const { offset, value } of records) note(partition, offset, value);
        if (count >= scenario.records) return;
      }
    }
    for await (const { partition, offset, value } of consumer) {
      note(partition, offset, value);
      if (random.below(10) === 0) await new Promise<void>((resolve) => world.clock.after(random.below(40), resolve));
      if (count >= scenario.records) return;
    }
  })();
  const writing = (async () => {
    for (let index = 0; index < scenario.records; index++) {
      const sent = producer.send({ value: `${index}-${'x'.repeat(random.below(80))}`, partition: random.below(scenario.partitions) });
      if (random.below(5) === 0) await sent;
      else sent.catch(() => undefined);
    }
    await producer.flush();
  })();
  await world.clock.run(Promise.all([writing, reading]));
  await world.clock.run(balsa.close());
  await world.clock.advance(10_000);
  expect(world.clock.pendingTimers()).toBe(0);
  return { seen, logs: Array.from({ length: scenario.partitions }, (_, partition) => logValues(world.cluster, 't', partition)) };
}

test('every offset is delivered once, in order, with its bytes', async () => {
  await fc.assert(
    fc.asyncProperty(scenarios, async (scenario) => {
      const { seen, logs } = await play(scenario);
      logs.forEach((log, partition) => {
        expect(seen.get(partition) ?? []).toEqual(log.map((value, offset) => [BigInt(offset), value]));
      });
    }),
    {
      numRuns: Number(process.env['FC_RUNS'] ?? 100),
      ...(process.env['FC_SEED'] === undefined ? {} : { seed: Number(process.env['FC_SEED']) }),
    },
  );
});
