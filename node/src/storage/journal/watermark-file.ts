/**
 * The durable watermark beside the segments: what separates a torn tail from damage
 * when nothing follows that could tell.
 *
 *   File  => slot*4, one every 4096 bytes
 *   slot  => magic:u32 crc:u32 number:u64 sequence:u64 end:u32 zero:u32 oldest:u64 round:u64
 *            oldestBatch:u64                                                             (56 bytes)
 *   crc   => CRC32C of slot[8..56), started from CRC32C of the store id
 *
 * `oldest` is the first segment that the journal needs, and oldestBatch the number of its
 * first batch (or of the next one to come): files before it are garbage that a crash
 * left, files from it on must all be there.
 *
 * Why no sync on the hot path is sound: a slot is written only *after* the sync of the
 * batch that it names, so that it never says too much; if the write is lost in a crash,
 * an older slot says less, which only widens what counts as "cannot be proven". The next batch's
 * header carries the same fact and is synced with that batch, so under load the file
 * is not written at all: only when the journal falls idle (lazily, slots 0 and 1), and with a sync
 * on reclaim, on close, and when damage is noticed (slots 2 and 3): what the next start finds of a
 * damaged tail must not pass for one that a crash tore. A crash may tear both lazy slots, never a
 * synced one.
 */
import type { Disk, DiskFile } from '../../ports/disk.ts';
import type { Watermark } from './batch.ts';
import { checksum } from './checksum.ts';
import { getU64, putU64, viewOf } from './number-field.ts';

const slotPitch = 4096;
const slotBytes = 56;
const magic = 0x4b52_414d;
const slots = 4;
export const watermarkName = 'watermark';

export interface WatermarkFile {
  readonly file: DiskFile;
  readonly storeId: string;
  /** First segment that is needed. */
  oldest: number;
  /** Number of the first batch from there. */
  oldestBatch: number;
  /** Rises with every write; the highest sound one is the newest. */
  round: number;
  /** Newest batch that a synced slot names. */
  securedBatch: number;
  lazySlot: 0 | 1;
  syncedSlot: 2 | 3;
  /** Writes under way; never rejects. */
  busy: Promise<void> | undefined;
}

export interface WatermarkFinding {
  readonly durable: Watermark;
  readonly oldest: number;
  readonly oldestBatch: number;
  readonly round: number;
}

function encodeSlot(storeId: string, finding: WatermarkFinding): Uint8Array {
  const bytes = new Uint8Array(slotBytes);
  const view = viewOf(bytes);
  view.setUint32(0, magic, true);
  putU64(view, 8, finding.durable.number);
  putU64(view, 16, finding.durable.sequence);
  view.setUint32(24, finding.durable.end, true);
  putU64(view, 32, finding.oldest);
  putU64(view, 40, finding.round);
  putU64(view, 48, finding.oldestBatch);
  view.setUint32(4, checksum(bytes.subarray(8), checksum(Buffer.from(storeId))), true);
  return bytes;
}

function decodeSlot(storeId: string, bytes: Uint8Array): WatermarkFinding | undefined {
  if (bytes.length < slotBytes) return undefined;
  const view = viewOf(bytes);
  if (view.getUint32(0, true) !== magic) return undefined;
  if (checksum(bytes.subarray(8, slotBytes), checksum(Buffer.from(storeId))) !== view.getUint32(4, true)) return undefined;
  return {
    durable: { number: getU64(view, 8), sequence: getU64(view, 16), end: view.getUint32(24, true) },
    oldest: getU64(view, 32),
    round: getU64(view, 40),
    oldestBatch: getU64(view, 48),
  };
}

/** Creates the file, synced, for a journal that begins at segment `oldest`. */
export async function createWatermarkFile(disk: Disk, folder: string, storeId: string, finding: WatermarkFinding): Promise<WatermarkFile> {
  const path = `${folder}/${watermarkName}`;
  const temporary = `${path}.tmp`;
  if (await disk.exists(temporary)) await disk.remove(temporary);
  const file = await disk.openFile(temporary, 'create');
  await file.preallocate(slotPitch * slots);
  await file.write(2 * slotPitch, [encodeSlot(storeId, finding)]);
  await file.datasync();
  await disk.rename(temporary, path);
  await disk.syncFolder(folder);
  return { ...finding, file, storeId, securedBatch: finding.durable.number, lazySlot: 0, syncedSlot: 3, busy: undefined };
}

/** What the file says; undefined if it is missing or no slot is sound. */
export async function readWatermarkFile(disk: Disk, folder: string, storeId: string): Promise<WatermarkFinding | undefined> {
  const path = `${folder}/${watermarkName}`;
  if (!(await disk.exists(path))) return undefined;
  const file = await disk.openFile(path, 'read');
  try {
    let best: WatermarkFinding | undefined;
    for (let slot = 0; slot < slots; slot++) {
      const found = decodeSlot(storeId, await file.read(slot * slotPitch, slotBytes));
      if (found !== undefined && found.round > (best?.round ?? -1)) best = found;
    }
    return best;
  } finally {
    await file.close();
  }
}

/** Writes without a sync, unless a write is under way already: the next one will say more. */
export function noteWatermark(target: WatermarkFile, durable: Watermark, onError: (error: unknown) => void): void {
  if (target.busy !== undefined) return;
  const slot = target.lazySlot;
  target.lazySlot = slot === 0 ? 1 : 0;
  void inTurn(target, () => writeSlot(target, slot, durable)).catch(onError);
}

/** Writes with a sync. */
export function saveWatermark(target: WatermarkFile, durable: Watermark): Promise<void> {
  return inTurn(target, async () => {
    await writeSlot(target, target.syncedSlot, durable);
    await target.file.datasync();
    target.syncedSlot = target.syncedSlot === 2 ? 3 : 2;
    target.securedBatch = Math.max(target.securedBatch, durable.number);
  });
}

/** Writes with a sync unless it says nothing new; the caller waits for nothing. */
export function secureWatermark(target: WatermarkFile, durable: Watermark, onError: (error: unknown) => void): void {
  if (target.securedBatch >= durable.number) return;
  target.securedBatch = durable.number;
  saveWatermark(target, durable).catch(onError);
}

/** Writes of the file happen one after the other. */
function inTurn(target: WatermarkFile, action: () => Promise<void>): Promise<void> {
  const before = target.busy ?? Promise.resolve();
  const work = before.then(action);
  const settled = work.then(
    () => undefined,
    () => undefined,
  );
  target.busy = settled;
  void settled.then(() => {
    if (target.busy === settled) target.busy = undefined;
  });
  return work;
}

async function writeSlot(target: WatermarkFile, slot: number, durable: Watermark): Promise<void> {
  target.round++;
  await target.file.write(slot * slotPitch, [encodeSlot(target.storeId, { ...target, durable })]);
}
