/** What a power failure takes of a RocksDB folder, and that the rest is one that opens. */
import { cpSync, existsSync, readdirSync } from 'node:fs';
import { loseState } from '@balsa/node/faults/state-loss.ts';
import type { StateStore } from '@balsa/node/ports/state-store.ts';
import { openStateStore } from '@balsa/node/storage/state/rocks-state-store.ts';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createStream } from '../../sim/world/random-streams.ts';
import { createFaultyDisk, type FaultyDisk } from './faulty-disk.ts';

let it: FaultyDisk;
beforeEach(() => {
  it = createFaultyDisk();
});
afterEach(() => it.clean());

const key = (i: number): Uint8Array => Uint8Array.of(i);
const put = (store: StateStore, i: number): Promise<void> =>
  store.write([{ op: 'put', family: 'offsets', key: key(i), value: new Uint8Array(50) }]);

/** A copy of the folder of a running store: rows 0 to 9 are flushed, 10 to 19 are not. */
async function copyOfRunning(name: string): Promise<string> {
  const store = await openStateStore(it.path(`${name}.running`));
  try {
    for (let i = 0; i < 10; i++) await put(store, i);
    await store.flush();
    for (let i = 10; i < 20; i++) await put(store, i);
    cpSync(it.path(`${name}.running`), it.path(name), { recursive: true });
    return it.path(name);
  } finally {
    await store.close();
  }
}

/** Keys that are there, all from the first one on. */
async function keysOf(folder: string): Promise<number> {
  const store = await openStateStore(folder);
  try {
    const rows = await store.range('offsets', { from: key(0), to: key(255), limit: 100 });
    expect(rows.map(([found]) => found[0])).toEqual(Array.from({ length: rows.length }, (_, i) => i));
    return rows.length;
  } finally {
    await store.close();
  }
}

test('keep: everything that the operating system has', async () => {
  const folder = await copyOfRunning('state');
  expect(loseState(folder, { state: 'keep', torn: true }, createStream('a'))).toBe(0);
  expect(await keysOf(folder)).toBe(20);
});

test('unsynced: what was not flushed is gone', async () => {
  const folder = await copyOfRunning('state');
  expect(loseState(folder, { state: 'unsynced', torn: false }, createStream('a'))).toBeGreaterThan(500);
  expect(await keysOf(folder)).toBe(10);
});

test('unsynced and torn: the newest batches are gone', async () => {
  const seen = new Set<number>();
  for (let seed = 0; seed < 6; seed++) {
    const folder = await copyOfRunning(`state-${seed}`);
    loseState(folder, { state: 'unsynced', torn: 'prefix' }, createStream(`${seed}`));
    seen.add(await keysOf(folder));
  }
  expect(Math.min(...seen)).toBeGreaterThanOrEqual(10);
  expect(Math.max(...seen)).toBeLessThan(20);
  expect(seen.size).toBeGreaterThan(2);
});

test('all: there is no folder, nor anything in its place', async () => {
  const folder = await copyOfRunning('state');
  expect(loseState(folder, { state: 'all', torn: false }, createStream('a'))).toBeGreaterThan(1000);
  expect(existsSync(folder)).toBe(false);
  expect(readdirSync(it.folder)).toEqual(['state.running']);
  expect(loseState(folder, { state: 'all', torn: false }, createStream('a'))).toBe(0);
});
