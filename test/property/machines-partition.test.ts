/**
 * The partition machine against a model that keeps everything it ever accepted, in plain
 * arrays, and against itself on a second replica that is restored from bytes at random.
 */
import { asOffset, asRaftIndex, asTerm } from '@balsa/node/core/ids.ts';
import { encodeAppend, encodeTrim } from '@balsa/node/core/machines/partition/command.ts';
import type { PartitionLimits } from '@balsa/node/core/machines/partition/limits.ts';
import { createPartitionMachine, partitionMachine } from '@balsa/node/core/machines/partition/partition-machine.ts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sampleBatch } from '../unit/records/sample-batch.ts';

interface Sent {
  readonly producerId: number;
  readonly epoch: number;
  readonly first: number;
  readonly count: number;
}

interface Accepted extends Sent {
  readonly offset: number;
}

/** What happened, as one line: "append 7", "duplicate 3", or a code. */
type Verdict = string;

class Model {
  readonly #limits: PartitionLimits;
  records = 0;
  #now = 0;
  #logStart = 0;
  readonly history = new Map<number, Accepted[]>();
  /** Producers by age: [id, log time], the one that appended longest ago first. */
  #ages: [number, number][] = [];

  constructor(limits: PartitionLimits) {
    this.#limits = limits;
  }

  append(sent: Sent, stampMs: number): Verdict {
    const now = Math.max(this.#now, stampMs);
    const verdict = sent.producerId < 0 ? 'append' : this.#judge(sent, now);
    if (verdict !== 'append') return verdict;
    this.#now = now;
    const offset = this.records;
    this.records += sent.count;
    if (sent.producerId >= 0) this.#remember({ ...sent, offset }, now);
    return `append ${offset}`;
  }

  trim(logStart: number, stampMs: number): Verdict {
    if (logStart > this.records) return 'OFFSET_OUT_OF_RANGE';
    if (logStart > this.#logStart) this.#now = Math.max(this.#now, stampMs);
    this.#logStart = Math.max(this.#logStart, logStart);
    return `trimmed ${this.#logStart}`;
  }

  knows(producerId: number): readonly Accepted[] {
    return this.history.get(producerId) ?? [];
  }

  #judge(sent: Sent, now: number): Verdict {
    const age = this.#ages.find(([producerId]) => producerId === sent.producerId);
    const expired = age !== undefined && now - age[1] > this.#limits.producerExpiryMs;
    const all = expired ? [] : this.knows(sent.producerId);
    const epoch = all.at(-1)?.epoch;
    if (epoch === undefined) return sent.first === 0 ? 'append' : 'UNKNOWN_PRODUCER';
    if (sent.epoch < epoch) return 'PRODUCER_FENCED';
    if (sent.epoch > epoch) return sent.first === 0 ? 'append' : 'OUT_OF_ORDER_SEQUENCE';
    const mine = all.filter((batch) => batch.epoch === epoch);
    const taken = mine.reduce((sum, batch) => sum + batch.count, 0);
    if (sent.first === taken) return 'append';
    const recent = mine.slice(-5);
    const original = recent.find((batch) => batch.first === sent.first && batch.count === sent.count);
    if (original !== undefined) return `duplicate ${original.offset}`;
    return sent.first + sent.count <= recent[0]!.first ? 'DUPLICATE_SEQUENCE' : 'OUT_OF_ORDER_SEQUENCE';
  }

  #remember(accepted: Accepted, now: number): void {
    const { producerId } = accepted;
    const age = this.#ages.find(([id]) => id === producerId);
    const expired = age !== undefined && now - age[1] > this.#limits.producerExpiryMs;
    this.history.set(producerId, [...(expired ? [] : this.knows(producerId)), accepted]);
    this.#ages = [...this.#ages.filter(([id]) => id !== producerId), [producerId, now]];
    const kept = this.#ages.filter(([, stamp]) => now - stamp <= this.#limits.producerExpiryMs).slice(-this.#limits.producersMax);
    this.#ages = kept;
    for (const id of this.history.keys()) if (!kept.some(([keptId]) => keptId === id)) this.history.delete(id);
  }
}

/** What a client does next; `back` counts from the newest batch of the producer. */
type Step =
  | { readonly do: 'next'; readonly producer: number; readonly count: number }
  | { readonly do: 'retry'; readonly producer: number; readonly back: number }
  | { readonly do: 'regroup'; readonly producer: number; readonly back: number; readonly count: number }
  | { readonly do: 'skip'; readonly producer: number; readonly gap: number; readonly count: number }
  | { readonly do: 'epoch'; readonly producer: number; readonly by: number; readonly count: number }
  | { readonly do: 'raw'; readonly sent: Sent }
  | { readonly do: 'plain'; readonly count: number }
  | { readonly do: 'trim'; readonly logStart: number };

const producer = fc.integer({ min: 0, max: 3 });
const count = fc.integer({ min: 1, max: 4 });
const back = fc.integer({ min: 0, max: 8 });

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('next' as const), producer, count }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('retry' as const), producer, back }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('regroup' as const), producer, back, count }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('skip' as const), producer, gap: fc.integer({ min: 1, max: 3 }), count }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('epoch' as const), producer, by: fc.constantFrom(-1, 1, 2), count }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('raw' as const),
      sent: fc.record({ producerId: producer, epoch: fc.nat(2), first: fc.nat(12), count }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('plain' as const), count }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('trim' as const), logStart: fc.nat(40) }) },
);

interface Event {
  readonly step: Step;
  readonly stampMs: number;
  /** The second replica starts again from its bytes before this event. */
  readonly restore: boolean;
}

const events = fc.array(fc.record({ step, stampMs: fc.nat(200), restore: fc.boolean() }), { minLength: 1, maxLength: 60, size: 'max' });

function toBatch(model: Model, next: Exclude<Step, { do: 'trim' }>): Sent {
  if (next.do === 'raw') return next.sent;
  if (next.do === 'plain') return { producerId: -1, epoch: -1, first: -1, count: next.count };
  const all = model.knows(next.producer);
  const newest = all.at(-1);
  const epoch = newest?.epoch ?? 0;
  const after = newest === undefined ? 0 : newest.first + newest.count;
  const fresh = { producerId: next.producer, epoch, first: after };
  switch (next.do) {
    case 'next':
      return { ...fresh, count: next.count };
    case 'skip':
      return { ...fresh, first: after + next.gap, count: next.count };
    case 'epoch':
      return { ...fresh, epoch: Math.max(0, epoch + next.by), first: 0, count: next.count };
    case 'retry':
    case 'regroup': {
      const old = all.at(-1 - next.back) ?? { ...fresh, count: 1 };
      const { producerId, first } = old;
      return { producerId, epoch: old.epoch, first, count: next.do === 'retry' ? old.count : next.count };
    }
  }
}

function payloadOf(event: Event, model: Model): { readonly payload: Uint8Array; readonly sent?: Sent; readonly expected: Verdict } {
  const { stampMs } = event;
  if (event.step.do === 'trim') {
    const logStart = asOffset(event.step.logStart);
    return { payload: encodeTrim({ stampMs, logStart }), expected: model.trim(logStart, stampMs) };
  }
  const sent = toBatch(model, event.step);
  const batch = sampleBatch({ producerId: sent.producerId, producerEpoch: sent.epoch, baseSequence: sent.first, recordCount: sent.count });
  return { payload: encodeAppend({ stampMs, batch }), sent, expected: model.append(sent, stampMs) };
}

/** Runs events on the model and on two replicas; reports verdicts to `seen`. */
function run(script: readonly Event[], limits: PartitionLimits, seen: Set<string>, check: (sent: Sent, offset: number) => void): void {
  const machine = createPartitionMachine(limits);
  const model = new Model(limits);
  const first = machine.initial();
  let second = machine.initial();
  let index = 0;
  let nextOffset = 0;
  for (const event of script) {
    index += 1 + (event.stampMs % 3);
    const before = Buffer.from(machine.encode(first)).toString('hex');
    const { payload, sent, expected } = payloadOf(event, model);
    const command = { index: asRaftIndex(index), term: asTerm(1), payload };
    if (event.restore) second = machine.decode(machine.encode(second));
    const outcome = machine.apply(first, command);
    expect(machine.apply(second, command)).toEqual(outcome);
    const after = Buffer.from(machine.encode(first)).toString('hex');
    expect(Buffer.from(machine.encode(second)).toString('hex')).toBe(after);
    expect(machine.decode(machine.encode(first))).toEqual(first);
    const verdict = describeOutcome(outcome);
    expect(verdict).toBe(expected);
    seen.add(verdict.split(' ')[0]!);
    if (outcome.kind === 'refused' || (outcome.kind === 'appended' && outcome.duplicate)) expect(after).toBe(before);
    if (outcome.kind === 'appended' && !outcome.duplicate) {
      expect(outcome.row).toMatchObject({ index, baseOffset: nextOffset, recordCount: sent!.count });
      nextOffset += outcome.recordCount;
      expect(first.nextOffset).toBe(nextOffset);
    }
    if (outcome.kind === 'appended') check(sent!, outcome.baseOffset);
  }
}

function describeOutcome(outcome: ReturnType<typeof partitionMachine.apply>): Verdict {
  if (outcome.kind === 'refused') return outcome.code;
  if (outcome.kind === 'trimmed') return `trimmed ${outcome.logStart}`;
  return `${outcome.duplicate ? 'duplicate' : 'append'} ${outcome.baseOffset}`;
}

const unbounded: PartitionLimits = { producersMax: 100, producerExpiryMs: 1000 };

test('a batch has one offset however often it is sent, offsets are contiguous, replicas stay equal', () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(events, (script) => {
      const offsets = new Map<string, number>();
      run(script, unbounded, seen, (sent, offset) => {
        if (sent.producerId < 0) return;
        const key = JSON.stringify([sent.producerId, sent.epoch, sent.first, sent.count]);
        expect(offsets.get(key) ?? offset).toBe(offset);
        offsets.set(key, offset);
      });
    }),
    { numRuns: 250 },
  );
  const all = ['append', 'duplicate', 'trimmed', 'OFFSET_OUT_OF_RANGE'];
  const codes = ['UNKNOWN_PRODUCER', 'PRODUCER_FENCED', 'OUT_OF_ORDER_SEQUENCE', 'DUPLICATE_SEQUENCE'];
  expect([...seen].toSorted()).toEqual([...all, ...codes].toSorted());
});

test('producers are forgotten by number and by log time, on all replicas alike', () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(events, fc.integer({ min: 1, max: 3 }), fc.constantFrom(0, 20, 100), (script, producersMax, producerExpiryMs) => {
      run(script, { producersMax, producerExpiryMs }, seen, () => {});
    }),
    { numRuns: 150 },
  );
  expect(seen.has('UNKNOWN_PRODUCER')).toBe(true);
});

test('no bytes make a command throw, and what is refused changes nothing', () => {
  const valid = encodeAppend({ stampMs: 5, batch: sampleBatch({ producerId: 1, producerEpoch: 0, baseSequence: 0, recordCount: 2 }) });
  const nearlyValid = fc.array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { maxLength: 3 }).map((patches) => {
    const bytes = new Uint8Array(valid);
    for (const [at, byte] of patches) bytes[at] = byte;
    return bytes;
  });
  const cut = fc.nat(valid.length).map((length) => valid.subarray(0, length));
  const kinds = new Set<string>();
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.uint8Array({ maxLength: 100 }), nearlyValid, cut), { maxLength: 10 }), (payloads) => {
      const state = partitionMachine.initial();
      for (const [at, payload] of payloads.entries()) {
        const before = partitionMachine.encode(state);
        const outcome = partitionMachine.apply(state, { index: asRaftIndex(at + 1), term: asTerm(1), payload });
        kinds.add(outcome.kind);
        if (outcome.kind === 'refused') expect(partitionMachine.encode(state)).toEqual(before);
        expect(partitionMachine.decode(partitionMachine.encode(state))).toEqual(state);
      }
    }),
    { numRuns: 1000 },
  );
  expect([...kinds].toSorted()).toEqual(['appended', 'refused']);
});
