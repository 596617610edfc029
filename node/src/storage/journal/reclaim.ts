/**
 * Giving disk space back: deletes the oldest segments that no group needs.
 *
 * Segments go strictly oldest first. A truncation is not written down, it follows from a
 * later frame; only if everything older than that frame is gone as well can an old entry
 * never come back to life at a replay. Where the oldest segment holds only a little
 * that is still needed (facts and entries of idle groups), these frames are written again at
 * the end, as `restored` ones, at most moveBytesMax per call; else it stays.
 *
 * Before a file is removed, in this order: every frame that made its content garbage is on
 * disk, `barrier` has made derived state durable, and the watermark file says (synced) that
 * the journal begins later. A crash between leaves garbage that the next start removes.
 */
import { assert } from '../../core/assert.ts';
import type { Frame } from './vocabulary.ts';
import { contentBytes } from './batch.ts';
import { appendMarker, enqueue } from './append.ts';
import { contentOfFrame, type FrameContent } from './frame-content.ts';
import { columnAt, type GroupLog, hasIndex, slotOf } from './group-log.ts';
import { readWanted, type Wanted, wantedAt } from './read.ts';
import { segmentName } from './segment.ts';
import { mayAppend, retrySpace } from './space.ts';
import { allLogs, type JournalState, type Segment } from './state.ts';
import { saveWatermark } from './watermark-file.ts';
import { failJournal } from './write.ts';

export async function reclaimSegments(state: JournalState, barrier: () => Promise<void>): Promise<number> {
  if (state.reclaiming || state.closed || state.fatal !== undefined) return 0;
  state.reclaiming = true;
  try {
    return await reclaim(state, barrier);
  } finally {
    state.reclaiming = false;
  }
}

async function reclaim(state: JournalState, barrier: () => Promise<void>): Promise<number> {
  // The head of a damaged frame is all that says what was lost; it must outlive a restart.
  for (const log of allLogs(state.groups)) if (log.faulty !== undefined) return 0;
  await moveForward(state);
  const garbage = leadingGarbage(state);
  if (garbage.length === 0) return 0;
  if (!(await isProven(state))) return 0;
  await barrier();
  if (state.fatal !== undefined || state.closed) return 0;
  const removal = removeSegments(state, garbage);
  state.removing = removal.then(
    () => undefined,
    () => undefined,
  );
  const bytes = await removal;
  retrySpace(state, (error) => failJournal(state, error));
  return bytes;
}

/**
 * Every frame that made something garbage is on disk. Frames that wait for space may wait for what this
 * call is to give: it does not wait for them, and goes on if they made nothing garbage.
 */
async function isProven(state: JournalState): Promise<boolean> {
  let listener = (): void => {};
  const isStuck = new Promise<false>((resolve) => {
    listener = (): void => resolve(false);
  });
  state.stuckListeners.add(listener);
  if (state.stuck) listener();
  const isOnDisk = await Promise.race([appendMarker(state).then(() => true), isStuck]);
  state.stuckListeners.delete(listener);
  return isOnDisk || !state.pending.some(({ makesGarbage }) => makesGarbage);
}

const isGarbage = (state: JournalState, segment: Segment): boolean =>
  segment !== state.active && segment.readers === 0 && (state.live.get(segment.sequence) ?? 0) === 0;

function leadingGarbage(state: JournalState): readonly Segment[] {
  const segments = [...state.segments.values()];
  const end = segments.findIndex((segment) => !isGarbage(state, segment));
  return segments.slice(0, end);
}

/** Writes the few live frames of the oldest segments again at the end. */
async function moveForward(state: JournalState): Promise<void> {
  let budget = state.options.moveBytesMax;
  for (const segment of Array.from(state.segments.values())) {
    if (isGarbage(state, segment)) continue;
    if (segment === state.active || segment.readers > 0 || state.closed) return;
    const live = liveFrames(state, segment.sequence);
    if (live === undefined || live.bytes > Math.min(budget, segment.bytes / 4) || !mayAppend(state, live.bytes, 'upkeep')) return;
    budget -= live.bytes;
    await moveFrames(state, segment, live.groups);
    // Something new was put in its way meanwhile (a frame placed, a read begun): the next call goes on.
    if (!isGarbage(state, segment)) return;
  }
}

interface LiveGroup {
  readonly log: GroupLog;
  readonly hardState: boolean;
  readonly snapshot: boolean;
  readonly entries: readonly Wanted[];
}

/** Live frames of a segment; undefined if they are more than one call may move. */
function liveFrames(state: JournalState, sequence: number): { readonly groups: readonly LiveGroup[]; readonly bytes: number } | undefined {
  const groups: LiveGroup[] = [];
  let bytes = 0;
  for (const log of allLogs(state.groups)) {
    const entries: Wanted[] = [];
    for (let index = log.first; index < log.first + log.count; index++) {
      if (columnAt(log.segment, slotOf(log, index)) !== sequence) continue;
      const wanted = wantedAt(log, index);
      entries.push(wanted);
      bytes += wanted.length + entryCostBytes;
      if (bytes > state.options.moveBytesMax) return undefined;
    }
    const hardState = log.hardStatePlace.segment === sequence;
    const snapshot = log.snapshotPlace.segment === sequence;
    if (!hardState && !snapshot && entries.length === 0) continue;
    for (const frame of factFrames(log, hardState, snapshot)) bytes += contentBytes(contentOfFrame(frame));
    groups.push({ log, hardState, snapshot, entries });
  }
  return bytes > state.options.moveBytesMax ? undefined : { groups, bytes };
}

const entryCostBytes = 48;

function factFrames(log: GroupLog, hardState: boolean, snapshot: boolean): readonly Frame[] {
  const frames: Frame[] = [];
  if (hardState) frames.push({ ...log.key, kind: 'hard-state', hardState: log.hardState });
  if (snapshot) frames.push({ ...log.key, kind: 'log-start', snapshot: log.snapshot });
  return frames;
}

async function moveFrames(state: JournalState, segment: Segment, groups: readonly LiveGroup[]): Promise<void> {
  const contents: FrameContent[] = [];
  const logs: GroupLog[] = [];
  const add = (log: GroupLog, frame: Frame): void => {
    contents.push(contentOfFrame(frame, { restored: true, keeps: true }));
    logs.push(log);
  };
  const entries = new Map<LiveGroup, Awaited<ReturnType<typeof readWanted>>>();
  for (const group of groups) entries.set(group, await readWanted(state, group.log.key, group.entries));
  // From here to the enqueue nothing waits: what is moved is what is current.
  for (const group of groups) {
    const { log } = group;
    if (log.removed) continue;
    const { sequence } = segment;
    const frames = factFrames(log, log.hardStatePlace.segment === sequence, log.snapshotPlace.segment === sequence);
    for (const frame of frames) add(log, frame);
    for (const wanted of group.entries) {
      const entry = entries.get(group)?.get(wanted.index);
      if (entry !== undefined && isStillThere(log, wanted)) add(log, { ...log.key, kind: 'entry', entry });
    }
  }
  if (contents.length === 0 || state.closed) return;
  const bytes = contents.reduce((sum, content) => sum + contentBytes(content), 0);
  await enqueue(state, contents, logs, bytes);
  state.options.onEvent?.({ type: 'frames-moved', frames: contents.length, bytes });
}

function isStillThere(log: GroupLog, wanted: Wanted): boolean {
  if (!hasIndex(log, wanted.index)) return false;
  const slot = slotOf(log, wanted.index);
  return columnAt(log.segment, slot) === wanted.segment && columnAt(log.offset, slot) === wanted.offset;
}

async function removeSegments(state: JournalState, garbage: readonly Segment[]): Promise<number> {
  let bytes = 0;
  for (const segment of garbage) {
    assert(isGarbage(state, segment), 'only garbage is removed', { sequence: segment.sequence, live: state.live.get(segment.sequence) });
    state.segments.delete(segment.sequence);
    state.live.delete(segment.sequence);
    bytes += segment.bytes;
  }
  state.bytes -= bytes;
  const rest = [...state.segments.values()];
  state.watermarkFile.oldest = rest[0]?.sequence ?? state.active.sequence;
  state.watermarkFile.oldestBatch = rest.find((segment) => segment.firstBatch > 0)?.firstBatch ?? state.durable.number + 1;
  await orFail(state, saveWatermark(state.watermarkFile, state.durable));
  for (const segment of garbage) {
    await segment.file?.close();
    const path = `${state.folder}/${segmentName(segment.sequence)}`;
    // Somebody else may have removed it; what was in it was lost then, and is no more needed now.
    if (await state.disk.exists(path)) await state.disk.remove(path);
    state.options.onEvent?.({ type: 'segment-removed', sequence: segment.sequence, bytes: segment.bytes });
  }
  // Fatal too: the name of a segment that is being prepared may be lost with it, and the sync after that would not tell.
  await orFail(state, state.disk.syncFolder(state.folder));
  return bytes;
}

/** A sync that fails ends the journal. */
async function orFail(state: JournalState, sync: Promise<void>): Promise<void> {
  try {
    await sync;
  } catch (error) {
    failJournal(state, error);
    throw error;
  }
}
