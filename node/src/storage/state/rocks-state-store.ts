/**
 * StateStore on RocksDB.
 *
 * The column families of the port are key prefixes of one RocksDB column family: the
 * binding's batches cannot span families, and one write-ahead log record per batch is
 * what makes a batch atomic. The prefix byte is part of the layout, hence `layout`.
 *
 * Writes go to RocksDB's own log without sync (DESIGN: the journal is the only durable
 * truth). Recovery stops at the first damaged log record, so a crash loses a suffix of
 * the batches, never one in the middle.
 *
 * Failure contract: after 'corruption' or 'background-error' every call rejects with
 * that same error; the owner closes the store, calls `discardStateStore` and rebuilds.
 */
import { rename, rm } from 'node:fs/promises';
import RocksDB from 'rocksdb-native';
import { assert } from '../../core/assert.ts';
import { type ColumnFamily, type KeyRange, type StateStore, StateStoreError, type StateWrite } from '../../ports/state-store.ts';
import { compareKeys } from './keys.ts';
import { type Doing, stateStoreFailure } from './rocks-failure.ts';

/** Version of the key layout; another one is discarded and rebuilt. */
const layout = 1;
const layoutKey = Uint8Array.of(0);
/** Values are part of the layout. Above 0, which holds the layout itself, and below 0xff. */
const familyPrefix: Readonly<Record<ColumnFamily, number>> = { meta: 1, offsets: 2, timestamps: 3, checkpoints: 4 };

const writeBufferBytes = 16 * 1024 * 1024;
const backgroundJobsMax = 2;
const openFilesMax = 256;
/** Rows per trip to the thread pool while reading a range. */
const rangeChunkRows = 256;

interface Rocks {
  readonly db: RocksDB;
  /** Set once, by the first failure that makes the store unusable, or by close. */
  failure: StateStoreError | undefined;
  closing: Promise<void> | undefined;
}

/** Opens or creates the store in `folder`. Rejects with StateStoreError. */
export async function openStateStore(folder: string): Promise<StateStore> {
  const db = new RocksDB(folder, {
    writeBufferSize: writeBufferBytes,
    maxBackgroundJobs: backgroundJobsMax,
    maxOpenFiles: openFilesMax,
  });
  const rocks: Rocks = { db, failure: undefined, closing: undefined };
  try {
    await db.ready();
    await checkLayout(rocks);
  } catch (cause) {
    // Frees the lock if it was taken; a store that did not open rejects this, which adds nothing.
    await close(rocks).catch(() => undefined);
    throw stateStoreFailure('opening', cause);
  }
  return {
    get: (family, key) => guarded(rocks, 'reading', () => get(db, family, key)),
    range: (family, range) => guarded(rocks, 'reading', () => readRange(db, family, range)),
    write: (batch) => guarded(rocks, 'writing', () => write(db, batch)),
    flush: () => guarded(rocks, 'writing', () => db.flush()),
    close: () => close(rocks),
  };
}

/**
 * Deletes the store in `folder`, which must be closed. The folder is renamed first, so
 * that a crash half-way never leaves a store that opens with a part of its data.
 */
export async function discardStateStore(folder: string): Promise<void> {
  const discarded = `${folder}.discarded`;
  try {
    await rm(discarded, { recursive: true, force: true });
    await rename(folder, discarded).catch(ignoreMissing);
    await rm(discarded, { recursive: true, force: true });
  } catch (cause) {
    throw new StateStoreError('io', `cannot discard the state store in ${folder}: ${String(cause)}`, { cause });
  }
}

async function checkLayout({ db }: Rocks): Promise<void> {
  const found = await db.get(layoutKey);
  if (found === null) {
    const batch = db.write({ autoDestroy: true });
    batch.tryPut(layoutKey, Uint8Array.of(layout));
    await batch.flush();
  } else if (found[0] !== layout) {
    throw new StateStoreError('corruption', `state store has layout ${String(found[0])}, this version reads ${String(layout)}`);
  }
}

async function guarded<Result>(rocks: Rocks, doing: Doing, work: () => Promise<Result>): Promise<Result> {
  if (rocks.failure !== undefined) throw rocks.failure;
  try {
    return await work();
  } catch (cause) {
    const failure = stateStoreFailure(doing, cause);
    if (failure.code === 'corruption' || failure.code === 'background-error') rocks.failure ??= failure;
    throw failure;
  }
}

async function get(db: RocksDB, family: ColumnFamily, key: Uint8Array): Promise<Uint8Array | undefined> {
  const value = await db.get(storedKey(family, key));
  return value === null ? undefined : plain(value);
}

async function readRange(db: RocksDB, family: ColumnFamily, range: KeyRange): Promise<[Uint8Array, Uint8Array][]> {
  assert(Number.isSafeInteger(range.limit) && range.limit >= 0, 'range limit', { limit: range.limit });
  const rows: [Uint8Array, Uint8Array][] = [];
  if (range.limit === 0 || compareKeys(range.from, range.to) >= 0) return rows;
  const iterator = db.iterator({
    gte: storedKey(family, range.from),
    lt: storedKey(family, range.to),
    reverse: range.reverse ?? false,
    limit: range.limit,
    capacity: Math.min(range.limit, rangeChunkRows),
  });
  for await (const { key, value } of iterator) rows.push([plain(key.subarray(1)), plain(value)]);
  return rows;
}

async function write(db: RocksDB, writes: readonly StateWrite[]): Promise<void> {
  if (writes.length === 0) return;
  const batch = db.write({ autoDestroy: true });
  for (const entry of writes) {
    if (entry.op === 'put') batch.tryPut(storedKey(entry.family, entry.key), entry.value);
    else if (entry.op === 'delete') batch.tryDelete(storedKey(entry.family, entry.key));
    // RocksDB logs a reversed range before it rejects it, and then cannot be written any more.
    else if (compareKeys(entry.from, entry.to) < 0) {
      batch.tryDeleteRange(storedKey(entry.family, entry.from), storedKey(entry.family, entry.to));
    }
  }
  await batch.flush();
}

function close(rocks: Rocks): Promise<void> {
  rocks.failure ??= new StateStoreError('closed', 'state store is closed');
  rocks.closing ??= rocks.db.close({ force: true }).catch((cause: unknown) => {
    throw stateStoreFailure('writing', cause);
  });
  return rocks.closing;
}

function storedKey(family: ColumnFamily, key: Uint8Array): Uint8Array {
  const stored = new Uint8Array(1 + key.length);
  stored[0] = familyPrefix[family];
  stored.set(key, 1);
  return stored;
}

/** The binding returns Buffers, whose `slice` shares memory; callers get what the port says. */
function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function ignoreMissing(cause: NodeJS.ErrnoException): void {
  if (cause.code !== 'ENOENT') throw cause;
}
