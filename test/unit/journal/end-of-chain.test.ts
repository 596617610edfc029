/** Where the chain of batches ends: the last batch, a copied one, one of another history. */
import type { Disk } from '@balsa/node/ports/disk.ts';
import { DiskError } from '@balsa/node/ports/disk.ts';
import { createMemoryDisk, type MemoryDisk } from '@balsa/node/storage/disk/memory-disk.ts';
import type { JournalEvent } from '@balsa/node/storage/journal/options.ts';
import { segmentName } from '@balsa/node/storage/journal/segment.ts';
import { expect, it } from 'vitest';
import { command, folder, key, open } from './journal-fixture.ts';
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

/** The bytes of the batch that holds `payload` in a journal of another history. */
async function foreignBatch(payload: string): Promise<{ readonly at: number; readonly bytes: Uint8Array }> {
  const content = await segmentOf(await written('<ONE>', '<TWO>', '<THREE>'), 1);
  const at = batchOf(content, payload);
  return { at, bytes: content.subarray(at, content.indexOf(payload) + payload.length) };
}

it.each(['<TWO>', '<THREE>'])(
  'a sound batch of another history in the right place is no part of the chain: %s is refused',
  async (payload) => {
    const disk = await written('<one>', '<two>', '<three>');
    const { at, bytes } = await foreignBatch(payload);
    await write(disk, 1, at, bytes);
    const before = await segmentOf(disk, 1);
    const events: JournalEvent[] = [];
    const opening = open(disk, { onEvent: (event) => events.push(event) });
    await expect(opening).rejects.toMatchObject({
      name: 'JournalRefused',
      code: 'DATA_CORRUPT',
      message: expect.stringContaining(`at ${at}`),
    });
    expect(events).toContainEqual({ type: 'recovery-case', label: 'other-history', sequence: 1, offset: at });
    expect((await segmentOf(disk, 1)).equals(before)).toBe(true);
  },
);

it('a first batch of another history is found by the second: nothing says which of them is the right one', async () => {
  const disk = await written('<one>', '<two>', '<three>');
  const { at, bytes } = await foreignBatch('<ONE>');
  await write(disk, 1, at, bytes);
  await expect(open(disk)).rejects.toMatchObject({ name: 'JournalRefused', code: 'DATA_CORRUPT' });
});

it('a batch of another history is never cut, also where nothing proves that it was synced', async () => {
  const disk = await written('<one>', '<two>', '<three>');
  const { at, bytes } = await foreignBatch('<THREE>');
  await write(disk, 1, at, bytes);
  const watermarks = await written('<one>', '<two>');
  const file = await disk.openFile(`${folder}/watermark`, 'write');
  await file.write(0, [watermarks.bytesOf(`${folder}/watermark`)]);
  await file.datasync();
  await file.close();
  await expect(open(disk)).rejects.toMatchObject({ name: 'JournalRefused', code: 'DATA_CORRUPT' });
});

it('damage at the end that is whole again at a later start is no other history: what was written behind it names no batch', async () => {
  const disk = await written('<one>', '<two>', '<three>');
  const at = (await segmentOf(disk, 1)).indexOf('<three>');
  await write(disk, 1, at, Buffer.from('#'));
  const damaged = await open(disk);
  expect(damaged.journal.group(key(1))).toMatchObject({ faulty: { first: 3, last: 3 } });
  await damaged.journal.append([command(1, 4, 1, '<four>')]);
  await damaged.journal.append([command(1, 5, 1, '<five>')]);
  await damaged.journal.close();
  await write(disk, 1, at, Buffer.from('<'));
  const whole = await open(disk);
  const { first, last } = whole.journal.group(key(1))!;
  const entries = await whole.journal.read(key(1), first, last, Number.POSITIVE_INFINITY);
  expect(entries.map((entry) => entry.kind === 'command' && Buffer.from(entry.payload).toString())).toEqual([
    '<one>',
    '<two>',
    '<three>',
    '<four>',
    '<five>',
  ]);
  expect(whole.journal.group(key(1))?.faulty).toBeUndefined();
  await whole.journal.close();
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
