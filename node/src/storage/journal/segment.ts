/**
 * Segment files: NNNNNNNNNN.segment, numbered from 1 without gaps.
 *
 *   Segment => header Batch*                                     the rest is zeros
 *   header  => magic:u32 crc:u32 version:u32 storeLength:u32 sequence:u64 firstBatch:u64 bytes:u64
 *              store:64 bytes zero...                                       (512 bytes)
 *   crc     => CRC32C of header[8..512)
 *
 * A segment is prepared under a temporary name: filled with zeros to its full size,
 * header written, synced, renamed, folder synced. So a file that bears the final name
 * has had a sound header and its full size: a crash never explains a bad one.
 *
 * `firstBatch` is not 0 if the segment was begun by recovery: batches of *earlier*
 * segments with this number or a higher one are void (a torn tail that was cut, or a
 * tail that was copied here). This makes the cut atomic: it is done when the new
 * file has its name, and the old file needs no change.
 */
import { assert } from '../../core/assert.ts';
import { type Disk, DiskError, type DiskFile } from '../../ports/disk.ts';
import { checksum } from './checksum.ts';
import { getU64, putU64, viewOf } from './number-field.ts';

export const segmentHeaderBytes = 512;
export const journalVersion = 1;
const magic = 0x4253_4c42;
const storeAt = 40;
const storeBytesMax = 64;

export const segmentName = (sequence: number): string => `${String(sequence).padStart(10, '0')}.segment`;
const temporarySuffix = '.tmp';
export const isTemporary = (name: string): boolean => name.endsWith(temporarySuffix);

/** Sequence in a segment's file name; undefined for any other name. */
export function sequenceOfName(name: string): number | undefined {
  const match = /^(\d{10})\.segment$/.exec(name);
  return match === null ? undefined : Number(match[1]);
}

/** Start value of every checksum in the segment. */
export function segmentSeed(storeId: string, sequence: number): number {
  return checksum(Buffer.from(`${storeId}/${sequence}`));
}

export interface SegmentHeader {
  readonly storeId: string;
  readonly sequence: number;
  /** Void batches begin here, see above; 0 if none. */
  readonly firstBatch: number;
  /** Size of the file. */
  readonly bytes: number;
}

export function encodeSegmentHeader(header: SegmentHeader): Uint8Array {
  const bytes = new Uint8Array(segmentHeaderBytes);
  const view = viewOf(bytes);
  const store = Buffer.from(header.storeId);
  assert(store.length > 0 && store.length <= storeBytesMax, 'store id fits the segment header', { storeId: header.storeId });
  view.setUint32(0, magic, true);
  view.setUint32(8, journalVersion, true);
  view.setUint32(12, store.length, true);
  putU64(view, 16, header.sequence);
  putU64(view, 24, header.firstBatch);
  putU64(view, 32, header.bytes);
  bytes.set(store, storeAt);
  view.setUint32(4, checksum(bytes.subarray(8)), true);
  return bytes;
}

export type HeaderFinding =
  | { readonly kind: 'sound'; readonly header: SegmentHeader }
  | { readonly kind: 'version'; readonly version: number }
  | { readonly kind: 'bad' };

export function decodeSegmentHeader(bytes: Uint8Array): HeaderFinding {
  if (bytes.length < segmentHeaderBytes) return { kind: 'bad' };
  const view = viewOf(bytes);
  if (view.getUint32(0, true) !== magic) return { kind: 'bad' };
  if (checksum(bytes.subarray(8, segmentHeaderBytes)) !== view.getUint32(4, true)) return { kind: 'bad' };
  const version = view.getUint32(8, true);
  if (version !== journalVersion) return { kind: 'version', version };
  const storeId = Buffer.from(bytes.subarray(storeAt, storeAt + view.getUint32(12, true))).toString();
  return { kind: 'sound', header: { storeId, sequence: getU64(view, 16), firstBatch: getU64(view, 24), bytes: getU64(view, 32) } };
}

/**
 * Makes a segment ready for use and returns it open for writing. `content` are bytes
 * that shall already be in it. May replace an existing file of the same sequence.
 * Rejects with ENOSPC if less than `freeBytesMin` would stay free.
 */
export async function prepareSegment(
  disk: Disk,
  folder: string,
  header: SegmentHeader,
  freeBytesMin: number,
  content: readonly Uint8Array[] = [],
): Promise<DiskFile> {
  const free = await disk.freeBytes(folder);
  if (free < header.bytes + freeBytesMin) throw new DiskError('ENOSPC', `${folder}: ${free} bytes free`);
  const path = `${folder}/${segmentName(header.sequence)}`;
  const temporary = path + temporarySuffix;
  if (await disk.exists(temporary)) await disk.remove(temporary);
  const file = await disk.openFile(temporary, 'create');
  try {
    await file.preallocate(header.bytes);
    await file.write(0, [encodeSegmentHeader(header), ...content]);
    await file.datasync();
    await disk.rename(temporary, path);
    await disk.syncFolder(folder);
    return file;
  } catch (error) {
    await file.close().catch(() => undefined);
    await disk.remove(temporary).catch(() => undefined);
    throw error;
  }
}
