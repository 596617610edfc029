/**
 * Which Raft entries lie where in a stopped node's journal, and which of them the node
 * knows to be committed. Reads a sound journal; behind damage it finds nothing.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { assert } from '@balsa/node/core/assert.ts';
import { frameHeadBytes } from '@balsa/node/storage/journal/frame.ts';
import { identityName } from '@balsa/node/storage/journal/identity.ts';
import type { FoundFrame } from '@balsa/node/storage/journal/replay.ts';
import { batchAt, imageOf, type SoundBatch } from '@balsa/node/storage/journal/scan.ts';
import { decodeSegmentHeader, segmentHeaderBytes, segmentSeed } from '@balsa/node/storage/journal/segment.ts';
import { usedSegments } from './segments.ts';

/** The payload of one entry. */
export interface EntryPlace {
  /** Raft group and generation: `group/generation`. */
  readonly group: string;
  readonly index: number;
  readonly file: string;
  readonly position: number;
  readonly bytes: number;
}

export interface JournalEntries {
  /** Of every entry with a payload the copy that counts, by `entryKey`; also some that were cut again. */
  readonly entries: ReadonlyMap<string, EntryPlace>;
  /** By group, up to where (inclusive) the node knows on its disk that entries are committed. */
  readonly committed: ReadonlyMap<string, number>;
  /** By group, the last index that its log start stands for. */
  readonly starts: ReadonlyMap<string, number>;
}

interface Findings {
  readonly entries: Map<string, EntryPlace>;
  readonly commits: Map<string, number>;
  readonly starts: Map<string, number>;
}

interface PlacedBatch {
  readonly file: string;
  readonly batch: SoundBatch;
}

export const entryKey = (group: string, index: number): string => `${group}/${index}`;

export function readJournalEntries(dataDir: string): JournalEntries {
  const found: Findings = { entries: new Map(), commits: new Map(), starts: new Map() };
  for (const { file, batch } of readBatches(dataDir)) for (const frame of batch.frames) note(found, file, frame);
  const { entries, commits, starts } = found;
  for (const [key, { group, index }] of entries) if (index <= (starts.get(group) ?? 0)) entries.delete(key);
  return { entries, committed: commits, starts };
}

/** Oldest first; what a recovery has made void was torn, or is there again in a later segment. */
function readBatches(dataDir: string): readonly PlacedBatch[] {
  const storeId = storeIdOf(dataDir);
  const batches: PlacedBatch[] = [];
  for (const { file, sequence } of usedSegments(dataDir)) {
    const bytes = readFileSync(file);
    const finding = decodeSegmentHeader(bytes.subarray(0, segmentHeaderBytes));
    assert(finding.kind === 'sound', 'entries are looked for in a sound journal', { file, finding: finding.kind });
    const image = imageOf(sequence, segmentSeed(storeId, sequence), bytes);
    for (let batch = batchAt(image, segmentHeaderBytes); batch !== undefined; batch = batchAt(image, batch.end)) {
      batches.push({ file, batch });
    }
  }
  return batches;
}

function storeIdOf(dataDir: string): string {
  const [line = ''] = readFileSync(path.join(dataDir, identityName), 'utf8').split('\n');
  const identity = JSON.parse(line) as { readonly storeId: string };
  return identity.storeId;
}

function note({ entries, commits, starts }: Findings, file: string, { head, offset }: FoundFrame): void {
  const group = `${head.group}/${head.generation}`;
  const { kind, index } = head;
  if (kind === 'hard-state') commits.set(group, index);
  else if (kind === 'log-start') starts.set(group, index);
  else if (kind === 'removed') {
    for (const [key, entry] of entries) if (entry.group === group) entries.delete(key);
    commits.delete(group);
    starts.delete(group);
  } else if (head.length > 0) {
    entries.set(entryKey(group, index), { group, index, file, position: offset + frameHeadBytes, bytes: head.length });
  }
}
