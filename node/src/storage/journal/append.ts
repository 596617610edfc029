/**
 * Taking frames in: index and cache know them at once, the write loop brings them to the disk.
 *
 * A call is checked as a whole before anything of it takes effect; the checks are
 * assertions, because frames out of order are a bug of the caller.
 */
import { assert, unreachable } from '../../core/assert.ts';
import { contentBytes } from './batch.ts';
import { cacheEntry, syncCache } from './entry-cache.ts';
import { contentOfFrame, type FrameContent } from './frame-content.ts';
import { clearLog, continuesAfter, cutFrom, type GroupLog, lastIndex, noteMembership, pushEntry, startAfter } from './group-log.ts';
import { mayAppend, reportFull, retrySpace } from './space.ts';
import { dropLog, findOrCreateLog, type JournalState } from './state.ts';
import { type AppendPurpose, type Frame, JournalFull } from './vocabulary.ts';
import { failJournal, startFlush } from './write.ts';

export function appendFrames(state: JournalState, frames: readonly Frame[], purpose: AppendPurpose): Promise<void> {
  assert(!state.closed, 'append after close');
  if (state.fatal !== undefined) return new Promise(() => undefined);
  if (frames.length === 0) return appendMarker(state);
  const contents = frames.map((frame) => contentOfFrame(frame));
  const bytes = contents.reduce((sum, content) => sum + contentBytes(content), 0);
  if (!mayAppend(state, bytes, purpose)) {
    retrySpace(state, (error) => failJournal(state, error), true);
    if (purpose !== 'essential') return Promise.reject(new JournalFull(`no room for ${bytes} bytes of ${purpose} frames`));
  }
  const logs: GroupLog[] = [];
  let makesGarbage = false;
  for (const [i, frame] of frames.entries()) {
    makesGarbage ||= cuts(state, frame);
    if (frame.kind === 'log-start') contents[i] = contentOfFrame(frame, { restored: false, keeps: keepsSuffix(state, frame) });
    logs.push(indexFrame(state, frame, contents[i]));
  }
  return enqueue(state, contents, logs, bytes, makesGarbage);
}

/** Older frames are garbage as soon as this one is indexed. Hard states are replaced when they have a place. */
function cuts(state: JournalState, frame: Frame): boolean {
  return frame.kind === 'entry' ? frame.entry.index <= lastIndex(findOrCreateLog(state.groups, frame)) : frame.kind !== 'hard-state';
}

/** Hands frames whose logs are settled to the write loop. */
export function enqueue(
  state: JournalState,
  contents: readonly FrameContent[],
  logs: readonly GroupLog[],
  bytes: number,
  makesGarbage = false,
): Promise<void> {
  return new Promise((resolve) => {
    state.pending.push({ contents, logs, taken: 0, makesGarbage, cacheMark: state.cache.added, resolve });
    state.pendingBytes += bytes;
    reportFull(state);
    startFlush(state);
  });
}

/** Resolves when everything appended before this call is on disk. */
export function appendMarker(state: JournalState): Promise<void> {
  return enqueue(state, [], [], 0);
}

function keepsSuffix(state: JournalState, frame: Frame & { readonly kind: 'log-start' }): boolean {
  return continuesAfter(findOrCreateLog(state.groups, frame), frame.snapshot);
}

function indexFrame(state: JournalState, frame: Frame, content: FrameContent | undefined): GroupLog {
  const log = findOrCreateLog(state.groups, frame);
  switch (frame.kind) {
    case 'entry': {
      const { entry } = frame;
      const last = lastIndex(log);
      assert(entry.index >= log.first && entry.index <= last + 1, 'an entry continues its log', { ...log.key, index: entry.index, last });
      cutFrom(log, entry.index, state.live);
      syncCache(state.cache, log);
      pushEntry(log, entry.term, content?.head.length ?? 0, entry.size);
      if (entry.kind === 'membership') noteMembership(log, entry.index, entry.membership);
      cacheEntry(state.cache, log, entry);
      return log;
    }
    case 'hard-state':
      assert(frame.hardState.term >= log.hardState.term, 'the term never falls', { ...log.key, term: frame.hardState.term });
      log.hardState = frame.hardState;
      return log;
    case 'log-start':
      assert(frame.snapshot.index >= log.snapshot.index, 'a log start never moves back', { ...log.key, index: frame.snapshot.index });
      startAfter(log, frame.snapshot, content?.head.keeps === true, state.live);
      syncCache(state.cache, log);
      return log;
    case 'removed':
      clearLog(log, state.live);
      syncCache(state.cache, log);
      dropLog(state.groups, log);
      return log;
    default:
      return unreachable(frame, 'frame kind');
  }
}
