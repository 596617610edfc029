/**
 * In-memory twin of the RocksDB state store for tests and simulation.
 *
 * A *folder* outlives the stores that are opened on it, like a disk outlives a process.
 * It keeps the batches since the last flush, so that `crash` can lose a suffix of them.
 * All work is done synchronously in the call; nothing depends on timing.
 */
import { assert } from '../../core/assert.ts';
import {
  type ColumnFamily,
  columnFamilies,
  type KeyRange,
  type StateStore,
  StateStoreError,
  type StateWrite,
} from '../../ports/state-store.ts';
import { createSortedMap, type SortedMap } from './sorted-map.ts';

/** A store flushes by itself beyond this, as RocksDB does when its write buffer is full. */
const unflushedBatchesMax = 10_000;

export interface MemoryStateFolder {
  /** Rejects with 'locked' while a store is open, with 'corruption' if the folder is damaged. */
  readonly open: () => Promise<StateStore>;
  /** The process ends: the open store serves nothing any more, and of the unflushed batches only the first `kept` survive. */
  readonly crash: (kept?: number) => void;
  /** The open store and later ones find their data unreadable until `discard`. */
  readonly damage: () => void;
  readonly discard: () => void;
  readonly unflushedBatches: () => number;
}

type Families = ReadonlyMap<ColumnFamily, SortedMap>;

interface Folder {
  durable: Families;
  /** `durable` plus `unflushed`: what a reader sees. */
  visible: Families;
  unflushed: (readonly StateWrite[])[];
  damaged: boolean;
  /** The store that has the folder open; only this one may still work. */
  owner: object | undefined;
}

export function createMemoryStateFolder(): MemoryStateFolder {
  const folder: Folder = { durable: emptyFamilies(), visible: emptyFamilies(), unflushed: [], damaged: false, owner: undefined };
  return {
    open: async () => openStore(folder),
    crash: (kept = 0) => crash(folder, kept),
    damage: () => {
      folder.damaged = true;
    },
    discard: () => {
      assert(folder.owner === undefined, 'discarding an open state store');
      Object.assign(folder, { durable: emptyFamilies(), visible: emptyFamilies(), unflushed: [], damaged: false });
    },
    unflushedBatches: () => folder.unflushed.length,
  };
}

function openStore(folder: Folder): StateStore {
  if (folder.owner !== undefined) throw new StateStoreError('locked', 'state store is open already');
  if (folder.damaged) throw damagedError();
  const owner = {};
  folder.owner = owner;
  // `async` turns what the check throws into a rejection, as the port promises.
  const check = (): void => {
    if (folder.owner !== owner) throw new StateStoreError('closed', 'state store is closed');
    if (folder.damaged) throw damagedError();
  };
  return {
    get: async (family, key) => {
      check();
      return familyOf(folder.visible, family).get(key)?.slice();
    },
    range: async (family, range) => {
      check();
      return readRange(folder.visible, family, range);
    },
    write: async (batch) => {
      check();
      write(folder, batch);
    },
    flush: async () => {
      check();
      flush(folder);
    },
    close: async () => {
      if (folder.owner === owner) folder.owner = undefined;
    },
  };
}

function readRange(families: Families, family: ColumnFamily, range: KeyRange): (readonly [Uint8Array, Uint8Array])[] {
  assert(Number.isSafeInteger(range.limit) && range.limit >= 0, 'range limit', { limit: range.limit });
  return familyOf(families, family).range(range.from, range.to, range.reverse ?? false, range.limit);
}

function write(folder: Folder, batch: readonly StateWrite[]): void {
  if (batch.length === 0) return;
  const own = batch.map(copyOf);
  apply(folder.visible, own);
  folder.unflushed.push(own);
  if (folder.unflushed.length > unflushedBatchesMax) flush(folder);
}

function flush(folder: Folder): void {
  for (const batch of folder.unflushed) apply(folder.durable, batch);
  folder.unflushed = [];
}

function crash(folder: Folder, kept: number): void {
  for (const batch of folder.unflushed.slice(0, kept)) apply(folder.durable, batch);
  folder.unflushed = [];
  folder.visible = new Map(columnFamilies.map((family) => [family, familyOf(folder.durable, family).copy()]));
  folder.owner = undefined;
}

function apply(families: Families, batch: readonly StateWrite[]): void {
  for (const entry of batch) {
    const family = familyOf(families, entry.family);
    if (entry.op === 'put') family.set(entry.key, entry.value);
    else if (entry.op === 'delete') family.delete(entry.key);
    else family.deleteRange(entry.from, entry.to);
  }
}

/** The caller's buffers are its own again once the call resolved. */
function copyOf(entry: StateWrite): StateWrite {
  return entry.op === 'put' ? { ...entry, value: entry.value.slice() } : entry;
}

function emptyFamilies(): Families {
  return new Map(columnFamilies.map((family) => [family, createSortedMap()]));
}

function familyOf(families: Families, family: ColumnFamily): SortedMap {
  const found = families.get(family);
  assert(found !== undefined, 'unknown column family', { family });
  return found;
}

function damagedError(): StateStoreError {
  return new StateStoreError('corruption', 'state store is damaged');
}
