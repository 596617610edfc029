/**
 * Applies frames found on disk to the groups' logs, in the order in which they were
 * written. Gives the same result as appending them did, and beyond that copes with what
 * is missing: indexes that are not there become holes (segment 0).
 *
 * Older frames of a group may be gone because their segment was reclaimed. Then the
 * first entry met has an index above 1 and the frames before it come later, as
 * `restored` ones, moved forward by reclaim; what stays a hole in the end is lost.
 */
import { asGroupId, asRaftIndex, asTerm } from '../../core/ids.ts';
import { hardStateOfFrame, membershipOfPayload, snapshotOfFrame } from './frame-content.ts';
import type { FrameHead } from './frame.ts';
import {
  clearLog,
  columnAt,
  cutFrom,
  fillHole,
  type GroupLog,
  hasIndex,
  lastIndex,
  type LiveCounts,
  moveFact,
  noSnapshot,
  noteMembership,
  placeRestored,
  prependHoles,
  pushEntry,
  setPlace,
  settleFaulty,
  slotOf,
  startAfter,
} from './group-log.ts';
import { allLogs, dropLog, findOrCreateLog } from './state.ts';

export interface FoundFrame {
  readonly head: FrameHead;
  /** Undefined if it is damaged: the head is sound and says what was lost. */
  readonly payload: Uint8Array | undefined;
  readonly segment: number;
  readonly offset: number;
}

export interface Replay {
  readonly groups: Map<number, GroupLog[]>;
  readonly live: LiveCounts;
}

export function replayFrame(replay: Replay, frame: FoundFrame): void {
  const { head } = frame;
  const log = findOrCreateLog(replay.groups, { group: asGroupId(head.group), generation: head.generation });
  switch (head.kind) {
    case 'hard-state':
      log.hardState = hardStateOfFrame(head);
      return moveFact(log.hardStatePlace, frame.segment, frame.offset, replay.live);
    case 'log-start':
      return replayLogStart(replay, log, frame);
    case 'removed':
      clearLog(log, replay.live);
      return dropLog(replay.groups, log);
    default:
      if (head.restored) replayRestored(replay, log, frame);
      else replayEntry(replay, log, frame);
      if (head.kind !== 'membership' || frame.payload === undefined || !hasIndex(log, head.index)) return;
      return noteMembership(log, head.index, membershipOfPayload(frame.payload));
  }
}

function replayLogStart(replay: Replay, log: GroupLog, frame: FoundFrame): void {
  const { head, payload } = frame;
  if (head.index < log.snapshot.index) return;
  const lost = { index: asRaftIndex(head.index), term: asTerm(head.term), membership: noSnapshot.membership, state: noSnapshot.state };
  startAfter(log, payload === undefined ? lost : snapshotOfFrame(head, payload), head.keeps, replay.live);
  moveFact(log.snapshotPlace, payload === undefined ? 0 : frame.segment, frame.offset, replay.live);
  log.snapshotLost = payload === undefined;
}

function replayEntry(replay: Replay, log: GroupLog, frame: FoundFrame): void {
  const { head } = frame;
  if (head.index <= log.snapshot.index) return;
  cutFrom(log, head.index, replay.live);
  addAtEnd(replay, log, frame);
}

function replayRestored(replay: Replay, log: GroupLog, frame: FoundFrame): void {
  const { head } = frame;
  if (head.index <= log.snapshot.index) return;
  if (log.count > 0 && head.index < log.first) prependHoles(log, log.first - head.index);
  if (!hasIndex(log, head.index)) return addAtEnd(replay, log, frame);
  if (frame.payload !== undefined) placeRestored(log, head, frame.segment, frame.offset, replay.live);
  else if (columnAt(log.segment, slotOf(log, head.index)) === 0) fillHole(log, head.index, head.term, head.length, head.extra);
}

function addAtEnd(replay: Replay, log: GroupLog, frame: FoundFrame): void {
  const { head } = frame;
  if (log.count === 0) log.first = head.index;
  // Term 0: what was there is not known until a restored frame says it.
  while (lastIndex(log) + 1 < head.index) pushEntry(log, 0, 0, 0);
  pushEntry(log, head.term, head.length, head.extra);
  if (frame.payload !== undefined) setPlace(log, head.index, frame.segment, frame.offset, replay.live);
}

/** After the last frame: what is still a hole is lost. Makes the logs contiguous again. */
export function settleReplay(replay: Replay): void {
  for (const log of allLogs(replay.groups)) {
    const start = log.snapshot.index + 1;
    if (log.count === 0) log.first = start;
    if (log.first > start) prependHoles(log, log.first - start);
    log.faulty = { first: start - 1, last: lastIndex(log) };
    settleFaulty(log);
  }
}
