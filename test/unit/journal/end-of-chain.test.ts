/** Where the chain of batches ends: the last batch, a copied one, one of another history. */
import type { Disk } from '@balsa/node/ports/disk.ts';
import { DiskError } from '@balsa/node/ports/disk.ts';
import { createMemoryDisk, type MemoryDisk } from '@balsa/node/storage/disk/memory-disk.ts';
import { segmentName } from '@balsa/node/storage/journal/segment.ts';
import { expect, it } from 'vitest';
import { command, folder, open } from './journal-fixture.ts';
import { heldDisk, scriptedDisk, settle } from './scripted-disk.ts';

const headBytes = 48;
const batchHeadBytes = 64;

async function segmentOf(disk: Disk, sequence: number): Promise<Buffer> {
  const file = await disk.openFile(`${folder}/${segmentName(sequence)}`, 'read');
  const content = Buffer.from(await file.read(0, await file.size()));
  await file.close();
  return content;
}

async function write(disk: Disk, sequence: number, at: number, content: Uint8Array): Promise<void> {
  const file = await disk.openFile(`${folder}/${segmentName(sequence)}`, 'write');
  await file.write(at, [content]);
  await file.datasync();
  await file.close();
}

/** A journal of one segment with these payloads, one batch each. */
async function written(...payloads: readonly string[]): Promise<MemoryDisk> {
  const disk = createMemoryDisk();
  const { journal } = await open(disk);
  for (const [i, payload] of payloads.entries()) await journal.append([command(1, i + 1, 1, payload)]);
  await journal.close();
  return disk;
}

/** Offset of the batch whose only frame holds `payload`. */
const batchOf = (content: Buffer, payload: string): number => content.indexOf(payload) - headBytes - batchHeadBytes;

it('the very last batch replaced by zeros is damage: the watermark names it', async () => {
  const disk = await written('<one>', '<two>', '<three>');
  const content = await segmentOf(disk, 1);
  const at = batchOf(content, '<three>');
  await write(disk, 1, at, Buffer.alloc(content.length - at));
  await expect(open(disk)).rejects.toMatchObject({ name: 'JournalRefused', code: 'DATA_CORRUPT' });
});

it('a sound batch of another history in the right place is no part of the chain', async () => {
  const disk = await written('<one>', '<two>', '<three>');
  const other = await segmentOf(await written('<ONE>', '<TWO>', '<THREE>'), 1);
  const at = batchOf(other, '<THREE>');
  await write(disk, 1, at, other.subarray(at, other.indexOf('<THREE>') + '<THREE>'.length));
  const { journal, events } = await open(disk);
  expect(events).toContainEqual({ type: 'recovery-case', label: 'damage-below-watermark', sequence: 1, offset: at });
  await journal.close();
});

it('a batch that recovery has copied counts at its new place only, and what follows it is found', async () => {
  const { disk, script } = scriptedDisk();
  const first = await open(disk);
  await first.journal.append([command(1, 1, 1, 'safe')]);
  await settle();
  script.fail = ({ kind, path }) => (kind === 'datasync' && path.includes('segment') ? new DiskError('EIO', 'broken') : undefined);
  void first.journal.append([command(1, 2, 1, 'unsure')]);
  await settle();
  script.fail = () => undefined;
  const second = await open(disk);
  await second.journal.append([command(1, 3, 1, 'behind')]);
  await second.journal.close();
  const third = await open(disk);
  expect(third.journal.groups().map(({ last }) => last)).toEqual([3]);
  expect(third.journal.stats()).toMatchObject({ tornTails: 0, corruptFrames: 0 });
  await third.journal.close();
});

it('a batch whose sync had not ended may be gone after a power loss: the watermark never names it', async () => {
  const { disk, slowDisk, hold } = heldDisk('datasync');
  const { journal } = await open(slowDisk);
  await journal.append([command(1, 1, 1, 'safe')]);
  await settle();
  hold();
  void journal.append([command(1, 2, 1, 'under way')]);
  await settle();
  const afterwards = await open(disk.crash((fragment) => fragment.kind === 'data' && fragment.path.includes('watermark')));
  expect(afterwards.journal.groups().map(({ last }) => last)).toEqual([1]);
  await afterwards.journal.close();
});
