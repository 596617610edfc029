/**
 * The client's retries under every order of events that fast-check can think of: answers,
 * lost connections (with what was under way arriving late or not at all), half-open ones, leader
 * changes, refusals and the passing of time.
 *
 * Producers: an acknowledged record is in the log at its offset; with idempotence once and in the
 * order of the sends, without it at most as often as it was sent; a definite failure left no
 * trace; every send settles; what is unsettled and sent stays within the buffer's bound; and in the end a
 * record gets through. Consumers: every offset once, in order, with the bytes of the log.
 */
import { type Balsa, BalsaError, connect, type SendResult, text } from '@balsa/client';
import { DataServiceService, type ProduceRequest } from '@balsa/proto/client';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { appendRecord, createBatchBuilder, finishBatch, recordBytesMax } from '../../client/src/records/batch-builder.ts';
import { noProducer, noSequence, stampBatch } from '../../client/src/records/batch-header.ts';
import { addTopic, moveLeader, partitionOf, type ProduceFault } from '../unit/client/fake-broker.ts';
import { append } from '../unit/client/fake-log.ts';
import { batchValues, logValues } from '../unit/client/log-values.ts';
import { seededRandom } from '../unit/client/virtual-clock.ts';
import { createScheduledWorld, type ScheduledWorld } from './scheduled-world.ts';

const stepsMax = 60_000;
const runs = process.env['FC_RUNS'];

/** Something that befalls the cluster before event number `step`. */
type Blow = { readonly step: number } & (
  | { readonly kind: 'cut'; readonly node: number; readonly losesSent: boolean }
  | { readonly kind: 'black-hole'; readonly node: number }
  | { readonly kind: 'crash'; readonly node: number; readonly steps: number }
  | { readonly kind: 'move'; readonly partition: number; readonly leader: number; readonly lagMs: number }
);

const step = fc.integer({ min: 10, max: 300 });
const node = fc.integer({ min: 1, max: 3 });
const blow: fc.Arbitrary<Blow> = fc.oneof(
  fc.record({ kind: fc.constant('cut' as const), step, node, losesSent: fc.boolean() }),
  fc.record({ kind: fc.constant('black-hole' as const), step, node }),
  fc.record({ kind: fc.constant('crash' as const), step, node, steps: fc.integer({ min: 1, max: 60 }) }),
  fc.record({
    kind: fc.constant('move' as const),
    step,
    partition: fc.nat({ max: 1 }),
    leader: node,
    lagMs: fc.constantFrom(0, 200, 2_000),
  }),
);
const blows = fc.array(blow, { maxLength: 6 });

const verdicts: fc.Arbitrary<ProduceFault | undefined> = fc.oneof(
  { weight: 6, arbitrary: fc.constant(undefined) },
  {
    weight: 4,
    arbitrary: fc.constantFrom<ProduceFault>(
      { kind: 'refuse', code: 'OVERLOADED' },
      { kind: 'refuse', code: 'NOT_LEADER' },
      { kind: 'refuse', code: 'LEADER_CHANGED' },
      { kind: 'append-then-fail', code: 'LEADER_CHANGED' },
      { kind: 'append-then-fail', code: 'TIMEOUT' },
      { kind: 'drop-reply' },
      { kind: 'drop-request' },
      { kind: 'close-before-append' },
      { kind: 'close-after-append' },
    ),
  },
  { weight: 1, arbitrary: fc.constant<ProduceFault>({ kind: 'refuse', code: 'INVALID_BATCH' }) },
);

/** Makes the blows fall; to be called before each event. */
function strike(world: ScheduledWorld, list: readonly Blow[], partitions: number): (now: number) => void {
  const crashed = new Map<number, number>();
  return (now) => {
    for (const [nodeId, until] of crashed) {
      if (until > now) continue;
      crashed.delete(nodeId);
      world.setUp(nodeId, true);
    }
    for (const each of list) {
      if (each.step !== now) continue;
      if (each.kind === 'move') moveLeader(world.cluster, 't', each.partition % partitions, each.leader, each.lagMs);
      else if (each.kind === 'black-hole') world.blackHole(each.node);
      else {
        world.cut(each.node, each.kind === 'crash' || each.losesSent);
        if (each.kind !== 'crash') continue;
        world.setUp(each.node, false);
        crashed.set(each.node, now + each.steps);
      }
    }
  };
}

async function connectTo(world: ScheduledWorld, seed: number): Promise<Balsa> {
  const ports = { clock: world.clock, random: seededRandom(seed), transport: world.transport };
  return world.run(connect('balsa://node1,node2,node3', { ports, requestTimeout: '400ms', timeout: '60s' }), stepsMax);
}

/** Closes the client and lets what is under way end. */
async function closeAll(world: ScheduledWorld, balsa: Balsa): Promise<void> {
  world.onStep = () => undefined;
  await world.run(balsa.close(), stepsMax);
  await world.run(new Promise<void>((resolve) => void world.clock.after(5_000, resolve)), stepsMax);
  expect({ links: world.openLinks(), timers: world.pendingTimers() }).toEqual({ links: 0, timers: 0 });
}

const scenario = fc.record({
  seed: fc.integer({ min: 1, max: 2 ** 31 }),
  idempotent: fc.boolean(),
  partitions: fc.integer({ min: 1, max: 2 }),
  inflightMax: fc.integer({ min: 1, max: 5 }),
  batchBytesMax: fc.constantFrom(200, 600),
  /** Batches that fit in the buffer. */
  bufferBatches: fc.constantFrom(1, 1_000),
  deliveryTimeout: fc.constantFrom('30s' as const, '1500ms' as const),
  /** One per record: its partition, length, and whether it is sent at an event of its own. */
  sends: fc.array(fc.record({ partition: fc.nat({ max: 1 }), bytes: fc.nat({ max: 80 }), apart: fc.boolean() }), {
    minLength: 1,
    maxLength: 30,
  }),
  verdicts: fc.array(verdicts, { maxLength: 30 }),
  blows,
});

type Scenario = typeof scenario extends fc.Arbitrary<infer Value> ? Value : never;

interface Outcome {
  readonly value: string;
  readonly partition: number;
  result: SendResult | BalsaError | undefined;
}

interface Produced {
  readonly outcomes: readonly Outcome[];
  readonly logs: readonly (readonly string[])[];
  /** How often each value was sent to a broker. */
  readonly sent: ReadonlyMap<string, number>;
  readonly refused: ReadonlySet<string>;
  /** Most bytes of values that were sent and not settled. */
  readonly unsettledBytesMax: number;
}

async function produce(scheduler: fc.Scheduler, options: Scenario): Promise<Produced> {
  const world = createScheduledWorld(scheduler);
  addTopic(world.cluster, 't', options.partitions);
  const balsa = await connectTo(world, options.seed);
  const { idempotent, batchBytesMax, deliveryTimeout, inflightMax } = options;
  const bufferBytesMax = batchBytesMax * options.bufferBatches;
  const limits = { batchBytesMax, bufferBytesMax, deliveryTimeout, inflightMax };
  const producer = balsa.topic('t', { value: text }).producer({ idempotent, ...limits });
  const refused = new Set<string>();
  let requests = 0;
  world.cluster.hooks.onProduce = ({ batch }) => {
    const verdict = options.verdicts[requests++];
    if (verdict?.kind === 'refuse' && verdict.code === 'INVALID_BATCH') for (const value of batchValues(batch)) refused.add(value);
    return verdict;
  };
  const outcomes = new Map<string, Outcome>();
  const sent = new Map<string, number>();
  let unsettledBytesMax = 0;
  world.onSent = (path, message) => {
    if (path !== DataServiceService.produce.path) return;
    for (const value of batchValues((message as ProduceRequest).batch)) sent.set(value, (sent.get(value) ?? 0) + 1);
  };
  const strikeNow = strike(world, options.blows, options.partitions);
  world.onStep = (now) => {
    strikeNow(now);
    const unsettled = [...sent.keys()].filter((value) => outcomes.get(value)?.result === undefined);
    const bytes = unsettled.reduce((sum, value) => sum + value.length, 0);
    unsettledBytesMax = Math.max(unsettledBytesMax, bytes);
  };
  const send = (value: string, partition: number): Promise<void> => {
    const outcome: Outcome = { value, partition, result: undefined };
    outcomes.set(value, outcome);
    return producer.send({ value, partition }).then(
      (result) => void (outcome.result = result),
      (error: BalsaError) => void (outcome.result = error),
    );
  };
  const sending = (async () => {
    const settled: Promise<void>[] = [];
    for (const [index, { partition, bytes, apart }] of options.sends.entries()) {
      if (apart) await new Promise<void>((resolve) => world.event('send', resolve));
      settled.push(send(`${index}-${'x'.repeat(bytes)}`, partition % options.partitions));
    }
    await Promise.all(settled);
  })();
  await world.run(sending, stepsMax);
  for (let partition = 0; partition < options.partitions; partition++) await sendLast(world, outcomes, send, partition);
  await closeAll(world, balsa);
  const logs = Array.from({ length: options.partitions }, (_, partition) => logValues(world.cluster, 't', partition));
  return { outcomes: [...outcomes.values()], logs, sent, refused, unsettledBytesMax };
}

/** A record gets through at last; a few may meet a deadline that is too short for the delays, or the last refusals. */
async function sendLast(
  world: ScheduledWorld,
  outcomes: ReadonlyMap<string, Outcome>,
  send: (value: string, partition: number) => Promise<void>,
  partition: number,
): Promise<void> {
  for (let attempt = 0; attempt < 40; attempt++) {
    const value = `last-${partition}-${attempt}`;
    await world.run(send(value, partition), stepsMax);
    if (!(outcomes.get(value)?.result instanceof BalsaError)) return;
  }
  expect.fail(`partition ${partition} takes no record any more`);
}

function checkOutcome(
  { value, result }: Outcome,
  log: readonly string[],
  { sent, refused }: Produced,
  { idempotent, deliveryTimeout }: Scenario,
): void {
  const copies = log.filter((found) => found === value).length;
  expect(copies, `copies of ${value}`).toBeLessThanOrEqual(idempotent ? 1 : (sent.get(value) ?? 0));
  if (result instanceof BalsaError) {
    if (result.effect === 'none') expect(copies, `a definite failure left a trace: ${result.message}`).toBe(0);
    // Nothing else may end a send here: no obstacle is for ever, and a gap is the client's own business.
    const mayBeLate = refused.size > 0 || deliveryTimeout !== '30s';
    expect(result.code === 'INVALID_BATCH' ? refused.has(value) : result.code === 'TIMEOUT' && mayBeLate, result.message).toBe(true);
  } else {
    expect(copies, `${value} was acknowledged`).toBeGreaterThan(0);
    if (result?.offset !== undefined) expect(log[Number(result.offset)], 'acknowledged at its offset').toBe(value);
  }
}

test('a producer acknowledges only what is in the log, once, in order, whatever happens when', async () => {
  const seen = { acknowledged: 0, unknown: 0, none: 0, repeated: 0, copies: 0 };
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), scenario, async (scheduler, options) => {
      const produced = await produce(scheduler, options);
      const { outcomes, logs, sent, unsettledBytesMax } = produced;
      expect(unsettledBytesMax).toBeLessThanOrEqual(options.batchBytesMax * options.bufferBatches);
      logs.forEach((log, partition) => {
        const mine = outcomes.filter((outcome) => outcome.partition === partition);
        for (const outcome of mine) checkOutcome(outcome, log, produced, options);
        const order = new Map(mine.map(({ value }, index) => [value, index]));
        const positions = log.map((value) => order.get(value) ?? -1);
        expect(positions, 'nothing else is in the log').not.toContain(-1);
        if (options.idempotent) expect(positions, 'order of the sends').toEqual(positions.toSorted((a, b) => a - b));
        else seen.copies += log.length - new Set(log).size;
      });
      for (const { result } of outcomes) seen[result instanceof BalsaError ? result.effect : 'acknowledged']++;
      seen.repeated += [...sent.values()].filter((count) => count > 1).length;
    }),
    { numRuns: Number(runs ?? 200) },
  );
  // The runs must have met what they are for.
  for (const [what, times] of Object.entries(seen)) expect(times, what).toBeGreaterThan(5);
});

const reading = fc.record({
  seed: fc.integer({ min: 1, max: 2 ** 31 }),
  partitions: fc.integer({ min: 1, max: 2 }),
  batches: fc.array(fc.record({ partition: fc.nat({ max: 1 }), records: fc.integer({ min: 1, max: 4 }) }), { minLength: 1, maxLength: 25 }),
  prefetchBytesMax: fc.constantFrom(1_024, 1_048_576),
  /** Offset in each partition where it starts: inside the first batch, perhaps. */
  from: fc.nat({ max: 3 }),
  useBatches: fc.boolean(),
  blows,
});

function batchOf(first: number, count: number): Buffer {
  const builder = createBatchBuilder(256);
  for (let index = first; index < first + count; index++) {
    const record = { key: null, value: Buffer.from(`value-${index}-${'y'.repeat(index % 90)}`), headers: [], timestampMs: index };
    appendRecord(builder, record, recordBytesMax(record));
  }
  const bytes = Buffer.from(finishBatch(builder, 'none'));
  stampBatch(bytes, noProducer, noSequence);
  return bytes;
}

test('a consumer delivers every offset once and in order, whatever happens when', async () => {
  let lostStreams = 0;
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), reading, async (scheduler, options) => {
      const world = createScheduledWorld(scheduler);
      addTopic(world.cluster, 't', options.partitions);
      const balsa = await connectTo(world, options.seed);
      const { prefetchBytesMax } = options;
      const partitions = Array.from({ length: options.partitions }, (_, partition) => partition);
      const from = new Map(partitions.map((partition) => [partition, BigInt(options.from)]));
      for (const partition of partitions) append(partitionOf(world.cluster, 't', partition)!, batchOf(1_000, 4));
      const consumer = balsa.topic('t', { value: text }).consumer({ from, prefetchBytesMax, fetchBytesMax: 1_024, fetchWait: '200ms' });
      world.onStep = strike(world, options.blows, options.partitions);
      let written = 0;
      for (const { partition, records } of options.batches) {
        const batch = batchOf(written, records);
        written += records;
        world.event('write', () => {
          append(partitionOf(world.cluster, 't', partition % options.partitions)!, batch);
          for (const wake of new Set(world.cluster.onAppended)) wake();
        });
      }
      const wanted = written + (4 - options.from) * options.partitions;
      const seen = new Map<number, [bigint, string | null][]>();
      let count = 0;
      const note = (partition: number, offset: bigint, value: string | null): void => {
        seen.set(partition, [...(seen.get(partition) ?? []), [offset, value]]);
        count++;
      };
      const work = (async () => {
        if (options.useBatches) {
          for await (const { partition, records } of consumer.batches({ max: 3 })) {
            for (const { offset, value } of records) note(partition, offset, value);
            if (count >= wanted) return;
          }
        }
        for await (const { partition, offset, value } of consumer) {
          note(partition, offset, value);
          if (count >= wanted) return;
        }
      })();
      await world.run(work, stepsMax);
      lostStreams += options.blows.filter(({ kind }) => kind !== 'move').length;
      await closeAll(world, balsa);
      for (const partition of partitions) {
        const log = logValues(world.cluster, 't', partition).map((value, offset) => [BigInt(offset), value]);
        expect(seen.get(partition) ?? []).toEqual(log.slice(options.from));
      }
    }),
    { numRuns: Number(runs ?? 100) },
  );
  expect(lostStreams).toBeGreaterThan(5);
});
