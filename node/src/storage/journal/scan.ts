/** Walks the bytes of one segment: batches in chain order, and what can be saved behind damage. */
import { batchHeaderBytes, type BatchHeader, batchMagic, readBatchHeader } from './batch.ts';
import { checksum } from './checksum.ts';
import { frameHeadBytes, placeSeed, readFrame } from './frame.ts';
import { viewOf } from './number-field.ts';
import type { FoundFrame } from './replay.ts';

/** A segment's bytes in memory. */
export interface SegmentImage {
  readonly sequence: number;
  readonly seed: number;
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

export const imageOf = (sequence: number, seed: number, bytes: Uint8Array): SegmentImage => ({
  sequence,
  seed,
  bytes,
  view: viewOf(bytes),
});

export interface SoundBatch {
  readonly header: BatchHeader;
  readonly frames: readonly FoundFrame[];
  /** Offset behind it. */
  readonly end: number;
}

export const headerAt = (image: SegmentImage, offset: number): BatchHeader | undefined =>
  readBatchHeader(image.bytes, image.view, offset, image.seed, offset);

/** The batch at `offset` if its header and every frame of it are sound. */
export function batchAt(image: SegmentImage, offset: number): SoundBatch | undefined {
  const header = headerAt(image, offset);
  if (header === undefined) return undefined;
  const end = offset + batchHeaderBytes + header.bytes;
  if (end > image.bytes.length || header.count * frameHeadBytes > header.bytes) return undefined;
  const frames: FoundFrame[] = [];
  const crcs = new Uint8Array(header.count * 4);
  const crcView = viewOf(crcs);
  let at = offset + batchHeaderBytes;
  for (let i = 0; i < header.count; i++) {
    const frame = readFrame(image.bytes, at, placeSeed(image.seed, at), image.view);
    if (frame?.sound !== true) return undefined;
    crcView.setUint32(i * 4, frame.crc, true);
    frames.push({ head: frame.head, payload: frame.payload, segment: image.sequence, offset: at });
    at += frameHeadBytes + frame.head.length;
  }
  if (at !== end || checksum(crcs) !== header.framesCrc) return undefined;
  return { header, frames, end };
}

const magicBytes = new Uint8Array(4);
viewOf(magicBytes).setUint32(0, batchMagic, true);

/** Offset of the first sound batch header behind `offset` with at least this number. */
export function findHeader(
  image: SegmentImage,
  offset: number,
  numberMin: number,
): { readonly offset: number; readonly number: number } | undefined {
  const bytes = Buffer.from(image.bytes.buffer, image.bytes.byteOffset, image.bytes.byteLength);
  for (let at = bytes.indexOf(magicBytes, offset); at !== -1; at = bytes.indexOf(magicBytes, at + 1)) {
    const header = headerAt(image, at);
    if (header !== undefined && header.number >= numberMin) return { offset: at, number: header.number };
  }
  return undefined;
}

const zeros = new Uint8Array(64 * 1024);

/** Whether everything from `offset` is zeros. */
export function isBlank(image: SegmentImage, offset: number): boolean {
  const { bytes } = image;
  for (let at = offset; at < bytes.length; at += zeros.length) {
    const piece = bytes.subarray(at, at + zeros.length);
    if (Buffer.compare(piece, zeros.subarray(0, piece.length)) !== 0) return false;
  }
  return true;
}

/** A damaged region: batches first..next-1 lay, or should lie, in [from, to). */
export interface DamagedRegion {
  readonly from: number;
  readonly to: number;
  readonly first: number;
  /** Number of the batch behind the region. */
  readonly next: number;
  /** That batch begins at `to`; else `to` is the end of the segment. */
  readonly closed: boolean;
}

/**
 * The frames of a damaged region, those with a bad payload without it. Undefined unless the
 * heads of *all* its frames are sound: then it is not known what was lost.
 */
export function salvage(image: SegmentImage, region: DamagedRegion): readonly FoundFrame[] | undefined {
  const frames: FoundFrame[] = [];
  let at = region.from;
  for (let number = region.first; number < region.next; number++) {
    const header = headerAt(image, at);
    const count = header?.number === number ? header.count : undefined;
    at += batchHeaderBytes;
    for (let i = 0; count === undefined ? at < region.to : i < count; i++) {
      const frame = readFrame(image.bytes, at, placeSeed(image.seed, at), image.view);
      if (frame === undefined || at + frameHeadBytes + frame.head.length > region.to) return undefined;
      frames.push({ head: frame.head, payload: frame.sound ? frame.payload : undefined, segment: image.sequence, offset: at });
      at += frameHeadBytes + frame.head.length;
    }
    if (count === undefined && !(region.closed && number + 1 === region.next)) return undefined;
  }
  return at === region.to || !region.closed ? frames : undefined;
}
