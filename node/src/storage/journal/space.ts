/**
 * Room for batches: the active segment and one prepared spare, and what happens when the
 * disk has no room for a spare.
 *
 * Batches only ever go into space that is already on disk, so that a full disk is
 * met while preparing the *next* segment, when a whole one is still free. From then on
 * (`blocked`) client appends are admitted while they leave `reserveBytes` of the
 * active segment; upkeep may use half of that, essential ones all of it. Whether a call is
 * admitted is decided when it is made: nothing of a refused call is written or indexed.
 * Essential calls are never refused. Those that do not fit wait, as does all that was admitted
 * before the lack of space was known: the node then behaves as with a disk that stands still.
 * When the spare can be prepared again, everything is as before.
 */
import { DiskError } from '../../ports/disk.ts';
import { batchHeaderBytes } from './batch.ts';
import { prepareSegment, segmentHeaderBytes } from './segment.ts';
import { createSegment, type JournalState } from './state.ts';
import type { AppendPurpose } from './vocabulary.ts';

const spaceCodes = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

export const isLackOfSpace = (error: unknown): boolean => error instanceof DiskError && spaceCodes.has(error.code);

/** Bytes of the active segment that no batch and no pending call has claimed. */
function unclaimedBytes(state: JournalState): number {
  return state.active.bytes - state.active.end - state.pendingBytes - batchHeaderBytes;
}

/** Bytes for client appends; while there is space for another segment nothing is counted. */
export function roomBytes(state: JournalState): number {
  return state.blocked ? Math.max(0, unclaimedBytes(state) - state.options.reserveBytes) : Number.POSITIVE_INFINITY;
}

/** Client appends are refused: the room left is the reserve and less than a fair batch. */
export function isFull(state: JournalState): boolean {
  const { reserveBytes, batchBytesMax } = state.options;
  return state.blocked && unclaimedBytes(state) < reserveBytes + batchBytesMax;
}

export function mayAppend(state: JournalState, bytes: number, purpose: AppendPurpose): boolean {
  if (!state.blocked) return true;
  const { reserveBytes } = state.options;
  const room = unclaimedBytes(state);
  switch (purpose) {
    case 'client':
      return !isFull(state) && bytes <= room - reserveBytes;
    case 'upkeep':
      return bytes <= room - reserveBytes / 2;
    case 'essential':
      return bytes <= room;
  }
}

/** Reports changes of isFull. */
export function reportFull(state: JournalState): void {
  const full = isFull(state);
  if (full === state.fullReported) return;
  state.fullReported = full;
  state.options.onEvent?.({ type: full ? 'full' : 'unfull' });
}

/** Starts to prepare the next segment unless it is there or under way. Errors other than lack of space are fatal. */
export function prepareSpare(state: JournalState, fatal: (error: unknown) => void): void {
  if (state.spare !== undefined || state.preparing !== undefined || state.fatal !== undefined) return;
  state.lastAttemptMs = state.options.now();
  state.preparing = createSpare(state)
    .catch((error: unknown) => {
      if (isLackOfSpace(error)) block(state, fatal);
      else fatal(error);
    })
    .finally(() => {
      state.preparing = undefined;
    });
}

async function createSpare(state: JournalState): Promise<void> {
  const { disk, folder } = state;
  const { segmentBytes, fullFreeBytesMin, storeId } = state.options;
  const sequence = state.active.sequence + 1;
  const file = await prepareSegment(disk, folder, { storeId, sequence, firstBatch: 0, bytes: segmentBytes }, fullFreeBytesMin);
  state.spare = { ...createSegment(storeId, sequence, segmentBytes, segmentHeaderBytes), file };
  unblock(state);
}

/** Takes note that there is no space, and looks again later. */
export function block(state: JournalState, fatal: (error: unknown) => void): void {
  state.blocked = true;
  reportFull(state);
  state.cancelRetry?.();
  state.cancelRetry = state.options.after?.(state.options.fullRetryMs, () => retrySpace(state, fatal));
}

function unblock(state: JournalState): void {
  state.blocked = false;
  state.cancelRetry?.();
  state.cancelRetry = undefined;
  reportFull(state);
  wakeSpaceWaiters(state);
}

export function wakeSpaceWaiters(state: JournalState): void {
  const waiters = state.spaceWaiters;
  state.spaceWaiters = [];
  for (const wake of waiters) wake();
}

/** Looks for space now; `soon` only if the last look was long enough ago. */
export function retrySpace(state: JournalState, fatal: (error: unknown) => void, soon = false): void {
  if (!state.blocked || state.closed || (soon && state.options.now() - state.lastAttemptMs < state.options.fullRetryMs)) return;
  if (state.spare === undefined) prepareSpare(state, fatal);
  else {
    // A batch met lack of space in space that was reserved (a copy-on-write disk): let it try again.
    state.lastAttemptMs = state.options.now();
    unblock(state);
  }
}

/** Resolves when space may be there again. */
export function untilSpace(state: JournalState): Promise<void> {
  return new Promise((resolve) => state.spaceWaiters.push(resolve));
}
