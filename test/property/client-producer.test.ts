/**
 * Random faults against the producer: whatever brokers and network do, with acks of a
 * quorum and idempotence an acknowledged record is in the log exactly once, at the offset
 * that the acknowledgement names, and every partition holds its records in the order of the
 * sends. What failed with effect 'none' is not in the log. When the faults end in time,
 * everything is acknowledged (but for what was refused for good), and in any case the next
 * record is: no producer gets stuck.
 */
import { BalsaError, type SendResult, text } from '@balsa/client';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addTopic, moveLeader, type ProduceFault } from '../unit/client/fake-broker.ts';
import { createFakeWorld } from '../unit/client/fake-world.ts';
import { batchValues, logValues } from '../unit/client/log-values.ts';
import { seededRandom } from '../unit/client/virtual-clock.ts';

interface Scenario {
  readonly seed: number;
  readonly records: number;
  readonly partitions: number;
  readonly batchBytesMax: number;
  readonly inflightMax: number;
  readonly lingerMs: number;
  readonly faultPercent: number;
  readonly leaderMoves: number;
  readonly crashes: number;
  readonly bufferBytesMax: number;
  readonly deliveryTimeoutMs: number;
}

const scenarios: fc.Arbitrary<Scenario> = fc.record({
  seed: fc.integer({ min: 1, max: 2 ** 31 }),
  records: fc.integer({ min: 1, max: 120 }),
  partitions: fc.integer({ min: 1, max: 3 }),
  batchBytesMax: fc.constantFrom(256, 600, 4096),
  inflightMax: fc.integer({ min: 1, max: 5 }),
  lingerMs: fc.constantFrom(0, 3),
  faultPercent: fc.constantFrom(0, 10, 40),
  leaderMoves: fc.integer({ min: 0, max: 6 }),
  crashes: fc.integer({ min: 0, max: 2 }),
  bufferBytesMax: fc.constantFrom(4096, 100_000),
  deliveryTimeoutMs: fc.constantFrom(30_000, 1_500),
});

const faults: readonly ProduceFault[] = [
  { kind: 'refuse', code: 'OVERLOADED' },
  { kind: 'refuse', code: 'LEADER_NOT_AVAILABLE' },
  { kind: 'refuse', code: 'NOT_LEADER' },
  { kind: 'refuse', code: 'LEADER_CHANGED' },
  { kind: 'refuse', code: 'INVALID_BATCH' },
  { kind: 'append-then-fail', code: 'LEADER_CHANGED' },
  { kind: 'append-then-fail', code: 'TIMEOUT' },
  { kind: 'append-then-fail', code: 'INTERNAL' },
  { kind: 'drop-reply' },
  { kind: 'drop-request' },
  { kind: 'close-before-append' },
  { kind: 'close-after-append' },
  { kind: 'delay-request', ms: 20 },
  { kind: 'delay-request', ms: 700 },
  { kind: 'delay-request', ms: 1_900 },
  { kind: 'delay-reply', ms: 7 },
  { kind: 'delay-reply', ms: 300 },
  { kind: 'delay-reply', ms: 900 },
];

interface Outcome {
  readonly value: string;
  readonly partition: number;
  readonly result: SendResult | BalsaError;
}

interface Played {
  readonly outcomes: Outcome[];
  readonly logs: string[][];
  /** Values that a broker refused for good. */
  readonly refused: ReadonlySet<string>;
  readonly leftTimers: number;
}

async function play(scenario: Scenario): Promise<Played> {
  const random = seededRandom(scenario.seed);
  const world = createFakeWorld({ seed: scenario.seed, latencyMs: () => random.below(4) });
  addTopic(world.cluster, 't', scenario.partitions);
  const balsa = await world.connect({ requestTimeout: 400 });
  let faultsOn = true;
  const refused = new Set<string>();
  world.cluster.hooks.onProduce = ({ batch }) => {
    const fault = faultsOn && random.below(100) < scenario.faultPercent ? faults[random.below(faults.length)] : undefined;
    if (fault?.kind === 'refuse' && fault.code === 'INVALID_BATCH') for (const value of batchValues(batch)) refused.add(value);
    return fault;
  };
  const stormMs = 1_200;
  world.clock.after(stormMs, () => {
    faultsOn = false;
  });
  for (let move = 0; move < scenario.leaderMoves; move++) {
    const partition = random.below(scenario.partitions);
    const [atMs, leader, lagMs] = [random.below(stormMs), random.below(3) + 1, random.below(80)];
    world.clock.after(atMs, () => moveLeader(world.cluster, 't', partition, leader, lagMs));
  }
  for (let crash = 0; crash < scenario.crashes; crash++) {
    const address = `node${random.below(3) + 1}:7070`;
    const isSilent = random.below(2) === 0;
    const set = (isDown: boolean) => (isSilent ? world.network.setSilent(address, isDown) : world.network.setUp(address, !isDown));
    const atMs = random.below(stormMs);
    world.clock.after(atMs, () => set(true));
    world.clock.after(atMs + 50 + random.below(800), () => set(false));
  }
  const { batchBytesMax, inflightMax, bufferBytesMax } = scenario;
  const producer = balsa.topic('t', { value: text }).producer({
    batchBytesMax,
    inflightMax,
    bufferBytesMax,
    linger: scenario.lingerMs,
    deliveryTimeout: scenario.deliveryTimeoutMs,
  });
  const outcomes = await world.clock.run(sendAtRandomTimes(scenario, random, world.clock.after, producer));
  await world.clock.advance(3_000);
  for (let partition = 0; partition < scenario.partitions; partition++) {
    const value = `last-${partition}`;
    outcomes.push({ value, partition, result: await world.clock.run(producer.send({ value, partition })) });
  }
  await world.clock.run(balsa.close());
  await world.clock.advance(100_000);
  const logs = Array.from({ length: scenario.partitions }, (_, partition) => logValues(world.cluster, 't', partition));
  return { outcomes, logs, refused, leftTimers: world.clock.pendingTimers() };
}

function sendAtRandomTimes(
  scenario: Scenario,
  random: { below: (max: number) => number },
  after: (ms: number, callback: () => void) => () => void,
  producer: { send: (record: { value: string; partition: number }) => Promise<SendResult> },
): Promise<Outcome[]> {
  return new Promise((resolve) => {
    const sends: Promise<Outcome>[] = [];
    const next = () => {
      const burst = 1 + random.below(12);
      for (let count = 0; count < burst && sends.length < scenario.records; count++) {
        const partition = random.below(scenario.partitions);
        const value = `${sends.length}-${'x'.repeat(random.below(60))}`;
        const sent = producer.send({ value, partition });
        sends.push(
          sent.then(
            (result) => ({ value, partition, result }),
            (error: BalsaError) => ({ value, partition, result: error }),
          ),
        );
      }
      if (sends.length < scenario.records) after(random.below(60), next);
      else resolve(Promise.all(sends));
    };
    next();
  });
}

test('acknowledged records are in the log exactly once, in the order of the sends', async () => {
  let acknowledged = 0;
  let unknown = 0;
  await fc.assert(
    fc.asyncProperty(scenarios, async (scenario) => {
      const { outcomes, logs, refused, leftTimers } = await play(scenario);
      expect(leftTimers).toBe(0);
      logs.forEach((log, partition) => {
        const mine = outcomes.filter((outcome) => outcome.partition === partition);
        expect(new Set(log).size, 'no duplicates').toBe(log.length);
        const order = new Map(mine.map(({ value }, index) => [value, index]));
        const positions = log.map((value) => order.get(value));
        expect(positions, 'order of the sends').toEqual(positions.toSorted((left, right) => Number(left) - Number(right)));
        for (const { value, result } of mine) {
          if (result instanceof BalsaError) {
            if (result.effect === 'none') expect(log, 'a definite failure left no trace').not.toContain(value);
            else unknown++;
            const isExpected =
              result.code === 'INVALID_BATCH' ? refused.has(value) : refused.size > 0 || scenario.deliveryTimeoutMs < 30_000;
            expect(isExpected, result.message).toBe(true);
          } else {
            acknowledged++;
            if (result.offset !== undefined) expect(log[Number(result.offset)], 'acknowledged at its offset').toBe(value);
            else expect(log).toContain(value);
          }
        }
      });
    }),
    {
      numRuns: Number(process.env['FC_RUNS'] ?? 150),
      ...(process.env['FC_SEED'] === undefined ? {} : { seed: Number(process.env['FC_SEED']) }),
    },
  );
  expect(acknowledged).toBeGreaterThan(0);
  expect(unknown, 'some scenarios must give records up').toBeGreaterThan(0);
});
