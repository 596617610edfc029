/**
 * Every codec that reads bytes from a socket or a disk: what was encoded is read back, and after a
 * single change the bytes are read as a valid value or refused in the way that the codec
 * documents: never with another exception, never with memory or time out of proportion.
 *
 * "Valid" is tested by encoding the value again: a format with one encoding per value must give the
 * changed bytes back, the others a value that is read back equal.
 */
import { crc32c } from '@node-rs/crc32';
import { BrokerError } from '@balsa/node/broker/broker-error.ts';
import { checkBatch } from '@balsa/node/broker/batch-check.ts';
import { InvariantViolation } from '@balsa/node/core/assert.ts';
import { asGroupId, asNodeId, asOffset, asRaftIndex, asTerm } from '@balsa/node/core/ids.ts';
import { decodeMetadataCommand, encodeMetadataCommand } from '@balsa/node/core/machines/metadata/command-codec.ts';
import type { MetadataCommand } from '@balsa/node/core/machines/metadata/command.ts';
import { metadataMachine } from '@balsa/node/core/machines/metadata/metadata-machine.ts';
import { decodePartitionCommand, encodeAppend, encodeTrim } from '@balsa/node/core/machines/partition/command.ts';
import { partitionMachine } from '@balsa/node/core/machines/partition/partition-machine.ts';
import { decodeMembership, encodeMembership, MembershipCorrupt } from '@balsa/node/core/raft/membership-codec.ts';
import { checkpointKey, decodeCheckpoint, encodeCheckpoint } from '@balsa/node/host/checkpoint-codec.ts';
import { createMemoryDisk } from '@balsa/node/storage/disk/memory-disk.ts';
import { batchHeaderBytes as journalBatchBytes, encodeBatch } from '@balsa/node/storage/journal/batch.ts';
import { checksumOfHead } from '@balsa/node/storage/journal/checksum.ts';
import { contentOfFrame } from '@balsa/node/storage/journal/frame-content.ts';
import { placeSeed } from '@balsa/node/storage/journal/frame.ts';
import { identityName, openDataFolder } from '@balsa/node/storage/journal/identity.ts';
import { batchAt, imageOf, salvage } from '@balsa/node/storage/journal/scan.ts';
import { decodeSegmentHeader, encodeSegmentHeader, segmentSeed } from '@balsa/node/storage/journal/segment.ts';
import { JournalRefused } from '@balsa/node/storage/journal/vocabulary.ts';
import { createWatermarkFile, readWatermarkFile, saveWatermark, watermarkName } from '@balsa/node/storage/journal/watermark-file.ts';
import { BadMessage, decodeMessage, encodeMessage } from '@balsa/node/transport/codec.ts';
import {
  decodeEntriesAnswer,
  decodeEntriesRequest,
  encodeEntriesAnswer,
  encodeEntriesRequest,
} from '@balsa/node/transport/entries-codec.ts';
import { PeerFrame, ReadEntriesRequest, ReadEntriesResponse } from '@balsa/proto/peer';
import { BalsaError } from '@balsa/client';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { appendRecord, createBatchBuilder, finishBatch, recordBytesMax } from '../../client/src/records/batch-builder.ts';
import { stampBatch } from '../../client/src/records/batch-header.ts';
import { decodeBatch } from '../../client/src/records/batch-reader.ts';
import { groupMessage, membership } from '../contract/harness/group-message.ts';
import { command, hard, noop, start } from '../unit/journal/journal-fixture.ts';
import { sampleBatch } from '../unit/records/sample-batch.ts';
import { mutate, mutation, readWithin } from './mutations.ts';

const runs = (count: number): { numRuns: number } => ({ numRuns: Number(process.env['FC_RUNS'] ?? count) });
const [one, two] = [asNodeId(1), asNodeId(2)];

interface Codec<Value> {
  readonly bytes: fc.Arbitrary<Uint8Array>;
  readonly read: (bytes: Uint8Array) => Value;
  /** Absent if reading keeps less than what was written. */
  readonly write?: (value: Value) => Uint8Array;
  /** Equal values have equal bytes, so what is accepted must be written as the same bytes. */
  readonly canonical?: boolean;
  readonly isDocumented: (error: unknown) => boolean;
  /** What whoever gets the value relies on. */
  readonly isValid?: (value: Value) => boolean;
}

const refused = Symbol('refused');
const codec = <Value>(definition: Codec<Value>): Codec<unknown> => definition as unknown as Codec<unknown>;

/** Errors of the generated decoder: its callers (transport/link.ts, transport/entries-call.ts) take any. */
const protoDecoded = <Message>(decode: (bytes: Uint8Array) => Message, bytes: Uint8Array): Message => {
  try {
    return decode(bytes);
  } catch (cause) {
    throw new BadMessage('proto', { cause });
  }
};
const isBadMessage = (error: unknown): boolean => error instanceof BadMessage;

interface Placed {
  readonly index: number;
  readonly term: number;
}

/** Entries without a gap behind `previous`, whose terms never fall. */
const isContinuation = (entries: readonly Placed[], previous: Placed): boolean =>
  entries.every(({ index, term }, place) => index === previous.index + 1 + place && term >= (entries[place - 1]?.term ?? previous.term));

const entriesRequest = { group: asGroupId(3), generation: 1, first: asRaftIndex(1), last: asRaftIndex(1000), bytesMax: 1_000_000 };
const asker = { clusterId: 'c', nodeId: 1, storeId: 's', expectedNodeId: 2, protocolVersion: 1 };
const entriesAnswer = fc
  .array(fc.record({ term: fc.nat({ max: 3 }), payload: fc.uint8Array({ maxLength: 40 }) }), { minLength: 1, maxLength: 5 })
  .map((list) => {
    let term = 1;
    const entries = list.map(({ term: rise, payload }, place) => {
      term += rise;
      return { kind: 'command' as const, index: asRaftIndex(1 + place), term: asTerm(term), size: payload.length, payload };
    });
    return ReadEntriesResponse.encode(
      encodeEntriesAnswer(undefined, { logStart: asRaftIndex(0), commit: asRaftIndex(900), entries, snapshot: undefined }),
    ).finish();
  });

const metadataCommands: readonly MetadataCommand[] = [
  { type: 'init-cluster', clusterId: 'cluster-1' },
  { type: 'create-topic', name: 'orders', partitions: 3, replicationFactor: 2, config: { 'retention.ms': '1000' } },
  { type: 'set-replicas', group: 5, replicas: [1, 2, 3], learners: [4] } as unknown as MetadataCommand,
  { type: 'allocate-producer-ids', count: 10 },
];

/** The state of a partition after a few batches of a few producers. */
const partitionState = fc
  .array(fc.record({ producer: fc.integer({ min: -1, max: 3 }), records: fc.integer({ min: 1, max: 4 }) }), { maxLength: 12 })
  .map((batches) => {
    const state = partitionMachine.initial();
    const next = new Map<number, number>();
    batches.forEach(({ producer, records }, place) => {
      const baseSequence = next.get(producer) ?? 0;
      next.set(producer, baseSequence + records);
      const identity = producer < 0 ? {} : { producerId: producer, producerEpoch: 0, baseSequence };
      const payload = encodeAppend({ stampMs: place, batch: sampleBatch({ recordCount: records, ...identity }) });
      partitionMachine.apply(state, { index: asRaftIndex(place + 1), term: asTerm(1), payload });
    });
    return partitionMachine.encode(state);
  });

const metadataState = fc.subarray([0, 1, 2, 3]).map((chosen) => {
  const state = metadataMachine.initial();
  chosen.forEach((which, place) => {
    const payload = encodeMetadataCommand(metadataCommands[which]!);
    metadataMachine.apply(state, { index: asRaftIndex(place + 1), term: asTerm(1), payload });
  });
  return metadataMachine.encode(state);
});

const partitionCommand = fc.oneof(
  fc.record({ recordCount: fc.integer({ min: 1, max: 3 }) }).map((sample) => encodeAppend({ stampMs: 5, batch: sampleBatch(sample) })),
  fc.maxSafeNat().map((logStart) => encodeTrim({ stampMs: 7, logStart: asOffset(logStart) })),
);

const recordBatch = fc
  .record({
    values: fc.array(fc.option(fc.uint8Array({ maxLength: 60 })), { minLength: 1, maxLength: 6 }),
    compression: fc.constantFrom('none' as const, 'none' as const, 'gzip' as const, 'zstd' as const),
  })
  .map(({ values, compression }) => {
    const builder = createBatchBuilder(64);
    for (const value of values) {
      const record = { key: Buffer.from('k'), value, headers: [{ key: 'h', value: null }], timestampMs: 1_000 };
      appendRecord(builder, record, recordBytesMax(record));
    }
    const bytes = Uint8Array.from(finishBatch(builder, compression));
    stampBatch(bytes, { producerId: 9, producerEpoch: 1 }, 4);
    return bytes;
  });

/** The batch with a checksum that fits what it says now: a bug, or somebody hostile, wrote it so. */
function resealed(bytes: Uint8Array): Uint8Array {
  if (bytes.length < 21) return bytes;
  const copy = Buffer.from(bytes);
  copy.writeInt32BE(copy.length - 12, 8);
  copy.writeUInt32BE(crc32c(copy.subarray(21)), 17);
  return copy;
}

const settings = { batchBytesMax: 1 << 20, recordBytesMax: 100 } as unknown as Parameters<typeof checkBatch>[1];
const isBatchError = (error: unknown): boolean =>
  error instanceof BalsaError && (error.code === 'INVALID_BATCH' || error.code === 'CORRUPT_BATCH');
const isBrokerRefusal = (error: unknown): boolean =>
  error instanceof BrokerError && ['INVALID_BATCH', 'CORRUPT_BATCH', 'BATCH_TOO_LARGE', 'RECORD_TOO_LARGE'].includes(error.code);
const orRefused = <Value>(value: Value | undefined): Value => {
  if (value === undefined) throw refused;
  return value;
};

const codecs: Readonly<Record<string, Codec<unknown>>> = {
  'a frame of messages': codec({
    bytes: fc
      .array(groupMessage(one, two), { maxLength: 3 })
      .map((messages) => PeerFrame.encode({ hello: undefined, messages: messages.map(encodeMessage) }).finish()),
    read: (bytes) => protoDecoded((from) => PeerFrame.decode(from), bytes).messages.map((message) => decodeMessage(message, one, two)),
    write: (messages) => PeerFrame.encode({ hello: undefined, messages: messages.map(encodeMessage) }).finish(),
    isDocumented: isBadMessage,
    isValid: (messages) =>
      messages.every(
        ({ message }) =>
          message.kind !== 'append-request' || isContinuation(message.entries, { index: message.index, term: message.indexTerm }),
      ),
  }),
  'a request for entries': codec({
    bytes: fc
      .nat({ max: 900 })
      .map((first) => ReadEntriesRequest.encode(encodeEntriesRequest(asker, { ...entriesRequest, first: asRaftIndex(first) })).finish()),
    read: (bytes) =>
      decodeEntriesRequest(
        protoDecoded((from) => ReadEntriesRequest.decode(from), bytes),
        1_000_000,
      ),
    write: (request) => ReadEntriesRequest.encode(encodeEntriesRequest(asker, request)).finish(),
    isDocumented: isBadMessage,
  }),
  'an answer with entries': codec({
    bytes: entriesAnswer,
    read: (bytes) =>
      decodeEntriesAnswer(
        protoDecoded((from) => ReadEntriesResponse.decode(from), bytes),
        entriesRequest,
      ),
    write: (answer) => ReadEntriesResponse.encode(encodeEntriesAnswer(undefined, answer)).finish(),
    isDocumented: isBadMessage,
    isValid: ({ entries, commit }) =>
      isContinuation(entries, { index: 0, term: 1 }) && entries.length <= Math.min(commit, entriesRequest.last),
  }),
  'a membership': codec({
    bytes: membership.map(encodeMembership),
    read: decodeMembership,
    write: encodeMembership,
    canonical: true,
    isDocumented: (error) => error instanceof MembershipCorrupt,
  }),
  'a partition command': codec({
    bytes: partitionCommand,
    read: (bytes) => orRefused(decodePartitionCommand(bytes)),
    write: (value) => (value.kind === 'append' ? encodeAppend(value) : encodeTrim(value)),
    canonical: true,
    isDocumented: (error) => error === refused,
  }),
  'a metadata command': codec({
    bytes: fc.constantFrom(...metadataCommands).map(encodeMetadataCommand),
    read: (bytes) => {
      const decoded = decodeMetadataCommand(bytes);
      if (!decoded.ok) throw refused;
      return decoded.command;
    },
    write: encodeMetadataCommand,
    isDocumented: (error) => error === refused,
  }),
  'a partition state': codec({
    bytes: partitionState,
    read: partitionMachine.decode,
    write: partitionMachine.encode,
    isDocumented: (error) => error instanceof InvariantViolation,
  }),
  'a record batch, as clients read it': codec({ bytes: recordBatch, read: (bytes) => decodeBatch(bytes), isDocumented: isBatchError }),
  'a record batch with a fitting checksum, as clients read it': codec({
    bytes: recordBatch,
    read: (bytes) => decodeBatch(resealed(bytes)),
    isDocumented: isBatchError,
  }),
  'a record batch with a fitting checksum, as brokers check it': codec({
    bytes: recordBatch.filter((bytes) => bytes.length > 0),
    read: (bytes) => checkBatch(resealed(bytes), settings, 't/0'),
    isDocumented: isBrokerRefusal,
  }),
};

describe.each(Object.entries(codecs))('%s', (name, { bytes, read, write, canonical, isDocumented, isValid }) => {
  it('is read back as it was written', () => {
    fc.assert(
      fc.property(bytes, (encoded) => {
        const value = read(encoded);
        if (write !== undefined) expect(Buffer.from(write(value))).toEqual(Buffer.from(encoded));
      }),
      runs(60),
    );
  });

  it('is read as something valid or refused, whatever single thing is changed', () => {
    let [accepted, rejected] = [0, 0];
    fc.assert(
      fc.property(bytes, bytes, mutation, (encoded, other, change) => {
        const changed = mutate(encoded, other, change);
        const result = readWithin(() => read(changed));
        if ('error' in result) {
          rejected++;
          if (!isDocumented(result.error)) throw result.error;
          return;
        }
        accepted++;
        if (isValid !== undefined) expect(isValid(result.value), JSON.stringify(result.value)).toBe(true);
        if (write === undefined) return;
        const again = write(result.value);
        if (canonical === true) expect(Buffer.from(again)).toEqual(Buffer.from(changed));
        else expect(read(again)).toEqual(result.value);
      }),
      runs(400),
    );
    expect(rejected, `${name}: refused`).toBeGreaterThan(20);
    expect(accepted + rejected).toBeGreaterThan(100);
  });
});

describe('a state machine', () => {
  it.each([
    ['partition', partitionMachine, partitionCommand],
    ['metadata', metadataMachine, fc.constantFrom(...metadataCommands).map(encodeMetadataCommand)],
  ] as const)('takes any changed %s command as applied or refused, and never throws', (_, machine, commands) => {
    fc.assert(
      fc.property(fc.array(fc.tuple(commands, commands, mutation), { maxLength: 6 }), (list) => {
        const state = machine.initial() as never;
        list.forEach(([encoded, other, change], place) => {
          const at = { index: asRaftIndex(place + 1), term: asTerm(1) };
          machine.apply(state, { ...at, payload: mutate(encoded, other, change) });
        });
        const bytes = machine.encode(state);
        expect(machine.encode(machine.decode(bytes) as never)).toEqual(bytes);
      }),
      runs(150),
    );
  });

  it('of a partition refuses a state that names a producer twice: it could not be written again', () => {
    const state = partitionMachine.initial();
    for (const producerId of [1, 2]) {
      const payload = encodeAppend({ stampMs: 1, batch: sampleBatch({ producerId, producerEpoch: 0, baseSequence: 0 }) });
      partitionMachine.apply(state, { index: asRaftIndex(producerId), term: asTerm(1), payload });
    }
    const encoded = Buffer.from(partitionMachine.encode(state));
    const [headBytes, producerBytes] = [29, 51];
    encoded.writeBigInt64BE(1n, headBytes + producerBytes);
    expect(() => partitionMachine.decode(encoded)).toThrow(InvariantViolation);
  });

  it('of metadata reads a changed state as something or throws', () => {
    fc.assert(
      fc.property(metadataState, metadataState, mutation, (encoded, other, change) => {
        expect(metadataMachine.encode(metadataMachine.decode(encoded))).toEqual(encoded);
        const result = readWithin(() => metadataMachine.decode(mutate(encoded, other, change)));
        if ('error' in result) expect(result.error).toBeInstanceOf(Error);
      }),
      runs(300),
    );
  });
});

describe('a checkpoint row', () => {
  it('is read back as it was written', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.maxSafeNat(), fc.maxSafeNat(), fc.uint8Array({ maxLength: 50 }), (index, term, mark, state) => {
        const checkpoint = { index: asRaftIndex(index), term: asTerm(term), mark };
        const key = checkpointKey({ group: asGroupId(7), generation: 2 }, index);
        const found = decodeCheckpoint(encodeCheckpoint(checkpoint, state), key);
        expect(found.checkpoint).toEqual(checkpoint);
        expect(Buffer.from(found.state)).toEqual(Buffer.from(state));
      }),
      runs(100),
    );
  });
});

describe('a segment header', () => {
  const header = fc
    .record({
      storeId: fc.constantFrom('s', 'store-1', 'x'.repeat(64)),
      sequence: fc.maxSafeNat(),
      firstBatch: fc.maxSafeNat(),
      bytes: fc.maxSafeNat(),
    })
    .map((fields) => ({ fields, bytes: encodeSegmentHeader(fields) }));

  it('is read back, and after any change it is bad or the same', () => {
    fc.assert(
      fc.property(header, header, mutation, ({ fields, bytes }, other, change) => {
        expect(decodeSegmentHeader(bytes)).toEqual({ kind: 'sound', header: fields });
        const changed = mutate(bytes, other.bytes, change);
        const result = readWithin(() => decodeSegmentHeader(changed));
        if ('error' in result) throw result.error;
        const known = [fields, other.fields].some((one) => JSON.stringify(result.value) === JSON.stringify({ kind: 'sound', header: one }));
        expect(known || result.value.kind === 'bad', JSON.stringify(result.value)).toBe(true);
      }),
      runs(500),
    );
  });
});

describe('a journal batch', () => {
  const seed = segmentSeed('store-1', 1);
  const frames = fc.array(
    fc.constantFrom(noop(1, 1, 1), command(1, 2, 1, 'payload'), command(2, 1, 1, Buffer.alloc(3000, 7)), hard(1, 2, 1, 0), start(3, 4, 1)),
    { minLength: 1, maxLength: 5 },
  );
  const place = { seed, offset: 0, number: 5, previousCrc: 9, durable: { number: 4, sequence: 1, end: 100 } };
  const bytes = frames.map((list) => {
    const contents = list.map((frame) => contentOfFrame(frame));
    return Uint8Array.from(Buffer.concat(encodeBatch(contents, place).parts));
  });

  it('is the same or none after any change', () => {
    fc.assert(
      fc.property(bytes, bytes, mutation, (encoded, other, change) => {
        const changed = mutate(encoded, other, change);
        const result = readWithin(() => batchAt(imageOf(1, seed, changed), 0));
        if ('error' in result) throw result.error;
        if (result.value === undefined) return;
        const found = Buffer.from(changed.subarray(0, result.value.end));
        expect([encoded, other].some((one) => found.equals(one))).toBe(true);
      }),
      runs(500),
    );
  });

  it('with a count or length that lies costs no more than its bytes, even if its checksum fits', () => {
    const lies = fc.constantFrom(0, 1, 2, 48, 2 ** 16, 2 ** 28, 2 ** 31, 2 ** 32 - 1);
    fc.assert(
      fc.property(bytes, fc.constantFrom(8, 12), lies, (encoded, field, lie) => {
        const view = new DataView(encoded.buffer, encoded.byteOffset, encoded.byteLength);
        view.setUint32(field, lie, true);
        view.setUint32(4, checksumOfHead(encoded, 8, journalBatchBytes, placeSeed(seed, 0)), true);
        const image = imageOf(1, seed, encoded);
        const region = { from: 0, to: encoded.length, first: 5, next: 6, closed: false };
        for (const read of [() => batchAt(image, 0), () => salvage(image, region)]) {
          const result = readWithin<unknown>(read);
          if ('error' in result) throw result.error;
        }
      }),
      runs(200),
    );
  });
});

describe('small files', () => {
  const folder = '/data';

  /** Puts changed bytes in the place of a file. */
  async function replace(
    path: string,
    disk: ReturnType<typeof createMemoryDisk>,
    change: (bytes: Uint8Array) => Uint8Array,
  ): Promise<void> {
    const bytes = change(disk.bytesOf(path));
    await disk.remove(path);
    const file = await disk.openFile(path, 'create');
    await file.write(0, [bytes]);
  }

  it('the watermark file never says what it was not told', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 5 }),
        mutation,
        fc.nat({ max: 60 }),
        fc.nat({ max: 3 }),
        async (writes, change, near, slot) => {
          const disk = createMemoryDisk();
          await disk.makeFolder(folder);
          const first = { durable: { number: 1, sequence: 1, end: 512 }, oldest: 1, oldestBatch: 1, round: 1 };
          const file = await createWatermarkFile(disk, folder, 'store-1', first);
          const told = [await readWatermarkFile(disk, folder, 'store-1')];
          for (let number = 2; number < 2 + writes; number++) {
            await saveWatermark(file, { number, sequence: 1, end: 512 * number });
            told.push(await readWatermarkFile(disk, folder, 'store-1'));
          }
          // Most of the file is zeros: aim at the slots.
          const aimed = { ...change, at: slot * 4096 + near };
          await replace(`${folder}/${watermarkName}`, disk, (bytes) => mutate(bytes, bytes, aimed));
          expect([undefined, ...told]).toContainEqual(await readWatermarkFile(disk, folder, 'store-1'));
        },
      ),
      runs(150),
    );
  });

  it('the identity of a folder is the same or refused', async () => {
    const expected = { nodeId: 3, clusterId: 'cluster-1', newStoreId: () => 'store-1' };
    await fc.assert(
      fc.asyncProperty(mutation, async (change) => {
        const disk = createMemoryDisk();
        const { identity, release } = await openDataFolder(disk, folder, expected);
        await release();
        await replace(`${folder}/${identityName}`, disk, (bytes) => mutate(bytes, bytes, change));
        try {
          const found = await openDataFolder(disk, folder, expected);
          expect(found.identity).toEqual(identity);
        } catch (error) {
          if (!(error instanceof JournalRefused)) throw error;
        }
      }),
      runs(300),
    );
  });
});
