/** One suite for the RocksDB store and its in-memory twin: what the port promises. */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ColumnFamily, columnFamilies, type StateStore, type StateWrite } from '@balsa/node/ports/state-store.ts';
import { createMemoryStateFolder } from '@balsa/node/storage/state/memory-state-store.ts';
import { discardStateStore, openStateStore } from '@balsa/node/storage/state/rocks-state-store.ts';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

interface Subject {
  readonly open: () => Promise<StateStore>;
  readonly damage: () => Promise<void>;
  readonly discard: () => Promise<void>;
  readonly remove: () => Promise<void>;
}

async function rocksSubject(): Promise<Subject> {
  const parent = await mkdtemp(join(tmpdir(), 'balsa-state-'));
  const folder = join(parent, 'state');
  return {
    open: () => openStateStore(folder),
    damage: async () => {
      const manifest = (await readdir(folder)).find((name) => name.startsWith('MANIFEST'));
      await writeFile(join(folder, manifest!), 'not a manifest');
    },
    discard: () => discardStateStore(folder),
    remove: () => rm(parent, { recursive: true, force: true }),
  };
}

async function memorySubject(): Promise<Subject> {
  const folder = createMemoryStateFolder();
  return {
    open: folder.open,
    damage: async () => folder.damage(),
    discard: async () => folder.discard(),
    remove: async () => undefined,
  };
}

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const put = (family: ColumnFamily, key: Uint8Array, value: Uint8Array): StateWrite => ({ op: 'put', family, key, value });
const everything = { from: bytes(), to: bytes(0xff, 0xff, 0xff), limit: 1_000_000 };

describe.each([
  ['rocks', rocksSubject],
  ['memory', memorySubject],
] as const)('state store contract: %s', (_name, createSubject) => {
  let subject: Subject;
  let store: StateStore;

  beforeEach(async () => {
    subject = await createSubject();
    store = await subject.open();
  });
  afterEach(async () => {
    await store.close();
    await subject.remove();
  });

  it('returns what was put, and undefined for what was not', async () => {
    await store.write([put('meta', bytes(1), bytes(10, 11)), put('meta', bytes(2), bytes())]);
    expect(await store.get('meta', bytes(1))).toEqual(bytes(10, 11));
    expect(await store.get('meta', bytes(2))).toEqual(bytes());
    expect(await store.get('meta', bytes(3))).toBeUndefined();
  });

  it('keeps the column families apart, at the edges of the key space too', async () => {
    for (const [at, family] of columnFamilies.entries()) {
      await store.write([put(family, bytes(), bytes(at)), put(family, bytes(0xff, 0xff), bytes(at, at))]);
    }
    for (const [at, family] of columnFamilies.entries()) {
      expect(await store.range(family, everything)).toEqual([
        [bytes(), bytes(at)],
        [bytes(0xff, 0xff), bytes(at, at)],
      ]);
    }
    await store.write([{ op: 'delete-range', family: 'offsets', from: bytes(), to: everything.to }]);
    expect(await store.range('offsets', everything)).toEqual([]);
    expect(await store.range('meta', everything)).toHaveLength(2);
    expect(await store.range('timestamps', everything)).toHaveLength(2);
  });

  it('applies a batch in order, across families', async () => {
    await store.write([
      put('meta', bytes(1), bytes(1)),
      put('offsets', bytes(1), bytes(2)),
      put('meta', bytes(1), bytes(3)),
      { op: 'delete-range', family: 'offsets', from: bytes(0), to: bytes(2) },
      put('offsets', bytes(1, 0), bytes(4)),
    ]);
    expect(await store.get('meta', bytes(1))).toEqual(bytes(3));
    expect(await store.get('offsets', bytes(1))).toBeUndefined();
    expect(await store.get('offsets', bytes(1, 0))).toEqual(bytes(4));
  });

  it('reads a range in both directions, from inclusive, to exclusive, up to the limit', async () => {
    await store.write([1, 2, 3, 4, 5].map((key) => put('offsets', bytes(key), bytes(key))));
    const keys = async (range: Parameters<StateStore['range']>[1]): Promise<number[]> =>
      (await store.range('offsets', range)).map(([key]) => key[0]!);
    const span = { from: bytes(2), to: bytes(5) };
    expect(await keys({ ...span, limit: 10 })).toEqual([2, 3, 4]);
    expect(await keys({ ...span, limit: 2 })).toEqual([2, 3]);
    expect(await keys({ ...span, limit: 10, reverse: true })).toEqual([4, 3, 2]);
    expect(await keys({ ...span, limit: 1, reverse: true })).toEqual([4]);
    expect(await keys({ ...span, limit: 0 })).toEqual([]);
    expect(await keys({ from: bytes(5), to: bytes(2), limit: 10 })).toEqual([]);
    expect(await keys({ from: bytes(2), to: bytes(2), limit: 10 })).toEqual([]);
  });

  it('reads ranges that are longer than one trip to the disk', async () => {
    const key = (at: number): Uint8Array => bytes(at >> 8, at & 0xff);
    await store.write(Array.from({ length: 1000 }, (_, at) => put('offsets', key(at), key(at))));
    for (const limit of [255, 256, 257, 512, 1000, 5000]) {
      const forward = await store.range('offsets', { ...everything, limit });
      expect(forward.map(([found]) => found)).toEqual(Array.from({ length: Math.min(limit, 1000) }, (_, at) => key(at)));
      const backward = await store.range('offsets', { ...everything, limit, reverse: true });
      expect(backward.map(([found]) => found)).toEqual(Array.from({ length: Math.min(limit, 1000) }, (_, at) => key(999 - at)));
    }
  });

  it('ignores empty and reversed range deletes, and stays usable', async () => {
    await store.write([put('meta', bytes(1), bytes(1))]);
    await store.write([{ op: 'delete-range', family: 'meta', from: bytes(2), to: bytes(0) }]);
    await store.write([{ op: 'delete-range', family: 'meta', from: bytes(1), to: bytes(1) }]);
    await store.write([]);
    await store.flush();
    expect(await store.get('meta', bytes(1))).toEqual(bytes(1));
  });

  it('gives out plain arrays that share nothing with the store or the caller', async () => {
    const value = bytes(1, 2, 3);
    await store.write([put('meta', bytes(1), value)]);
    value[0] = 99;
    const first = (await store.get('meta', bytes(1)))!;
    expect(first.constructor).toBe(Uint8Array);
    first[1] = 99;
    const [row] = await store.range('meta', everything);
    row![1][2] = 99;
    expect(await store.get('meta', bytes(1))).toEqual(bytes(1, 2, 3));
  });

  it('keeps what was written across close and open', async () => {
    await store.write([put('meta', bytes(1), bytes(1))]);
    await store.flush();
    await store.write([put('meta', bytes(2), bytes(2))]);
    await store.close();
    store = await subject.open();
    expect(await store.range('meta', everything)).toEqual([
      [bytes(1), bytes(1)],
      [bytes(2), bytes(2)],
    ]);
  });

  it('rejects calls after close, and may be closed twice', async () => {
    await store.close();
    await store.close();
    await expect(store.get('meta', bytes(1))).rejects.toMatchObject({ name: 'StateStoreError', code: 'closed' });
    await expect(store.range('meta', everything)).rejects.toMatchObject({ code: 'closed' });
    await expect(store.write([put('meta', bytes(1), bytes(1))])).rejects.toMatchObject({ code: 'closed' });
    await expect(store.flush()).rejects.toMatchObject({ code: 'closed' });
  });

  it('finishes what was asked for before close', async () => {
    const writes = Array.from({ length: 50 }, (_, at) => store.write([put('meta', bytes(at), bytes(at))]));
    const closing = store.close();
    await Promise.all([...writes, closing]);
    store = await subject.open();
    expect(await store.range('meta', everything)).toHaveLength(50);
  });

  it('refuses to open twice', async () => {
    await expect(subject.open()).rejects.toMatchObject({ name: 'StateStoreError', code: 'locked' });
    await store.write([put('meta', bytes(1), bytes(1))]);
    expect(await store.get('meta', bytes(1))).toEqual(bytes(1));
  });

  it('reports damage as corruption, and is empty and usable after a discard', async () => {
    await store.write([put('meta', bytes(1), bytes(1))]);
    await store.close();
    await subject.damage();
    await expect(subject.open()).rejects.toMatchObject({ name: 'StateStoreError', code: 'corruption' });
    await subject.discard();
    store = await subject.open();
    expect(await store.range('meta', everything)).toEqual([]);
    await store.write([put('meta', bytes(2), bytes(2))]);
    expect(await store.get('meta', bytes(2))).toEqual(bytes(2));
  });

  it('agrees with a sorted list for any sequence of batches', async () => {
    const key = fc.uint8Array({ maxLength: 3 });
    const family = fc.constantFrom(...columnFamilies);
    const entry: fc.Arbitrary<StateWrite> = fc.oneof(
      { weight: 4, arbitrary: fc.record({ op: fc.constant('put' as const), family, key, value: fc.uint8Array({ maxLength: 4 }) }) },
      fc.record({ op: fc.constant('delete' as const), family, key }),
      fc.record({ op: fc.constant('delete-range' as const), family, from: key, to: key }),
    );
    const range = fc.record({ from: key, to: key, reverse: fc.boolean(), limit: fc.nat({ max: 6 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(entry, { maxLength: 8 }), { maxLength: 5 }), range, async (batches, asked) => {
        await store.write(columnFamilies.map((each) => ({ op: 'delete-range', family: each, from: bytes(), to: everything.to })));
        const model = new Map<string, readonly [Uint8Array, Uint8Array]>();
        for (const batch of batches) {
          await store.write(batch);
          for (const each of batch) applyToModel(model, each);
        }
        for (const each of columnFamilies) expect(await store.range(each, asked)).toEqual(modelRange(model, each, asked));
      }),
      { numRuns: 60 },
    );
  });
});

const hex = (key: Uint8Array): string => Buffer.from(key).toString('hex');

function applyToModel(model: Map<string, readonly [Uint8Array, Uint8Array]>, entry: StateWrite): void {
  if (entry.op === 'put') model.set(`${entry.family}/${hex(entry.key)}`, [entry.key, entry.value]);
  else if (entry.op === 'delete') model.delete(`${entry.family}/${hex(entry.key)}`);
  else {
    for (const [name, [key]] of model) {
      const inside = Buffer.compare(key, entry.from) >= 0 && Buffer.compare(key, entry.to) < 0;
      if (inside && name.startsWith(`${entry.family}/`)) model.delete(name);
    }
  }
}

function modelRange(
  model: ReadonlyMap<string, readonly [Uint8Array, Uint8Array]>,
  family: ColumnFamily,
  asked: { from: Uint8Array; to: Uint8Array; reverse: boolean; limit: number },
): (readonly [Uint8Array, Uint8Array])[] {
  const rows = [...model]
    .filter(([name]) => name.startsWith(`${family}/`))
    .map(([, row]) => row)
    .filter(([key]) => Buffer.compare(key, asked.from) >= 0 && Buffer.compare(key, asked.to) < 0)
    .sort(([a], [b]) => Buffer.compare(a, b) * (asked.reverse ? -1 : 1));
  return rows.slice(0, asked.limit);
}
