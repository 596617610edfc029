/**
 * What the leader knows of one replica.
 *
 *  - probe: where the logs meet is not known; one message at a time.
 *  - replicate: they meet at `match`; messages are pipelined up to the window.
 *  - snapshot: the entries that it needs are gone; nothing is sent until it answers.
 *
 * Invariant: match < next. `match` decreases only for a replica that says that its log is shorter: it
 * was removed, and has begun anew since.
 */
import { asRaftIndex, type NodeId, type RaftIndex } from '../ids.ts';
import { createInflightWindow, freeInflight, type InflightLimits, type InflightWindow, isWindowFull } from './inflight-window.ts';

export type ProgressState = 'probe' | 'replicate' | 'snapshot';

export interface Progress {
  readonly node: NodeId;
  state: ProgressState;
  /** Last index known to be durable there and equal to the leader's log (inclusive). */
  match: RaftIndex;
  /** First index to send next. */
  next: RaftIndex;
  /** Probe: a message is out and unanswered. */
  paused: boolean;
  /** Heard from since the leader last checked its quorum. */
  active: boolean;
  /** What `active` was at that check: right after one, nobody has had time to be heard. */
  activeBefore: boolean;
  /** Largest commit index that a message has told it. */
  commitTold: RaftIndex;
  /** Snapshot: heartbeats since it was sent. */
  snapshotHeartbeats: number;
  readonly window: InflightWindow;
}

/** A snapshot that has no answer after so many heartbeats is given up: it, or its answer, was lost. */
export const snapshotHeartbeatsMax = 40;

/** A replica of unknown state; taken for active, so that a new one does not cost the leader its quorum. */
export function createProgress(node: NodeId, next: RaftIndex): Progress {
  return {
    node,
    state: 'probe',
    match: asRaftIndex(0),
    next,
    paused: false,
    active: true,
    activeBefore: true,
    commitTold: asRaftIndex(0),
    snapshotHeartbeats: 0,
    window: createInflightWindow(),
  };
}

/** Heard from within the last one to two periods of the quorum check: for choosing and showing, not for the check itself. */
export const isReachable = (progress: Progress): boolean => progress.active || progress.activeBefore;

export function mayAppend(progress: Progress, limits: InflightLimits): boolean {
  if (progress.state === 'probe') return !progress.paused;
  return progress.state === 'replicate' && !isWindowFull(progress.window, limits);
}

export function becomeProbe(progress: Progress): void {
  progress.state = 'probe';
  progress.paused = false;
  progress.next = asRaftIndex(progress.match + 1);
  dropWindow(progress);
}

function becomeReplicate(progress: Progress): void {
  progress.state = 'replicate';
  progress.paused = false;
  progress.next = asRaftIndex(progress.match + 1);
  dropWindow(progress);
}

export function becomeSnapshot(progress: Progress): void {
  progress.state = 'snapshot';
  progress.snapshotHeartbeats = 0;
  dropWindow(progress);
}

function dropWindow(progress: Progress): void {
  progress.window.messages = [];
  progress.window.bytes = 0;
}

/** The replica has everything up to `index` durable. `logStart`: last index that the leader's log no longer holds. */
export function acknowledge(progress: Progress, index: RaftIndex, logStart: RaftIndex): void {
  progress.match = asRaftIndex(Math.max(progress.match, index));
  progress.next = asRaftIndex(Math.max(progress.next, progress.match + 1));
  if (progress.state === 'replicate') {
    freeInflight(progress.window, progress.match);
    return;
  }
  const answersProbe = progress.state === 'probe' && index >= progress.match;
  const reachesLog = progress.state === 'snapshot' && progress.match >= logStart;
  if (answersProbe || reachesLog) becomeReplicate(progress);
}

/**
 * The replica does not have (or has another entry at) `rejected`; `hint` is the
 * largest index where the logs may meet. Returns false for an answer that is stale.
 */
export function retreat(progress: Progress, rejected: RaftIndex, hint: RaftIndex): boolean {
  if (rejected >= progress.match && hint < progress.match) {
    progress.match = hint;
    becomeProbe(progress);
    return true;
  }
  if (progress.state === 'replicate') {
    if (rejected <= progress.match) return false;
    becomeProbe(progress);
    return true;
  }
  if (progress.state === 'snapshot' || rejected !== progress.next - 1) return false;
  progress.next = asRaftIndex(Math.max(progress.match + 1, Math.min(rejected, hint + 1)));
  progress.paused = false;
  return true;
}
