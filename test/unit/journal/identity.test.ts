import { createMemoryDisk, type MemoryDisk } from '@balsa/node/storage/disk/memory-disk.ts';
import { openDataFolder, saveClusterId } from '@balsa/node/storage/journal/identity.ts';
import { checksum } from '@balsa/node/storage/journal/checksum.ts';
import { beforeEach, describe, expect, it } from 'vitest';

const refused = (code: string) => expect.objectContaining({ name: 'JournalRefused', code });
let stores = 0;
const newStoreId = (): string => `store-${++stores}`;
const openFolder = (disk: MemoryDisk, nodeId = 1, clusterId?: string) =>
  openDataFolder(disk, '/data', { nodeId, newStoreId, ...(clusterId === undefined ? {} : { clusterId }) });

async function rewrite(disk: MemoryDisk, text: string): Promise<void> {
  await disk.remove('/data/identity');
  const file = await disk.openFile('/data/identity', 'create');
  await file.write(0, [Buffer.from(text)]);
}

describe('data folder identity', () => {
  let disk: MemoryDisk;
  beforeEach(() => {
    disk = createMemoryDisk();
  });

  it('is made once and found again', async () => {
    const first = await openFolder(disk);
    expect(first).toMatchObject({ created: true, identity: { nodeId: 1, clusterId: '', formatVersion: 1, journalBegun: false } });
    await first.release();
    const second = await openFolder(disk);
    expect(second).toMatchObject({ created: false, identity: first.identity });
  });

  it('belongs to one node and one cluster', async () => {
    const { release } = await openFolder(disk);
    expect((await saveClusterId(disk, '/data', 'blue')).clusterId).toBe('blue');
    expect((await saveClusterId(disk, '/data', 'blue')).clusterId).toBe('blue');
    await expect(saveClusterId(disk, '/data', 'red')).rejects.toEqual(refused('DATA_FOREIGN'));
    await release();
    await expect(openFolder(disk, 2)).rejects.toEqual(refused('DATA_FOREIGN'));
    await expect(openFolder(disk, 1, 'red')).rejects.toEqual(refused('DATA_FOREIGN'));
    expect((await openFolder(disk, 1, 'blue')).identity.clusterId).toBe('blue');
  });

  it('is locked while it is in use, and not after a refusal', async () => {
    const { release } = await openFolder(disk);
    await expect(openFolder(disk)).rejects.toEqual(refused('DATA_LOCKED'));
    await release();
    await expect(openFolder(disk, 2)).rejects.toEqual(refused('DATA_FOREIGN'));
    await (await openFolder(disk)).release();
  });

  it('refuses a newer format, damage, and data without an identity', async () => {
    await (await openFolder(disk)).release();
    const line = JSON.stringify({ formatVersion: 2, later: true });
    await rewrite(disk, `${line}\n${checksum(Buffer.from(line)).toString(16).padStart(8, '0')}\n`);
    await expect(openFolder(disk)).rejects.toEqual(refused('DATA_VERSION'));
    await rewrite(disk, line.replace('2', '1'));
    await expect(openFolder(disk)).rejects.toEqual(refused('DATA_CORRUPT'));
    await disk.remove('/data/identity');
    await (await disk.openFile('/data/something', 'create')).close();
    await expect(openFolder(disk)).rejects.toEqual(refused('DATA_CORRUPT'));
  });

  it('is the old one or the new one after a crash at any point', async () => {
    const names = new Set<string>();
    let armed = false;
    const crashed: MemoryDisk[] = [];
    const watched: MemoryDisk = createMemoryDisk({
      onOperation: () => {
        const count = watched.pending().length;
        for (let bits = 0; armed && bits < 1 << count; bits++) {
          crashed.push(watched.crash((_, position) => (bits & (1 << position)) !== 0, { onOperation: () => undefined }));
        }
      },
    });
    await openFolder(watched);
    armed = true;
    await saveClusterId(watched, '/data', 'blue');
    armed = false;
    for (const state of crashed) names.add((await openFolder(state)).identity.clusterId);
    expect([...names].sort()).toEqual(['', 'blue']);
    expect((await openFolder(watched.crash(() => false, { onOperation: () => undefined }))).identity.clusterId).toBe('blue');
  });
});
