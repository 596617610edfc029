/** Data folders of nodes, made by real journals on the real disk; removed by `removeAll`. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { nodeDisk } from '@balsa/node/storage/disk/node-disk.ts';
import { openDataFolder } from '@balsa/node/storage/journal/identity.ts';
import type { RepairableJournal } from '@balsa/node/storage/journal/open.ts';
import type { Frame } from '@balsa/node/storage/journal/vocabulary.ts';
import { createRng, open } from '../journal/journal-fixture.ts';

let root: string | undefined;

export function removeAll(): void {
  if (root !== undefined) rmSync(root, { recursive: true });
  root = undefined;
}

/** A path of its own that does not exist yet. */
export function freshPath(name: string): string {
  root ??= mkdtempSync(path.join(tmpdir(), 'balsa-damage-'));
  return path.join(mkdtempSync(path.join(root, 'of-')), name);
}

export function seeded(seed: number) {
  const next = createRng(seed);
  return { below: (exclusiveMax: number): number => Math.floor(next() * exclusiveMax) };
}

/** Opens the journal of the folder, which is made if it is not there, and closes it again. */
export async function withJournal<Result>(
  dataDir: string,
  nodeId: number,
  action: (journal: RepairableJournal) => Promise<Result>,
): Promise<Result> {
  const { identity, release } = await openDataFolder(nodeDisk, dataDir, {
    nodeId,
    clusterId: 'a-cluster',
    newStoreId: () => `store-${nodeId}`,
  });
  try {
    const { journal } = await open(nodeDisk, { folder: `${dataDir}/journal`, storeId: identity.storeId });
    try {
      return await action(journal);
    } finally {
      await journal.close();
    }
  } finally {
    await release();
  }
}

/** A folder whose journal took these batches, with something in place of RocksDB. */
export async function dataFolder(nodeId: number, batches: readonly (readonly Frame[])[]): Promise<string> {
  const dataDir = freshPath(`node-${nodeId}`);
  await append(dataDir, nodeId, batches);
  mkdirSync(path.join(dataDir, 'state'));
  writeFileSync(path.join(dataDir, 'state', 'CURRENT'), `of node ${nodeId}`);
  return dataDir;
}

export async function append(dataDir: string, nodeId: number, batches: readonly (readonly Frame[])[]): Promise<void> {
  await withJournal(dataDir, nodeId, async (journal) => {
    for (const frames of batches) await journal.append(frames);
  });
}
