/** Opens a journal: recovery, then the running journal behind the contract of vocabulary.ts. */
import type { Entry, Snapshot } from '../../core/raft/entry.ts';
import { asRaftIndex, type RaftIndex } from '../../core/ids.ts';
import { assert } from '../../core/assert.ts';
import { appendFrames } from './append.ts';
import { createEntryCache } from './entry-cache.ts';
import { type GroupLog, lastIndex } from './group-log.ts';
import { journalDefaults, type JournalOpenOptions, type JournalOptions } from './options.ts';
import { cachedRange, factsOf, readEntries } from './read.ts';
import { type Verified, verifyEntries } from './verify.ts';
import { reclaimSegments } from './reclaim.ts';
import { recoverJournal } from './recover.ts';
import { isFull, prepareSpare, retrySpace, roomBytes, wakeSpaceWaiters } from './space.ts';
import { allLogs, findLog, type JournalState } from './state.ts';
import { repairEntries } from './repair.ts';
import type { GroupKey, Journal, JournalStats, RecoveredGroup } from './vocabulary.ts';
import { saveWatermark } from './watermark-file.ts';
import { failJournal } from './write.ts';

/** A journal whose damaged ranges can be filled with what a peer has. */
export interface RepairableJournal extends Journal {
  /** A group as it is now (`groups` says how it was at open); its newest frames may still be on their way to disk. */
  readonly group: (key: GroupKey) => RecoveredGroup | undefined;
  /**
   * Writes lost entries of a faulty range again, without cutting what follows. The caller vouches for them:
   * their (index, term) are those of the group's log. Resolves when they are on disk.
   */
  readonly repair: (key: GroupKey, entries: readonly Entry<Uint8Array>[]) => Promise<void>;
  /** Reads entries from the disk only to check them; see verify.ts. */
  readonly verify: (key: GroupKey, first: RaftIndex, last: RaftIndex, bytesMax: number) => Promise<Verified>;
}

/** Rejects with JournalRefused if the data cannot be used as it is. */
export async function openJournal(openOptions: JournalOpenOptions): Promise<RepairableJournal> {
  const options: JournalOptions = { ...journalDefaults, ...openOptions };
  assert(options.batchBytesMax <= options.segmentBytes / 2, 'two batches fit into a segment', { batchBytesMax: options.batchBytesMax });
  assert(options.reserveBytes <= options.segmentBytes / 4, 'the reserve is a part of a segment', { reserveBytes: options.reserveBytes });
  const startedMs = options.now();
  const recovered = await recoverJournal(options);
  const state = stateOf(options, recovered);
  const { batches, frames } = recovered;
  options.onEvent?.({ type: 'recovered', segments: state.segments.size, batches, frames, durationMs: options.now() - startedMs });
  prepareSpare(state, (error) => failJournal(state, error));
  const found = [...allLogs(state.groups)].map(recoveredGroup);
  return {
    groups: () => found,
    group: (key) => {
      const log = findLog(state.groups, key);
      return log === undefined ? undefined : recoveredGroup(log);
    },
    facts: (key, first, last) => {
      const log = findLog(state.groups, key);
      return log === undefined ? [] : factsOf(log, first, last);
    },
    append: (toAppend, appendOptions) => appendFrames(state, toAppend, appendOptions?.purpose ?? 'client'),
    cached: (key, first, last): readonly Entry<Uint8Array>[] | undefined => {
      const log = findLog(state.groups, key);
      return log === undefined ? undefined : cachedRange(log, first, last);
    },
    read: (key, first, last, bytesMax) => readEntries(state, key, first, last, bytesMax),
    verify: (key, first, last, bytesMax) => verifyEntries(state, key, first, last, bytesMax),
    snapshot: (key): Snapshot<Uint8Array> | undefined => {
      const log = findLog(state.groups, key);
      return log?.snapshotLost === false ? log.snapshot : undefined;
    },
    repair: (key, entries) => repairEntries(state, key, entries),
    reclaim: (barrier) => reclaimSegments(state, barrier),
    stats: () => statsOf(state),
    close: () => closeJournal(state),
  };
}

function stateOf(options: JournalOptions, recovered: Awaited<ReturnType<typeof recoverJournal>>): JournalState {
  const { groups, live, segments, active, watermarkFile, durable, previousCrc, tornTails, corruptFrames } = recovered;
  return {
    options,
    disk: options.disk,
    folder: options.folder,
    groups,
    live,
    cache: createEntryCache(options.cacheBytesMax),
    segments,
    active,
    spare: undefined,
    watermarkFile,
    durable,
    previousCrc: previousCrc ?? 0,
    pending: [],
    pendingBytes: 0,
    flushing: undefined,
    preparing: undefined,
    blocked: false,
    fullReported: false,
    stuck: false,
    stuckListeners: new Set(),
    spaceWaiters: [],
    cancelRetry: undefined,
    lastAttemptMs: options.now(),
    reclaiming: false,
    removing: undefined,
    fatal: undefined,
    closed: false,
    bytes: [...segments.values()].reduce((sum, segment) => sum + segment.bytes, 0),
    batches: 0,
    frames: 0,
    tornTails,
    corruptFrames,
  };
}

function recoveredGroup(log: GroupLog): RecoveredGroup {
  const range = { first: asRaftIndex(log.first), last: asRaftIndex(lastIndex(log)) };
  const found = { ...log.key, hardState: log.hardState, snapshot: log.snapshot, ...range };
  if (log.faulty === undefined) return found;
  return { ...found, faulty: { first: asRaftIndex(log.faulty.first), last: asRaftIndex(log.faulty.last) } };
}

function statsOf(state: JournalState): JournalStats {
  retrySpace(state, (error) => failJournal(state, error), true);
  return {
    segments: state.segments.size,
    bytes: state.bytes + (state.spare?.bytes ?? 0),
    batches: state.batches,
    frames: state.frames,
    cachedBytes: state.cache.bytes,
    full: isFull(state),
    roomBytes: roomBytes(state),
    tornTails: state.tornTails,
    corruptFrames: state.corruptFrames,
  };
}

async function closeJournal(state: JournalState): Promise<void> {
  if (state.closed) return;
  state.closed = true;
  state.cancelRetry?.();
  wakeSpaceWaiters(state);
  while (state.flushing !== undefined) await state.flushing;
  await state.removing;
  await state.preparing;
  state.cancelRetry?.();
  await state.watermarkFile.busy;
  if (state.fatal === undefined) await saveWatermark(state.watermarkFile, state.durable);
  const files = [...state.segments.values(), state.spare].flatMap((segment) => segment?.file ?? []);
  for (const file of [...files, state.watermarkFile.file]) await file.close().catch(() => undefined);
}
