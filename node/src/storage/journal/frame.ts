/**
 * The frame: one entry or one fact of one group, as it lies on disk.
 *
 *   Frame   => head payload
 *   head    => headCrc:u32 crc:u32 length:u32 generation:u32 group:u64 term:u64 index:u64
 *              extra:u32 kind:u8 flags:u8 zero:u16                 (48 bytes, little-endian)
 *   headCrc => CRC32C of head[8..48), started from the frame's place (segment seed xor file offset)
 *   crc     => CRC32C of payload[0..length), continued from headCrc
 *
 * Because the checksum starts from the place, a frame that a disk wrote or read
 * elsewhere, and a frame of another segment or another journal, is never accepted.
 * headCrc alone tells *what* was lost when only the payload is damaged.
 *
 *   kind        term           index            extra       payload
 *   noop        entry.term     entry.index      entry.size  empty
 *   command     entry.term     entry.index      entry.size  the command
 *   membership  entry.term     entry.index      entry.size  Membership
 *   hard-state  term           commit           votedFor    empty
 *   log-start   snapshot.term  snapshot.index   0           Membership, then the state
 *   removed     0              0                0           empty
 *
 * flags: bit 0 = restored: written again by reclaim or repair. A restored entry takes the
 * place of the same (index, term) written earlier and cuts nothing.
 * bit 1 = keeps: entries behind this log start stay. It is written down because replay
 * cannot find it out: the entries before may be gone with their segment.
 */
import { checksum, checksumOfHead } from './checksum.ts';
import { getU64, putU64, viewOf } from './number-field.ts';

export const frameHeadBytes = 48;

export const frameKinds = { noop: 1, command: 2, membership: 3, 'hard-state': 4, 'log-start': 5, removed: 6 } as const;
export type FrameKind = keyof typeof frameKinds;
const kindNames = new Map<number, FrameKind>(Object.entries(frameKinds).map(([name, code]) => [code, name as FrameKind]));

const flagRestored = 1;
const flagKeeps = 2;

export interface FrameHead {
  readonly kind: FrameKind;
  readonly restored: boolean;
  readonly keeps: boolean;
  readonly group: number;
  readonly generation: number;
  readonly term: number;
  readonly index: number;
  readonly extra: number;
  /** Payload bytes after the head. */
  readonly length: number;
}

/** The checksum's start value for a place: differs for every offset of a segment. */
export function placeSeed(segmentSeed: number, offset: number): number {
  return (segmentSeed ^ offset) >>> 0;
}

/** Writes the head at `at` without its two checksums. */
export function putFrameHead(view: DataView, at: number, head: FrameHead): void {
  view.setUint32(at + 8, head.length, true);
  view.setUint32(at + 12, head.generation, true);
  putU64(view, at + 16, head.group);
  putU64(view, at + 24, head.term);
  putU64(view, at + 32, head.index);
  view.setUint32(at + 40, head.extra, true);
  const flags = (head.restored ? flagRestored : 0) | (head.keeps ? flagKeeps : 0);
  view.setUint32(at + 44, frameKinds[head.kind] | (flags << 8), true);
}

/** Seals the head at `at` with the checksums; returns the frame's crc. */
export function sealFrameHead(bytes: Uint8Array, view: DataView, at: number, seed: number, payload: readonly Uint8Array[]): number {
  const headCrc = checksumOfHead(bytes, at + 8, at + frameHeadBytes, seed);
  let crc = headCrc;
  for (const part of payload) if (part.length > 0) crc = checksum(part, crc);
  view.setUint32(at, headCrc, true);
  view.setUint32(at + 4, crc, true);
  return crc;
}

/** The head at `at`, if its checksum and fields are sound; undefined otherwise. */
export function readFrameHead(bytes: Uint8Array, view: DataView, at: number, seed: number): FrameHead | undefined {
  if (at + frameHeadBytes > bytes.length) return undefined;
  const kind = kindNames.get(view.getUint8(at + 44));
  if (kind === undefined || view.getUint16(at + 46, true) !== 0) return undefined;
  if (checksumOfHead(bytes, at + 8, at + frameHeadBytes, seed) !== view.getUint32(at, true)) return undefined;
  return {
    kind,
    restored: (view.getUint8(at + 45) & flagRestored) !== 0,
    keeps: (view.getUint8(at + 45) & flagKeeps) !== 0,
    group: getU64(view, at + 16),
    generation: view.getUint32(at + 12, true),
    term: getU64(view, at + 24),
    index: getU64(view, at + 32),
    extra: view.getUint32(at + 40, true),
    length: view.getUint32(at + 8, true),
  };
}

/** The frame at `at`: its head, and whether the payload matches the checksum. */
export function readFrame(
  bytes: Uint8Array,
  at: number,
  seed: number,
  view: DataView = viewOf(bytes),
): { readonly head: FrameHead; readonly crc: number; readonly sound: boolean; readonly payload: Uint8Array } | undefined {
  const head = readFrameHead(bytes, view, at, seed);
  if (head === undefined) return undefined;
  const payload = bytes.subarray(at + frameHeadBytes, at + frameHeadBytes + head.length);
  const crc = view.getUint32(at + 4, true);
  const headCrc = view.getUint32(at, true);
  const actual = head.length === 0 ? headCrc : checksum(payload, headCrc);
  return { head, crc, sound: payload.length === head.length && actual === crc, payload };
}
