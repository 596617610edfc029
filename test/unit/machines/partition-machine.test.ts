import type { AppliedCommand } from '@balsa/node/core/machines/machine.ts';
import { asOffset, asRaftIndex, asTerm } from '@balsa/node/core/ids.ts';
import { encodeAppend, encodeTrim } from '@balsa/node/core/machines/partition/command.ts';
import type { PartitionLimits } from '@balsa/node/core/machines/partition/limits.ts';
import { defaultPartitionLimits } from '@balsa/node/core/machines/partition/limits.ts';
import type { PartitionOutcome } from '@balsa/node/core/machines/partition/outcome.ts';
import { createPartitionMachine, partitionMachine } from '@balsa/node/core/machines/partition/partition-machine.ts';
import { nextStampMs } from '@balsa/node/core/machines/partition/state.ts';
import { batchRecordsMax } from '@balsa/node/core/records/batch-header.ts';
import { beforeEach, describe, expect, test } from 'vitest';
import type { SampleBatch } from '../records/sample-batch.ts';
import { sampleBatch } from '../records/sample-batch.ts';

const day = 24 * 3600 * 1000;

/** A partition that applies one command after the other. */
function openPartition(limits: PartitionLimits = defaultPartitionLimits) {
  const machine = createPartitionMachine(limits);
  let state = machine.initial();
  let index = 0;
  const apply = (payload: Uint8Array): PartitionOutcome => {
    index++;
    const command: AppliedCommand = { index: asRaftIndex(index), term: asTerm(1), payload };
    return machine.apply(state, command);
  };
  return {
    apply,
    state: () => state,
    bytes: () => Buffer.from(machine.encode(state)).toString('hex'),
    append: (sample: SampleBatch = {}, stampMs = 1000) => apply(encodeAppend({ stampMs, batch: sampleBatch(sample) })),
    trim: (logStart: number, stampMs = 1000) => apply(encodeTrim({ stampMs, logStart: asOffset(logStart) })),
    /** What a new leader has after it was elected with nothing but a snapshot. */
    restore: () => {
      state = machine.decode(machine.encode(state));
    },
  };
}

const sent = (producerId: number, baseSequence: number, recordCount = 1, producerEpoch = 0): SampleBatch => ({
  producerId,
  producerEpoch,
  baseSequence,
  recordCount,
});

const accepted = (baseOffset: number, recordCount = 1) =>
  expect.objectContaining({ kind: 'appended', duplicate: false, baseOffset, recordCount });
const duplicate = (baseOffset: number, recordCount = 1) => ({ kind: 'appended', duplicate: true, baseOffset, recordCount });
const refused = (code: string) => ({ kind: 'refused', code, message: expect.any(String) });

let partition = openPartition();
beforeEach(() => {
  partition = openPartition();
});

describe('offsets', () => {
  test('count records, are contiguous, and come with what an index needs', () => {
    expect(partition.append({ recordCount: 3 })).toEqual(accepted(0, 3));
    expect(partition.append({ recordCount: 2, maxTimestampMs: 55 })).toEqual({
      kind: 'appended',
      duplicate: false,
      baseOffset: 3,
      recordCount: 2,
      row: { index: 2, baseOffset: 3, recordCount: 2, maxTimestampMs: 55, sizeBytes: 61 + 14 },
    });
    expect(partition.state().nextOffset).toBe(5);
  });

  test('are not taken by refused or repeated batches', () => {
    partition.append(sent(1, 0, 2));
    expect(partition.append(sent(1, 7))).toEqual(refused('OUT_OF_ORDER_SEQUENCE'));
    expect(partition.append(sent(1, 0, 2))).toEqual(duplicate(0, 2));
    expect(partition.append(sent(1, 2))).toEqual(accepted(2));
  });

  test('an unsound batch is refused with the reason', () => {
    const outcome = partition.apply(encodeAppend({ stampMs: 1, batch: sampleBatch().subarray(0, 70).fill(0, 16, 17) }));
    expect(outcome).toEqual({ kind: 'refused', code: 'INVALID_BATCH', message: expect.stringContaining('unsupported-magic') });
  });
});

describe('a batch that is sent again', () => {
  test('gets its original offset while it is among the last five', () => {
    for (let sequence = 0; sequence < 12; sequence += 2) partition.append(sent(9, sequence, 2));
    for (const sequence of [2, 4, 6, 8, 10]) expect(partition.append(sent(9, sequence, 2))).toEqual(duplicate(sequence, 2));
    expect(partition.append(sent(9, 0, 2))).toEqual(refused('DUPLICATE_SEQUENCE'));
    expect(partition.state().nextOffset).toBe(12);
  });

  test('gets it from a leader that started from a snapshot, too', () => {
    for (let sequence = 0; sequence < 7; sequence++) partition.append(sent(9, sequence));
    partition.restore();
    for (const sequence of [2, 3, 4, 5, 6]) expect(partition.append(sent(9, sequence))).toEqual(duplicate(sequence));
    expect(partition.append(sent(9, 1))).toEqual(refused('DUPLICATE_SEQUENCE'));
    expect(partition.append(sent(9, 7))).toEqual(accepted(7));
  });

  test('is not taken for a retry if its boundaries differ', () => {
    partition.append(sent(9, 0, 4));
    partition.append(sent(9, 4, 4));
    for (const changed of [sent(9, 4, 3), sent(9, 4, 5), sent(9, 5, 3), sent(9, 2, 4), sent(9, 0, 8)]) {
      expect(partition.append(changed)).toEqual(refused('OUT_OF_ORDER_SEQUENCE'));
    }
  });

  test('leaves no trace', () => {
    partition.append(sent(9, 0), 1000);
    partition.append(sent(8, 0), 1001);
    const before = partition.bytes();
    partition.append(sent(9, 0), 5000);
    partition.append(sent(9, 4), 6000);
    expect(partition.bytes()).toBe(before);
  });
});

describe('a producer', () => {
  test('that the partition does not know starts with sequence 0', () => {
    expect(partition.append(sent(1, 1))).toEqual(refused('UNKNOWN_PRODUCER'));
    expect(partition.append(sent(1, 0))).toEqual(accepted(0));
  });

  test('is not mixed up with another', () => {
    partition.append(sent(1, 0));
    partition.append(sent(2, 0));
    expect(partition.append(sent(1, 0))).toEqual(duplicate(0));
    expect(partition.append(sent(2, 0))).toEqual(duplicate(1));
    expect(partition.append(sent(2, 1))).toEqual(accepted(2));
  });

  test('starts a newer epoch with sequence 0, which fences the older', () => {
    partition.append(sent(1, 0, 3, 4));
    expect(partition.append(sent(1, 3, 1, 5))).toEqual(refused('OUT_OF_ORDER_SEQUENCE'));
    expect(partition.append(sent(1, 3, 1, 4))).toEqual(accepted(3));
    expect(partition.append(sent(1, 0, 3, 5))).toEqual(accepted(4, 3));
    expect(partition.append(sent(1, 4, 1, 4))).toEqual(refused('PRODUCER_FENCED'));
    expect(partition.append(sent(1, 0, 3, 4))).toEqual(refused('PRODUCER_FENCED'));
    expect(partition.append(sent(1, 0, 3, 5))).toEqual(duplicate(4, 3));
  });

  test('without an id is never checked', () => {
    for (const offset of [0, 1, 2])
      expect(partition.append({ producerId: -1, producerEpoch: 0, baseSequence: 0 })).toEqual(accepted(offset));
    expect(partition.state().producers.size).toBe(0);
  });
});

describe('sequences wrap after 2^31 - 1', () => {
  const large = { attributes: 4, records: Buffer.alloc(1) };
  const batches = Math.floor(2 ** 31 / batchRecordsMax);
  const rest = 2 ** 31 - batches * batchRecordsMax;

  beforeEach(() => {
    for (let at = 0; at < batches; at++) partition.append({ ...sent(1, at * batchRecordsMax, batchRecordsMax), ...large });
  });

  test('between two batches', () => {
    const last = { ...sent(1, batches * batchRecordsMax, rest), ...large };
    expect(partition.append(last)).toEqual(accepted(batches * batchRecordsMax, rest));
    expect(partition.append(sent(1, 0))).toEqual(accepted(2 ** 31));
    expect(partition.append(last)).toEqual(duplicate(batches * batchRecordsMax, rest));
    expect(partition.append(sent(1, 0))).toEqual(duplicate(2 ** 31));
  });

  test('within a batch', () => {
    const across = { ...sent(1, batches * batchRecordsMax, rest + 5), ...large };
    expect(partition.append(across)).toEqual(accepted(batches * batchRecordsMax, rest + 5));
    partition.restore();
    expect(partition.append(across)).toEqual(duplicate(batches * batchRecordsMax, rest + 5));
    expect(partition.append(sent(1, 5))).toEqual(accepted(2 ** 31 + 5));
    expect(partition.append({ ...sent(1, 1000 * batchRecordsMax), recordCount: batchRecordsMax, ...large })).toEqual(
      refused('OUT_OF_ORDER_SEQUENCE'),
    );
    expect(partition.append({ ...sent(1, 2000 * batchRecordsMax), recordCount: batchRecordsMax, ...large })).toEqual(
      refused('DUPLICATE_SEQUENCE'),
    );
  });

  test('and what was never sent is not called a duplicate', () => {
    const young = openPartition();
    for (let sequence = 0; sequence < 10; sequence++) young.append(sent(1, sequence));
    expect(young.append(sent(1, 2 ** 31 - 5))).toEqual(refused('OUT_OF_ORDER_SEQUENCE'));
    expect(young.append(sent(1, 4))).toEqual(refused('DUPLICATE_SEQUENCE'));
    young.append(sent(1, 0, 1, 1));
    expect(young.append(sent(1, 2 ** 31 - 5, 1, 1))).toEqual(refused('OUT_OF_ORDER_SEQUENCE'));
    const wrapped = { ...sent(1, batches * batchRecordsMax, rest), ...large };
    partition.append(wrapped);
    for (let sequence = 0; sequence < 10; sequence++) partition.append(sent(1, sequence));
    expect(partition.append(sent(1, 11))).toEqual(refused('OUT_OF_ORDER_SEQUENCE'));
    expect(partition.append(wrapped)).toEqual(refused('DUPLICATE_SEQUENCE'));
  });
});

describe('the producer table is bounded', () => {
  test('by number: who appended longest ago is forgotten, duplicates do not count', () => {
    partition = openPartition({ producersMax: 2, producerExpiryMs: 7 * day });
    partition.append(sent(1, 0));
    partition.append(sent(2, 0));
    partition.append(sent(1, 1));
    partition.append(sent(2, 0));
    partition.append(sent(3, 0));
    expect([...partition.state().producers.keys()]).toEqual([1, 3]);
    expect(partition.append(sent(2, 1))).toEqual(refused('UNKNOWN_PRODUCER'));
    expect(partition.append(sent(1, 2))).toEqual(accepted(4));
  });

  test('by number, with the same victim after a restore', () => {
    const twin = openPartition({ producersMax: 2, producerExpiryMs: 7 * day });
    partition = openPartition({ producersMax: 2, producerExpiryMs: 7 * day });
    for (const each of [partition, twin]) {
      each.append(sent(7, 0));
      each.append(sent(2, 0));
      each.append(sent(7, 1));
    }
    twin.restore();
    partition.append(sent(3, 0));
    twin.append(sent(3, 0));
    expect(twin.bytes()).toBe(partition.bytes());
    expect([...twin.state().producers.keys()]).toEqual([7, 3]);
  });

  test('by age in log time', () => {
    partition.append(sent(1, 0), 1000);
    expect(partition.append(sent(1, 1), 1000 + 7 * day)).toEqual(accepted(1));
    expect(partition.append(sent(1, 2), 1001 + 14 * day)).toEqual(refused('UNKNOWN_PRODUCER'));
    partition.append(sent(2, 0), 1001 + 14 * day);
    expect([...partition.state().producers.keys()]).toEqual([2]);
  });

  test('and log time does not run backwards', () => {
    partition.append(sent(1, 0), 10 * day);
    partition.append(sent(2, 0), day);
    expect(partition.state().lastStampMs).toBe(10 * day);
    expect(nextStampMs(partition.state(), 3)).toBe(10 * day);
    expect(nextStampMs(partition.state(), 11 * day)).toBe(11 * day);
    expect(partition.append(sent(2, 1), 16 * day)).toEqual(accepted(2));
  });
});

describe('trim', () => {
  beforeEach(() => {
    partition.append({ recordCount: 10 });
  });

  test('moves the log start forward only', () => {
    expect(partition.trim(4)).toEqual({ kind: 'trimmed', logStart: 4 });
    expect(partition.trim(2)).toEqual({ kind: 'trimmed', logStart: 4 });
    expect(partition.trim(10)).toEqual({ kind: 'trimmed', logStart: 10 });
    expect(partition.state().logStart).toBe(10);
  });

  test('beyond the end is refused', () => {
    expect(partition.trim(11)).toEqual(refused('OFFSET_OUT_OF_RANGE'));
    expect(partition.state().logStart).toBe(0);
  });

  test('does not forget producers', () => {
    partition.append(sent(1, 0));
    partition.trim(11);
    expect(partition.append(sent(1, 0))).toEqual(duplicate(10));
  });
});

test('a topic that is created again starts from nothing', () => {
  partition.append(sent(1, 0));
  const again = partitionMachine.initial();
  expect(again).toEqual({ nextOffset: 0, logStart: 0, lastStampMs: 0, producers: new Map() });
  expect(again.producers).not.toBe(partitionMachine.initial().producers);
});
