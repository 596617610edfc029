import { InvariantViolation } from '@balsa/node/core/assert.ts';
import { asOffset, asRaftIndex, asTerm } from '@balsa/node/core/ids.ts';
import { decodePartitionCommand, encodeAppend, encodeTrim } from '@balsa/node/core/machines/partition/command.ts';
import { partitionMachine } from '@balsa/node/core/machines/partition/partition-machine.ts';
import { describe, expect, test } from 'vitest';
import { sampleBatch } from '../records/sample-batch.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

// Logs hold these bytes for ever: a change of an expected value here is a change of format
// and needs a new version beside the old one.
describe('bytes of commands', () => {
  test('append', () => {
    expect(hex(encodeAppend({ stampMs: 0x0102_0304_0506, batch: Uint8Array.of(0xaa, 0xbb) }))).toBe('01010000010203040506aabb');
  });

  test('trim', () => {
    expect(hex(encodeTrim({ stampMs: 1, logStart: asOffset(258) }))).toBe('010200000000000000010000000000000102');
  });

  test('are read back, the batch without a copy', () => {
    const batch = sampleBatch();
    const payload = encodeAppend({ stampMs: 7, batch });
    const command = decodePartitionCommand(payload);
    expect(command).toMatchObject({ kind: 'append', stampMs: 7 });
    if (command?.kind !== 'append') throw new Error('an append was decoded as something else');
    expect(hex(command.batch)).toBe(hex(batch));
    expect(command.batch.buffer).toBe(payload.buffer);
    expect(decodePartitionCommand(encodeTrim({ stampMs: 7, logStart: asOffset(9) }))).toEqual({ kind: 'trim', stampMs: 7, logStart: 9 });
  });

  test.each([
    ['nothing', ''],
    ['a header cut short', '010100000000000000'],
    ['another version', '0201000000000000000100'],
    ['an unknown kind', '0103000000000000000100'],
    ['a negative stamp', '0101ffffffffffffffff00'],
    ['a stamp beyond 2^53', '0101002000000000000000'],
    ['a trim cut short', '0102000000000000000100000000000001'],
    ['a trim with more', '01020000000000000001000000000000010200'],
    ['a negative log start', '01020000000000000001ffffffffffffffff'],
  ])('%s is no command, and applied it is refused without a trace', (_, bytes) => {
    const payload = Buffer.from(bytes, 'hex');
    expect(decodePartitionCommand(payload)).toBeUndefined();
    const state = partitionMachine.initial();
    const outcome = partitionMachine.apply(state, { index: asRaftIndex(1), term: asTerm(1), payload });
    expect(outcome).toMatchObject({ kind: 'refused', code: 'INVALID_REQUEST' });
    expect(state).toEqual(partitionMachine.initial());
  });
});

describe('bytes of the state', () => {
  const state = partitionMachine.initial();
  const samples = [
    { producerId: 258, producerEpoch: 3, baseSequence: 0, recordCount: 2 },
    { producerId: 7, producerEpoch: 0, baseSequence: 0, recordCount: 1 },
    { producerId: 258, producerEpoch: 3, baseSequence: 2, recordCount: 1 },
  ];
  for (const [at, sample] of samples.entries()) {
    const payload = encodeAppend({ stampMs: 1000 + at, batch: sampleBatch(sample) });
    partitionMachine.apply(state, { index: asRaftIndex(10 + at), term: asTerm(1), payload });
  }
  const golden = [
    '01', // version
    '0000000000000004', // nextOffset
    '0000000000000000', // logStart
    '00000000000003ea', // lastStampMs
    '00000002', // producers, the one that appended longest ago first
    '0000000000000007',
    '0000',
    '0000000000000001',
    '000000000000000b',
    '00000000000003e9',
    '01',
    '00000000',
    '00000000',
    '0000000000000002',
    '0000000000000102',
    '0003',
    '0000000000000003',
    '000000000000000c',
    '00000000000003ea',
    '02',
    '00000000',
    '00000001',
    '0000000000000000',
    '00000002',
    '00000002',
    '0000000000000003',
  ].join('');

  test('are these', () => {
    expect(hex(partitionMachine.encode(state))).toBe(golden);
  });

  test('are read back exactly', () => {
    const decoded = partitionMachine.decode(Buffer.from(golden, 'hex'));
    expect(decoded).toEqual(state);
    expect(hex(partitionMachine.encode(decoded))).toBe(golden);
  });

  test('with any damage in length, version or order are refused', () => {
    const bytes = Buffer.from(golden, 'hex');
    expect(() => partitionMachine.decode(bytes.subarray(0, -1))).toThrow(InvariantViolation);
    expect(() => partitionMachine.decode(Buffer.concat([bytes, Buffer.alloc(1)]))).toThrow(InvariantViolation);
    expect(() => partitionMachine.decode(Buffer.concat([Buffer.of(2), bytes.subarray(1)]))).toThrow(InvariantViolation);
    expect(() => partitionMachine.decode(Buffer.from(golden.replace('000000000000000b', '00000000000000ff'), 'hex'))).toThrow(
      'in log order',
    );
  });
});
