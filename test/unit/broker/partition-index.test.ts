/** The index of a replica against a naive model: by offset, by time, by size, over checkpoints, trims and restarts. */
import { firstWithin, offsetOfTime, rowOf, rowsFrom } from '@balsa/node/broker/batch-lookup.ts';
import { firstToKeep } from '@balsa/node/broker/retention.ts';
import type { PartitionReplica } from '@balsa/node/broker/partition-replica.ts';
import { createPartitionReplica, hostedPartition } from '@balsa/node/broker/partition-replica.ts';
import { asGroupId, asOffset, asRaftIndex, asTerm } from '@balsa/node/core/ids.ts';
import { encodeAppend, encodeTrim } from '@balsa/node/core/machines/partition/command.ts';
import type { StateStore } from '@balsa/node/ports/state-store.ts';
import { createMemoryStateFolder } from '@balsa/node/storage/state/memory-state-store.ts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { buildBatch } from './batches.ts';

const key = { group: asGroupId(5), generation: 1 };

interface Model {
  readonly batches: {
    readonly base: number;
    readonly count: number;
    readonly timeMs: number;
    readonly bytes: number;
    readonly index: number;
  }[];
  next: number;
  logStart: number;
}

interface World {
  replica: PartitionReplica;
  readonly store: StateStore;
  readonly log: Uint8Array[];
  checkpoint: { readonly state: Uint8Array; readonly index: number } | undefined;
  readonly model: Model;
}

async function newWorld(): Promise<World> {
  const store = await createMemoryStateFolder().open();
  return {
    store,
    replica: createPartitionReplica(key),
    log: [],
    checkpoint: undefined,
    model: { batches: [], next: 0, logStart: 0 },
  };
}

function applyAt(world: World, payload: Uint8Array, index: number): unknown {
  return hostedPartition(world.replica).apply([{ index: asRaftIndex(index), term: asTerm(1), payload }])[0];
}

function append(world: World, count: number, timeMs: number, valueBytes: number): void {
  const batch = buildBatch({ values: Array.from({ length: count }, () => new Uint8Array(valueBytes)), timestampMs: timeMs });
  const payload = encodeAppend({ stampMs: 1, batch });
  world.log.push(payload);
  const index = world.log.length;
  expect(applyAt(world, payload, index)).toMatchObject({ kind: 'appended', baseOffset: world.model.next });
  world.model.batches.push({ base: world.model.next, count, timeMs, bytes: batch.length, index });
  world.model.next += count;
}

function trim(world: World, share: number): void {
  const starts = [...world.model.batches.map(({ base }) => base), world.model.next];
  const logStart = starts[Math.min(starts.length - 1, Math.floor(share * starts.length))] ?? 0;
  const payload = encodeTrim({ stampMs: 1, logStart: asOffset(logStart) });
  world.log.push(payload);
  applyAt(world, payload, world.log.length);
  world.model.logStart = Math.max(world.model.logStart, logStart);
}

async function checkpoint(world: World): Promise<void> {
  const machine = hostedPartition(world.replica);
  const state = machine.encode().slice();
  await world.store.write(machine.takeRows());
  world.checkpoint = { state, index: world.log.length };
}

/** As after a crash: the newest checkpoint, then the log after it. */
function restart(world: World): void {
  const before = hostedPartition(world.replica).encode();
  world.replica = createPartitionReplica(key);
  hostedPartition(world.replica).restore(world.checkpoint?.state);
  for (let index = (world.checkpoint?.index ?? 0) + 1; index <= world.log.length; index += 1) applyAt(world, world.log[index - 1]!, index);
  expect(hostedPartition(world.replica).encode()).toEqual(before);
}

async function checkLookups({ replica, store, model }: World): Promise<void> {
  const kept = model.batches.filter(({ base, count }) => base + count > model.logStart);
  for (let offset = model.logStart; offset < model.next; offset += 1) {
    const expected = kept.find(({ base, count }) => offset < base + count);
    expect(await rowOf(store, replica, asOffset(offset))).toMatchObject({
      baseOffset: expected?.base,
      index: expected?.index,
      sizeBytes: expected?.bytes,
    });
  }
  const all: number[] = [];
  for (let offset = model.logStart; offset < model.next; ) {
    const rows = await rowsFrom(store, replica, asOffset(offset), 300);
    all.push(...rows.map(({ baseOffset }) => baseOffset));
    offset = rows.at(-1)!.baseOffset + rows.at(-1)!.recordCount;
  }
  expect(all).toEqual(kept.map(({ base }) => base));
  for (const timeMs of [0, 1, 5, 9, 10, 11, 15, 20, 21]) {
    const expected = kept.find((batch) => batch.timeMs >= timeMs);
    const answer = expected === undefined ? model.next : Math.max(expected.base, model.logStart);
    expect([timeMs, await offsetOfTime(store, replica, timeMs)]).toEqual([timeMs, answer]);
  }
  for (const bytesMax of [0, 100, 500, 1000, 5000]) {
    let rest = kept.reduce((sum, { bytes }) => sum + bytes, 0);
    let answer: number = model.logStart;
    for (const { base, count, bytes } of kept) {
      answer = Math.max(base, model.logStart);
      if (rest <= bytesMax) break;
      rest -= bytes;
      answer = base + count;
    }
    expect([bytesMax, await firstWithin(store, replica, bytesMax)]).toEqual([bytesMax, answer]);
  }
}

type Step =
  | { readonly do: 'append'; readonly count: number; readonly timeMs: number; readonly valueBytes: number }
  | { readonly do: 'trim'; readonly share: number }
  | { readonly do: 'checkpoint' | 'restart' };

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constant('append' as const),
        count: fc.integer({ min: 1, max: 4 }),
        timeMs: fc.integer({ min: 0, max: 20 }),
        valueBytes: fc.integer({ min: 0, max: 60 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('trim' as const), share: fc.double({ min: 0, max: 1, noNaN: true }) }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('checkpoint' as const, 'restart' as const) }) },
  ),
  { maxLength: 25 },
);

describe('index of a partition replica', () => {
  test('agrees with a naive model after any history', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (history) => {
        const world = await newWorld();
        for (const step of history) {
          if (step.do === 'append') append(world, step.count, step.timeMs, step.valueBytes);
          else if (step.do === 'trim') trim(world, step.share);
          else if (step.do === 'checkpoint') await checkpoint(world);
          else restart(world);
        }
        await checkLookups(world);
      }),
      { numRuns: 60 },
    );
  });

  test('rows stay in memory until the write after the next hand-over', async () => {
    const world = await newWorld();
    append(world, 3, 1, 1);
    const machine = hostedPartition(world.replica);
    expect(machine.takeRows().length).toBeGreaterThan(0);
    // The rows are handed out and not written: the look-up must not miss them.
    expect(await rowOf(world.store, world.replica, asOffset(1))).toMatchObject({ baseOffset: 0 });
    expect(world.replica.tail.length).toBe(1);
    machine.takeRows();
    expect(world.replica.tail.length).toBe(0);
  });

  test('the log may start only where everything before was trimmed', () => {
    const replica = createPartitionReplica(key);
    const machine = hostedPartition(replica);
    const at = (index: number, mark: number) => ({ index: asRaftIndex(index), term: asTerm(1), mark });
    const marks = [at(1, 0), at(5, 10), at(9, 20)];
    replica.state.nextOffset = asOffset(30);
    expect(machine.mayStartAt(marks)).toEqual(at(1, 0));
    replica.state.logStart = asOffset(10);
    expect(machine.mayStartAt(marks)).toEqual(at(5, 10));
    replica.state.logStart = asOffset(29);
    expect(machine.mayStartAt(marks)).toEqual(at(9, 20));
    expect(machine.mayStartAt([])).toBeUndefined();
  });

  test('retention keeps what is young or without a time, and never splits a batch', async () => {
    const world = await newWorld();
    for (const timeMs of [100, 50, 200, 300]) append(world, 2, timeMs, 1);
    const broker = { stateStore: world.store, clock: { wallMs: () => 1000 } } as never;
    const settings = { retentionBytes: undefined, recordBytesMax: 1, batchBytesMax: 1 };
    const keep = (retentionMs: number | undefined) => firstToKeep(broker, world.replica, { ...settings, retentionMs });
    expect(await keep(undefined)).toBe(0);
    expect(await keep(900)).toBe(0);
    expect(await keep(850)).toBe(4);
    expect(await keep(750)).toBe(6);
    expect(await keep(10)).toBe(8);
    await checkpoint(world);
    await checkpoint(world);
    expect(await keep(850)).toBe(4);
    const timeless = await newWorld();
    append(timeless, 2, -1, 1);
    expect(await firstToKeep(broker, timeless.replica, { ...settings, retentionMs: 1 })).toBe(0);
  });
});
