/** The journal's formats: what is written is read back, and no changed byte of a synced area goes unnoticed. */
import { asNodeId, asRaftIndex } from '@balsa/node/core/ids.ts';
import { createMemoryDisk, type MemoryDisk } from '@balsa/node/storage/disk/memory-disk.ts';
import { encodeBatch } from '@balsa/node/storage/journal/batch.ts';
import { checksum, checksumOfHead } from '@balsa/node/storage/journal/checksum.ts';
import { contentOfFrame } from '@balsa/node/storage/journal/frame-content.ts';
import { batchAt, imageOf } from '@balsa/node/storage/journal/scan.ts';
import { segmentName, segmentSeed } from '@balsa/node/storage/journal/segment.ts';
import { type Frame, JournalCorrupt, JournalRefused } from '@balsa/node/storage/journal/vocabulary.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  command,
  createModel,
  folder,
  hard,
  key,
  type ModelState,
  open,
  sameState,
  start,
  stateOf,
} from '../unit/journal/journal-fixture.ts';

const number53 = fc.maxSafeNat();
const generation = fc.nat({ max: 2 ** 32 - 1 });
const nodeId = fc.integer({ min: 1, max: 65535 });
/** Valid ones only (core/raft/membership.ts): each node plays the parts that its draw gives it. */
const membership = fc
  .tuple(
    fc.uniqueArray(fc.tuple(nodeId, fc.constantFrom('voter', 'old voter', 'both', 'leaves to learn', 'learner')), {
      selector: ([node]) => node,
      maxLength: 8,
    }),
    nodeId,
    fc.boolean(),
  )
  .map(([parts, extra, autoLeave]) => {
    const known = parts.some(([node]) => node === extra);
    const all = [...parts, ...(known ? [] : [[extra, 'voter'] as const])].sort(([a], [b]) => a - b);
    const those = (...names: string[]) => all.filter(([, part]) => names.includes(part)).map(([node]) => asNodeId(node));
    const voters = those('voter', 'both');
    const outgoing = those('old voter', 'both', 'leaves to learn');
    // A draw without a voter becomes a plain group of all its nodes.
    if (voters.length === 0)
      return { voters: all.map(([node]) => asNodeId(node)), outgoing: [], learners: [], learnersNext: [], autoLeave: false };
    return {
      voters,
      outgoing,
      learners: those('learner'),
      learnersNext: those('leaves to learn'),
      autoLeave: autoLeave && outgoing.length > 0,
    };
  });
const payload = fc.oneof(fc.uint8Array({ maxLength: 100 }), fc.uint8Array({ minLength: 2000, maxLength: 5000 }));
const base = { group: number53, generation };
const entryBase = { index: number53, term: number53, size: generation };
const frame = fc.oneof(
  fc.record({ ...base, kind: fc.constant('entry'), entry: fc.record({ ...entryBase, kind: fc.constant('noop') }) }),
  fc.record({ ...base, kind: fc.constant('entry'), entry: fc.record({ ...entryBase, kind: fc.constant('command'), payload }) }),
  fc.record({ ...base, kind: fc.constant('entry'), entry: fc.record({ ...entryBase, kind: fc.constant('membership'), membership }) }),
  fc.record({ ...base, kind: fc.constant('hard-state'), hardState: fc.record({ term: number53, votedFor: generation, commit: number53 }) }),
  fc.record({
    ...base,
    kind: fc.constant('log-start'),
    snapshot: fc.record({ index: number53, term: number53, membership, state: payload }),
  }),
  fc.record({ ...base, kind: fc.constant('removed') }),
) as unknown as fc.Arbitrary<Frame>;
const place = fc.record({
  seed: fc.nat({ max: 99 }).map((sequence) => segmentSeed('store-1', sequence)),
  offset: fc.integer({ min: 0, max: 5000 }),
  number: number53,
  previousCrc: generation,
  durable: fc.record({ number: number53, sequence: number53, end: generation }),
});

describe('batches', () => {
  it('are read back as they were written, at their place only', () => {
    fc.assert(
      fc.property(fc.array(frame, { minLength: 1, maxLength: 12 }), place, (frames, at) => {
        const contents = frames.map((one) => contentOfFrame(one));
        const encoded = encodeBatch(contents, at);
        const bytes = Buffer.concat([Buffer.alloc(at.offset), ...encoded.parts, Buffer.alloc(100)]);
        const batch = batchAt(imageOf(1, at.seed, bytes), at.offset);
        expect(batch?.end).toBe(at.offset + encoded.bytes);
        expect(batch?.header).toMatchObject({ number: at.number, previousCrc: at.previousCrc, durable: at.durable, crc: encoded.crc });
        expect(batch?.frames.map(({ head }) => head)).toEqual(contents.map(({ head }) => head));
        expect(batch?.frames.map(({ payload: found }) => Buffer.from(found!))).toEqual(
          contents.map(({ payload: parts }) => Buffer.concat(parts)),
        );
        expect(batch?.frames.map(({ offset }) => offset)).toEqual(encoded.offsets);
        const elsewhere = Buffer.concat([Buffer.alloc(at.offset + 512), ...encoded.parts, Buffer.alloc(100)]);
        expect(batchAt(imageOf(1, at.seed, elsewhere), at.offset + 512)).toBeUndefined();
        expect(batchAt(imageOf(100, segmentSeed('store-1', 100), bytes), at.offset)).toBeUndefined();
        expect(batchAt(imageOf(1, segmentSeed('store-2', 1), bytes), at.offset)).toBeUndefined();
      }),
    );
  });

  it('are refused if any bit of them is different', () => {
    fc.assert(
      fc.property(fc.array(frame, { minLength: 1, maxLength: 4 }), place, fc.nat(), fc.nat({ max: 7 }), (frames, at, position, bit) => {
        const encoded = encodeBatch(
          frames.map((one) => contentOfFrame(one)),
          at,
        );
        const bytes = Buffer.concat([Buffer.alloc(at.offset), ...encoded.parts]);
        bytes[at.offset + (position % encoded.bytes)]! ^= 1 << bit;
        expect(batchAt(imageOf(1, at.seed, bytes), at.offset)).toBeUndefined();
      }),
    );
  });
});

describe('checksums', () => {
  it('are the same in both implementations', () => {
    expect(checksum(Buffer.from('123456789'))).toBe(0xe3069283);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), generation, fc.nat({ max: 100 }), (bytes, seed, cut) => {
        const from = Math.min(cut, bytes.length);
        expect(checksumOfHead(bytes, from, bytes.length, seed)).toBe(checksum(bytes.subarray(from), seed));
      }),
    );
  });
});

describe('a changed byte in a synced area', () => {
  const text = (n: number): string => `${n}`.padEnd(300, '.');
  const frames = [
    start(1, 0, 0),
    ...[1, 2, 3, 4, 5, 6, 7, 8, 9, 10].flatMap((i) => [command(1, i, 1, text(i)), command(2, i, 1, text(i)), hard(2, i, 1, 0)]),
    hard(1, 9, 2, 3),
  ];

  async function written(): Promise<{ readonly disk: MemoryDisk; readonly state: ModelState; readonly ends: Map<string, number> }> {
    const disk = createMemoryDisk();
    const model = createModel();
    const { journal } = await open(disk);
    for (const one of frames) {
      model.apply(one);
      await journal.append([one]);
    }
    await journal.close();
    const ends = new Map<string, number>();
    for (const name of [1, 2].map(segmentName)) {
      const bytes = disk.bytesOf(`${folder}/${name}`);
      ends.set(name, bytes.findLastIndex((byte) => byte !== 0) + 1);
    }
    return { disk, state: model.state(), ends };
  }

  async function change(disk: MemoryDisk, path: string, at: number, byte: number): Promise<boolean> {
    const file = await disk.openFile(path, 'write');
    const before = (await file.read(at, 1))[0]!;
    await file.write(at, [Uint8Array.of(byte)]);
    await file.datasync();
    return before !== byte;
  }

  it('is found: the journal refuses, names what is lost, or has lost nothing', async () => {
    const { disk, state, ends } = await written();
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...ends.keys()), fc.nat(), fc.nat({ max: 255 }), async (name, position, byte) => {
        const copy = disk.crash(() => true);
        if (!(await change(copy, `${folder}/${name}`, position % ends.get(name)!, byte))) return;
        const opened = await open(copy).catch((error: unknown) => error);
        if (opened instanceof JournalRefused) return;
        const { journal } = opened as Awaited<ReturnType<typeof open>>;
        const faulty = journal.groups().filter((group) => group.faulty !== undefined);
        if (faulty.length === 0) expect(sameState(await stateOf(journal), state)).toBe(true);
        for (const group of faulty) {
          // The state of the log start itself is lost.
          if (group.faulty!.first === group.snapshot.index) {
            expect(journal.snapshot(group)).toBeUndefined();
            continue;
          }
          await expect(journal.read(group, group.faulty!.first, group.faulty!.last, 1e9)).rejects.toBeInstanceOf(JournalCorrupt);
        }
        await journal.close();
      }),
      { numRuns: 400 },
    );
  });

  it('is found when it is read while the journal runs', async () => {
    const { disk } = await written();
    const { journal } = await open(disk);
    const reads = () => journal.read(key(1), asRaftIndex(1), asRaftIndex(10), 1e9);
    const before = JSON.stringify(await reads());
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: 8191 }), fc.nat({ max: 255 }), async (position, byte) => {
        const path = `${folder}/${segmentName(1)}`;
        const kept = disk.bytesOf(path)[position]!;
        await change(disk, path, position, byte);
        const found = await reads().catch((error: unknown) => error);
        await change(disk, path, position, kept);
        if (!(found instanceof JournalCorrupt)) expect(JSON.stringify(found)).toBe(before);
      }),
      { numRuns: 200 },
    );
    await journal.close();
  });
});

const sorted = (state: ModelState) => [...state].sort(([a], [b]) => a - b);

describe('random workloads', () => {
  const step = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ op: fc.constant('append' as const), group: fc.integer({ min: 1, max: 3 }), bytes: fc.nat({ max: 1200 }) }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ op: fc.constant('cut' as const), group: fc.integer({ min: 1, max: 3 }), back: fc.nat({ max: 4 }) }),
    },
    { weight: 2, arbitrary: fc.record({ op: fc.constant('vote' as const), group: fc.integer({ min: 1, max: 3 }) }) },
    {
      weight: 2,
      arbitrary: fc.record({
        op: fc.constant('start' as const),
        group: fc.integer({ min: 1, max: 3 }),
        back: fc.integer({ min: -2, max: 4 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ op: fc.constant('reclaim' as const) }) },
    { weight: 1, arbitrary: fc.record({ op: fc.constant('reopen' as const), clean: fc.boolean() }) },
  );

  it('leave the same as in the model, through restarts and reclaims', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), async (steps) => {
        let disk = createMemoryDisk();
        let { journal } = await open(disk);
        const model = createModel();
        let term = 1;
        const append = async (one: Frame): Promise<void> => {
          model.apply(one);
          await journal.append([one]);
        };
        for (const one of steps) {
          const known = 'group' in one ? model.group(one.group) : undefined;
          const first = (known?.start.index ?? 0) + 1;
          const last = known?.entries.at(-1)?.index ?? first - 1;
          if (one.op === 'append') await append(command(one.group, last + 1, term, Buffer.alloc(one.bytes, last)));
          else if (one.op === 'cut') await append(command(one.group, Math.max(first, last - one.back), ++term, 'cut'));
          else if (one.op === 'vote') await append(hard(one.group, ++term, 1, 0));
          else if (one.op === 'start') {
            const index = Math.max(first - 1, last - one.back);
            const found =
              known?.entries.find((entry) => entry.index === index)?.term ?? (index === first - 1 ? known?.start.term : undefined);
            await append(start(one.group, index, found ?? term));
          } else if (one.op === 'reclaim') await journal.reclaim(() => Promise.resolve());
          else {
            if (one.clean) await journal.close();
            disk = disk.crash(() => one.clean);
            journal = (await open(disk)).journal;
            expect(sorted(await stateOf(journal))).toEqual(sorted(model.state()));
          }
        }
        await journal.close();
        journal = (await open(disk)).journal;
        expect(sorted(await stateOf(journal))).toEqual(sorted(model.state()));
        await journal.close();
      }),
      { numRuns: 150 },
    );
  });
});
