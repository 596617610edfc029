/**
 * A journal that is gone as a whole is not a new one: the node may have voted in it, and would
 * vote again. Only a folder in which no process got as far as to write is begun.
 */
import { configSchema } from '@balsa/node/config/schema.ts';
import { openStorage } from '@balsa/node/assembly/storage.ts';
import { createMemoryDisk, type MemoryDisk } from '@balsa/node/storage/disk/memory-disk.ts';
import { openDataFolder } from '@balsa/node/storage/journal/identity.ts';
import { createMemoryStateFolder } from '@balsa/node/storage/state/memory-state-store.ts';
import { expect, it } from 'vitest';
import { silentLog } from '../../sim/world/silent-log.ts';
import { createStreams } from '../../sim/world/random-streams.ts';
import { createVirtualClock } from '../../sim/world/virtual-clock.ts';
import { folder, hard, key, open } from './journal-fixture.ts';

const dataFolder = '/data';
const refused = expect.objectContaining({ name: 'JournalRefused', code: 'DATA_CORRUPT' });

function openNode(disk: MemoryDisk) {
  const defaults = configSchema.parse({});
  const stateFolder = createMemoryStateFolder();
  return openStorage({
    config: { ...defaults, data: { dir: dataFolder }, journal: { ...defaults.journal, segmentBytes: 64 * 1024, fullFreeBytesMin: 0 } },
    disk,
    stateFolders: { open: () => stateFolder.open(), discard: async () => stateFolder.discard() },
    clock: createVirtualClock(),
    random: createStreams(1)('node'),
    log: silentLog,
    onJournalEvent: () => undefined,
    onFatal: (error) => {
      throw error;
    },
  });
}

async function removeAll(disk: MemoryDisk, isMeant: (name: string) => boolean): Promise<void> {
  for (const name of (await disk.list(folder)).filter(isMeant)) await disk.remove(`${folder}/${name}`);
}

it('a node whose journal is gone does not start with an empty one', async () => {
  const disk = createMemoryDisk();
  const storage = await openNode(disk);
  await storage.journal.append([hard(1, 3, 1, 0)]);
  await storage.close();
  await removeAll(disk, () => true);
  await expect(openNode(disk)).rejects.toEqual(refused);
  expect(await disk.list(folder)).toEqual([]);
});

it('a node that died before it had a journal starts with an empty one', async () => {
  const disk = createMemoryDisk();
  await (await openDataFolder(disk, dataFolder, { nodeId: 1, newStoreId: () => 'store-1' })).release();
  const storage = await openNode(disk);
  expect(storage.journal.groups()).toEqual([]);
  await storage.close();
});

it('the note that there is a journal outlives that of the cluster', async () => {
  const disk = createMemoryDisk();
  const storage = await openNode(disk);
  await storage.saveClusterId('blue');
  await storage.close();
  const { identity } = await openDataFolder(disk, dataFolder, { nodeId: 1, newStoreId: () => '' });
  expect(identity).toMatchObject({ clusterId: 'blue', journalBegun: true });
});

it('the only segment is missed although its batches had not come to the watermark file', async () => {
  const disk = createMemoryDisk();
  await open(disk);
  const fresh = disk.bytesOf(`${folder}/watermark`);
  const { journal } = await open(disk);
  await journal.append([hard(1, 3, 1, 0)]);
  expect(journal.group(key(1))).toMatchObject({ hardState: { term: 3 } });
  await journal.close();
  await removeAll(disk, () => true);
  const file = await disk.openFile(`${folder}/watermark`, 'create');
  await file.write(0, [fresh]);
  await expect(open(disk)).rejects.toEqual(refused);
});
