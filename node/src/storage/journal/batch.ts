/**
 * The batch: what one write and one fdatasync cover.
 *
 *   Batch  => header Frame*count
 *   header => magic:u32 crc:u32 bytes:u32 count:u32 number:u64 previousCrc:u32 framesCrc:u32
 *             durableNumber:u64 durableSequence:u64 durableEnd:u32 zero...    (64 bytes, little-endian)
 *   crc    => CRC32C of header[8..64), started from the batch's place
 *   framesCrc => CRC32C over the crc fields of the frames, in order
 *
 * Batches are numbered from 1 over the whole journal, and `previousCrc` is the `crc` of
 * the batch before: together with framesCrc every batch vouches for all bytes before
 * it. The durable fields say up to where the writer *knew* the journal to be synced
 * when it wrote this batch. One batch is under way at a time, so that a sound header of batch n
 * proves that batch n-1 was synced.
 */
import { checksum, checksumOfHead } from './checksum.ts';
import { type FrameContent } from './frame-content.ts';
import { frameHeadBytes, placeSeed, putFrameHead, sealFrameHead } from './frame.ts';
import { getU64, putU64, viewOf } from './number-field.ts';

export const batchHeaderBytes = 64;
export const batchMagic = 0x4c41_4254;
/** Payloads up to this size are copied next to their head: cheaper than one more part in the write. */
const copyBytesMax = 2048;

/** Up to where the journal is known to be on disk. */
export interface Watermark {
  /** Last batch proven synced; 0 if none. */
  readonly number: number;
  /** Segment of its end; 0 if it is in none that is left. */
  readonly sequence: number;
  /** File offset just behind it. */
  readonly end: number;
}
export const noWatermark: Watermark = { number: 0, sequence: 0, end: 0 };

export interface BatchPlace {
  /** Of the segment, see segmentSeed. */
  readonly seed: number;
  /** File offset of the batch header. */
  readonly offset: number;
  readonly number: number;
  readonly previousCrc: number;
  readonly durable: Watermark;
}

export interface BatchHeader {
  /** Bytes of the frames after the header. */
  readonly bytes: number;
  readonly count: number;
  readonly number: number;
  readonly previousCrc: number;
  readonly framesCrc: number;
  readonly durable: Watermark;
  readonly crc: number;
}

export interface EncodedBatch {
  readonly parts: readonly Uint8Array[];
  readonly bytes: number;
  readonly crc: number;
  /** File offset of each frame, in order. */
  readonly offsets: readonly number[];
}

export const contentBytes = (content: FrameContent): number => frameHeadBytes + content.head.length;

/** One buffer for all heads and small payloads; large payloads go to the disk from where they are. */
export function encodeBatch(contents: readonly FrameContent[], place: BatchPlace): EncodedBatch {
  const heads = new Uint8Array(batchHeaderBytes + contents.reduce((sum, content) => sum + frameHeadBytes + copiedBytes(content), 0));
  const view = viewOf(heads);
  const frameCrcs = new Uint8Array(contents.length * 4);
  const crcView = viewOf(frameCrcs);
  const parts: Uint8Array[] = [];
  const offsets: number[] = [];
  let at = batchHeaderBytes;
  let runStart = 0;
  let offset = place.offset + batchHeaderBytes;
  for (const [i, content] of contents.entries()) {
    offsets.push(offset);
    putFrameHead(view, at, content.head);
    crcView.setUint32(i * 4, sealFrameHead(heads, view, at, placeSeed(place.seed, offset), content.payload), true);
    at += frameHeadBytes;
    offset += frameHeadBytes + content.head.length;
    for (const part of content.payload) {
      if (part.length <= copyBytesMax) {
        heads.set(part, at);
        at += part.length;
      } else {
        parts.push(heads.subarray(runStart, at), part);
        runStart = at;
      }
    }
  }
  if (runStart < at) parts.push(heads.subarray(runStart, at));
  const bytes = offset - place.offset;
  const crc = sealBatchHeader(heads, { bytes: bytes - batchHeaderBytes, count: contents.length, framesCrc: checksum(frameCrcs) }, place);
  return { parts, bytes, crc, offsets };
}

function copiedBytes(content: FrameContent): number {
  return content.payload.reduce((sum, part) => sum + (part.length <= copyBytesMax ? part.length : 0), 0);
}

function sealBatchHeader(bytes: Uint8Array, head: Pick<BatchHeader, 'bytes' | 'count' | 'framesCrc'>, place: BatchPlace): number {
  const view = viewOf(bytes);
  view.setUint32(0, batchMagic, true);
  view.setUint32(8, head.bytes, true);
  view.setUint32(12, head.count, true);
  putU64(view, 16, place.number);
  view.setUint32(24, place.previousCrc, true);
  view.setUint32(28, head.framesCrc, true);
  putU64(view, 32, place.durable.number);
  putU64(view, 40, place.durable.sequence);
  view.setUint32(48, place.durable.end, true);
  const crc = checksumOfHead(bytes, 8, batchHeaderBytes, placeSeed(place.seed, place.offset));
  view.setUint32(4, crc, true);
  return crc;
}

/** The batch header at `at` of `bytes`, which lies at file offset `offset`; undefined if it is not one. */
export function readBatchHeader(bytes: Uint8Array, view: DataView, at: number, seed: number, offset: number): BatchHeader | undefined {
  if (at + batchHeaderBytes > bytes.length || view.getUint32(at, true) !== batchMagic) return undefined;
  const crc = view.getUint32(at + 4, true);
  if (checksumOfHead(bytes, at + 8, at + batchHeaderBytes, placeSeed(seed, offset)) !== crc) return undefined;
  return {
    bytes: view.getUint32(at + 8, true),
    count: view.getUint32(at + 12, true),
    number: getU64(view, at + 16),
    previousCrc: view.getUint32(at + 24, true),
    framesCrc: view.getUint32(at + 28, true),
    durable: { number: getU64(view, at + 32), sequence: getU64(view, at + 40), end: view.getUint32(at + 48, true) },
    crc,
  };
}
