/** The journal's state: plain data that the role files (write, space, read, reclaim) work on. */
import { assert } from '../../core/assert.ts';
import type { Disk, DiskFile } from '../../ports/disk.ts';
import type { Watermark } from './batch.ts';
import type { EntryCache } from './entry-cache.ts';
import type { FrameContent } from './frame-content.ts';
import { createGroupLog, type GroupLog, type LiveCounts } from './group-log.ts';
import type { JournalOptions } from './options.ts';
import { segmentSeed } from './segment.ts';
import type { GroupKey } from './vocabulary.ts';
import type { WatermarkFile } from './watermark-file.ts';

export interface Segment {
  readonly sequence: number;
  /** Start value of its checksums. */
  readonly seed: number;
  /** Size of the file. */
  bytes: number;
  /** Offset behind its last batch. */
  end: number;
  /** Number of its first batch; 0 if it has none. */
  firstBatch: number;
  /** Open handle, if any. */
  file: DiskFile | undefined;
  /** Reads under way: it must not be deleted. */
  readers: number;
}

/** One call of `append` that waits for the disk. */
export interface PendingCall {
  readonly contents: readonly FrameContent[];
  readonly logs: readonly GroupLog[];
  /** Frames already handed to a batch. */
  taken: number;
  /** Frames of it made older ones garbage when it was made, before it is on disk. */
  readonly makesGarbage: boolean;
  /** Value of EntryCache.added after this call: its entries are on disk when it resolves. */
  readonly cacheMark: number;
  readonly resolve: () => void;
}

export interface JournalState {
  readonly options: JournalOptions;
  readonly disk: Disk;
  readonly folder: string;
  readonly groups: Map<number, GroupLog[]>;
  readonly live: LiveCounts;
  readonly cache: EntryCache;
  /** All segments but the spare, oldest first, by sequence. */
  readonly segments: Map<number, Segment>;
  /** The one that is written. */
  active: Segment;
  /** The prepared next one. */
  spare: Segment | undefined;
  readonly watermarkFile: WatermarkFile;
  /** End of the last batch proven synced. */
  durable: Watermark;
  /** crc of the last batch. */
  previousCrc: number;
  pending: PendingCall[];
  /** Frames of pending calls that are in no batch yet, in bytes with overhead. */
  pendingBytes: number;
  /** The write loop, while it runs. */
  flushing: Promise<void> | undefined;
  /** Preparation of the spare, while it runs. */
  preparing: Promise<void> | undefined;
  /** Lack of space kept the spare from being prepared, or a batch from being written. */
  blocked: boolean;
  /** Last value of stats().full that was reported. */
  fullReported: boolean;
  /** The write loop waits for a segment, and nothing is on its way to the disk. */
  stuck: boolean;
  /** Called once when that begins. */
  readonly stuckListeners: Set<() => void>;
  /** Called when space may have come back. */
  spaceWaiters: (() => void)[];
  cancelRetry: (() => void) | undefined;
  lastAttemptMs: number;
  reclaiming: boolean;
  /** Removal of segments, while it runs. */
  removing: Promise<void> | undefined;
  fatal: Error | undefined;
  closed: boolean;
  /** Of `segments` together. */
  bytes: number;
  batches: number;
  frames: number;
  tornTails: number;
  corruptFrames: number;
}

export const createSegment = (storeId: string, sequence: number, bytes: number, end: number): Segment => ({
  sequence,
  seed: segmentSeed(storeId, sequence),
  bytes,
  end,
  firstBatch: 0,
  file: undefined,
  readers: 0,
});

export function findLog(groups: Map<number, GroupLog[]>, key: GroupKey): GroupLog | undefined {
  return groups.get(key.group)?.find((log) => log.key.generation === key.generation && !log.removed);
}

export function findOrCreateLog(groups: Map<number, GroupLog[]>, key: GroupKey): GroupLog {
  const found = findLog(groups, key);
  if (found !== undefined) return found;
  const log = createGroupLog(key.group, key.generation);
  const generations = groups.get(key.group);
  if (generations === undefined) groups.set(key.group, [log]);
  else generations.push(log);
  return log;
}

export function dropLog(groups: Map<number, GroupLog[]>, log: GroupLog): void {
  const rest = groups.get(log.key.group)?.filter((other) => other !== log) ?? [];
  if (rest.length === 0) groups.delete(log.key.group);
  else groups.set(log.key.group, rest);
}

export function* allLogs(groups: Map<number, GroupLog[]>): Iterable<GroupLog> {
  for (const generations of groups.values()) yield* generations;
}

export function segmentOf(state: JournalState, sequence: number): Segment {
  const segment = state.segments.get(sequence);
  assert(segment !== undefined, 'a needed segment is there', { sequence });
  return segment;
}

/** The journal goes on without it: an older watermark says less, and nothing wrong. */
export function reportWatermark({ options }: JournalState, error: unknown): void {
  options.onEvent?.({ type: 'watermark-failed', message: String(error) });
}
