/** The segment files of a stopped node's journal: what damage aims at. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { segmentHeaderBytes, sequenceOfName } from '@balsa/node/storage/journal/segment.ts';

export interface SegmentPath {
  readonly sequence: number;
  readonly file: string;
  /** End of what was written; behind it are zeros. */
  readonly usedBytes: number;
}

/** Oldest first; prepared ones that hold nothing yet are left out. */
export function usedSegments(dataDir: string): readonly SegmentPath[] {
  const folder = path.join(dataDir, 'journal');
  return readdirSync(folder)
    .toSorted()
    .flatMap((name) => {
      const sequence = sequenceOfName(name);
      const file = path.join(folder, name);
      return sequence === undefined ? [] : [{ sequence, file, usedBytes: usedBytesOf(readFileSync(file)) }];
    })
    .filter(({ usedBytes }) => usedBytes > segmentHeaderBytes);
}

const zeros = new Uint8Array(64 * 1024);

/** Behind the last byte that is not zero. Segments are large and mostly empty: whole blocks of zeros are passed over at once. */
export function usedBytesOf(bytes: Uint8Array): number {
  let end = bytes.length;
  while (end >= zeros.length && Buffer.compare(bytes.subarray(end - zeros.length, end), zeros) === 0) end -= zeros.length;
  return bytes.subarray(0, end).findLastIndex((byte) => byte !== 0) + 1;
}
