/**
 * The write loop: everything that was appended while the last batch was on its way to
 * the disk goes into the next one (group commit).
 *
 * Per batch, in this order: place it (roll to the spare if it does not fit), one write,
 * one datasync, and only then is anything acknowledged. One batch is under way at a time.
 *
 * After a failed datasync or write nothing is written any more (onFatal, once): what
 * the kernel holds is unknown, and a second datasync that succeeds would prove nothing.
 */
import { assert } from '../../core/assert.ts';
import { batchHeaderBytes, contentBytes, type EncodedBatch, encodeBatch } from './batch.ts';
import { cacheWritten } from './entry-cache.ts';
import type { FrameContent } from './frame-content.ts';
import { columnAt, type GroupLog, hasIndex, isHole, moveFact, placeRestored, setPlace, slotOf, termAt } from './group-log.ts';
import { segmentHeaderBytes } from './segment.ts';
import { block, isLackOfSpace, prepareSpare, reportFull, untilSpace, wakeSpaceWaiters } from './space.ts';
import { type JournalState, type PendingCall, reportWatermark, type Segment } from './state.ts';
import { noteWatermark } from './watermark-file.ts';

interface Batch {
  readonly contents: readonly FrameContent[];
  readonly logs: readonly GroupLog[];
  /** Calls whose last frame is in this batch. */
  readonly completed: readonly PendingCall[];
  readonly bytes: number;
}

/** Ends the journal: reported once, nothing is acknowledged afterwards. */
export function failJournal(state: JournalState, error: unknown): void {
  if (state.fatal !== undefined) return;
  state.fatal = error instanceof Error ? error : new Error(String(error));
  state.pending = [];
  state.cancelRetry?.();
  wakeSpaceWaiters(state);
  state.options.onFatal(state.fatal);
}

export function startFlush(state: JournalState): void {
  if (state.flushing !== undefined || state.fatal !== undefined) return;
  state.flushing = flushPending(state)
    .catch((error: unknown) => failJournal(state, error))
    .finally(() => {
      state.flushing = undefined;
      // Calls that came after the loop had looked for the last time.
      if (state.pending.length > 0) startFlush(state);
    });
}

async function flushPending(state: JournalState): Promise<void> {
  while (state.pending.length > 0 && state.fatal === undefined) {
    if (resolveMarkers(state)) continue;
    if (!(await makeRoom(state))) return;
    const batch = takeBatch(state);
    const startedMs = state.options.now();
    const encoded = placeBatch(state, batch);
    const written = await writeBatch(state, encoded);
    // Another part of the journal may have failed meanwhile: then nothing is acknowledged either.
    if (!written || state.fatal !== undefined) return;
    completeBatch(state, batch, encoded, startedMs);
  }
  if (state.fatal === undefined) noteWatermark(state.watermarkFile, state.durable, (error) => reportWatermark(state, error));
}

/** Calls without frames at the front: all before them is on disk. */
function resolveMarkers(state: JournalState): boolean {
  const [first] = state.pending;
  if (first === undefined || first.contents.length > 0) return false;
  state.pending = state.pending.slice(1);
  first.resolve();
  return true;
}

/** Waits until there may be space again; false if the journal ended meanwhile: what waited is never acknowledged. */
async function waitForSpace(state: JournalState): Promise<boolean> {
  if (!state.closed && state.fatal === undefined) await untilSpace(state);
  if (!state.closed && state.fatal === undefined) return true;
  state.pending = [];
  return false;
}

/** Rolls to the spare if the next frame does not fit into the active segment. */
async function makeRoom(state: JournalState): Promise<boolean> {
  const call = state.pending[0];
  const next = call?.contents[call.taken];
  assert(next !== undefined, 'a pending call has frames left');
  const bytes = batchHeaderBytes + contentBytes(next);
  assert(bytes <= state.options.segmentBytes - segmentHeaderBytes, 'a frame fits into a segment', { bytes });
  if (state.active.end + bytes <= state.active.bytes) return true;
  while (state.spare === undefined) {
    prepareSpare(state, (error) => failJournal(state, error));
    await state.preparing;
    if (state.spare !== undefined) break;
    noteStuck(state);
    const goesOn = await waitForSpace(state);
    state.stuck = false;
    if (!goesOn) return false;
  }
  roll(state, state.spare);
  return true;
}

function noteStuck(state: JournalState): void {
  state.stuck = true;
  for (const listener of state.stuckListeners) listener();
}

function roll(state: JournalState, next: Segment): void {
  assert(next.sequence === state.active.sequence + 1, 'segments are numbered without gaps', { next: next.sequence });
  state.active = next;
  state.spare = undefined;
  state.segments.set(next.sequence, next);
  state.bytes += next.bytes;
  state.options.onEvent?.({ type: 'segment-rolled', sequence: next.sequence });
  prepareSpare(state, (error) => failJournal(state, error));
}

/** Frames of the waiting calls, in order, up to the batch's limit and the segment's end; at least one. */
function takeBatch(state: JournalState): Batch {
  const limit = Math.min(state.options.batchBytesMax, state.active.bytes - state.active.end);
  const contents: FrameContent[] = [];
  const logs: GroupLog[] = [];
  const completed: PendingCall[] = [];
  let bytes = batchHeaderBytes;
  let calls = 0;
  for (const call of state.pending) {
    while (call.taken < call.contents.length) {
      const content = call.contents[call.taken];
      const log = call.logs[call.taken];
      assert(content !== undefined && log !== undefined, 'every frame has its log');
      if (contents.length > 0 && bytes + contentBytes(content) > limit) break;
      contents.push(content);
      logs.push(log);
      bytes += contentBytes(content);
      call.taken++;
    }
    if (call.taken < call.contents.length) break;
    completed.push(call);
    calls++;
  }
  state.pending = state.pending.slice(calls);
  state.pendingBytes -= bytes - batchHeaderBytes;
  return { contents, logs, completed, bytes };
}

/** Gives the batch its place, and its frames theirs in the index. */
function placeBatch(state: JournalState, batch: Batch): EncodedBatch {
  const { active } = state;
  assert(active.end + batch.bytes <= active.bytes, 'a batch stays inside its segment', { end: active.end, bytes: batch.bytes });
  const encoded = encodeBatch(batch.contents, {
    seed: active.seed,
    offset: active.end,
    number: state.durable.number + 1,
    previousCrc: state.previousCrc,
    durable: state.durable,
  });
  assert(encoded.bytes === batch.bytes, 'a batch is as long as it was counted', { encoded: encoded.bytes, counted: batch.bytes });
  for (const [i, content] of batch.contents.entries()) {
    const log = batch.logs[i];
    const offset = encoded.offsets[i];
    assert(log !== undefined && offset !== undefined, 'every frame has a log and a place');
    placeFrame(state, log, content, offset);
  }
  return encoded;
}

/** A frame that later calls have made void meanwhile (entry cut, fact replaced, group gone) gets no place. */
function placeFrame(state: JournalState, log: GroupLog, { head }: FrameContent, offset: number): void {
  if (log.removed || head.restored) return;
  const { sequence } = state.active;
  if (head.kind === 'hard-state') moveFact(log.hardStatePlace, sequence, offset, state.live);
  else if (head.kind === 'log-start') moveFact(log.snapshotPlace, sequence, offset, state.live);
  else if (hasIndex(log, head.index) && termAt(log, head.index) === head.term) setPlace(log, head.index, sequence, offset, state.live);
}

/**
 * A restored frame is read from its old place until the new one is on disk. One whose entry was
 * replaced meanwhile stays without a place: an entry that waits for its batch has none either, but is no hole.
 */
function placeRestoredFrames(state: JournalState, batch: Batch, encoded: EncodedBatch): void {
  const { sequence } = state.active;
  for (const [i, { head }] of batch.contents.entries()) {
    const log = batch.logs[i];
    const offset = encoded.offsets[i];
    if (!head.restored || log === undefined || offset === undefined || log.removed) continue;
    if (head.kind === 'hard-state') moveFact(log.hardStatePlace, sequence, offset, state.live);
    else if (head.kind === 'log-start') moveFact(log.snapshotPlace, sequence, offset, state.live);
    else if (isHole(log, head.index) || isPlaced(log, head.index)) placeRestored(log, head, sequence, offset, state.live);
  }
}

const isPlaced = (log: GroupLog, index: number): boolean => hasIndex(log, index) && columnAt(log.segment, slotOf(log, index)) !== 0;

async function writeBatch(state: JournalState, encoded: EncodedBatch): Promise<boolean> {
  const { file, end } = state.active;
  assert(file !== undefined, 'the active segment is open');
  for (;;) {
    try {
      await file.write(end, encoded.parts);
      break;
    } catch (error) {
      if (!isLackOfSpace(error)) throw error;
      // Only where reserved space is not enough for an overwrite; nothing of the batch is acknowledged or synced yet.
      block(state, (reason) => failJournal(state, reason));
      if (!(await waitForSpace(state))) return false;
    }
  }
  await file.datasync();
  return true;
}

function completeBatch(state: JournalState, batch: Batch, encoded: EncodedBatch, startedMs: number): void {
  const { active } = state;
  active.end += encoded.bytes;
  if (active.firstBatch === 0) active.firstBatch = state.durable.number + 1;
  state.durable = { number: state.durable.number + 1, sequence: active.sequence, end: active.end };
  state.previousCrc = encoded.crc;
  state.batches++;
  state.frames += batch.contents.length;
  placeRestoredFrames(state, batch, encoded);
  const last = batch.completed.at(-1);
  if (last !== undefined) cacheWritten(state.cache, last.cacheMark);
  reportFull(state);
  const durationMs = state.options.now() - startedMs;
  state.options.onEvent?.({ type: 'synced', bytes: encoded.bytes, frames: batch.contents.length, durationMs });
  for (const call of batch.completed) call.resolve();
}
