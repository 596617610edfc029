/**
 * From the leader to one replica: appends as the window allows, a snapshot when the
 * log no longer holds what the replica needs, heartbeats in between.
 *
 * Appends leave before the leader's own disk has the entries; nothing is counted for
 * the leader before that, so this costs no safety and saves one disk latency.
 */
import { assert } from '../assert.ts';
import { asRaftIndex, type RaftIndex } from '../ids.ts';
import type { Draft } from './draft.ts';
import { addInflight, freeOldestInflight, isWindowFull } from './inflight-window.ts';
import type { Leadership } from './leadership.ts';
import { bytesBetween, entrySize, lastIndex, type RaftLog } from './log.ts';
import { becomeProbe, becomeSnapshot, mayAppend, type Progress, snapshotHeartbeatsMax } from './progress.ts';
import { type RaftState, termAt } from './state.ts';

/** Entries in one append message, whatever their size. */
const appendEntriesMax = 4096;

/** Sends every replica what it lacks, and the news of a commit to those that lack nothing else. */
export function replicate<Payload>(state: RaftState, leading: Leadership, draft: Draft<Payload>): void {
  for (const progress of leading.progress.values()) replicateTo(state, progress, draft);
}

/** Sends what `progress` lacks; with `probe` one message leaves even if it lacks nothing that is known of. */
export function replicateTo<Payload>(state: RaftState, progress: Progress, draft: Draft<Payload>, probe: boolean = false): void {
  if (progress.node === state.config.self) return;
  let mustSend = probe || isCommitNews(state, progress);
  while (mayAppend(progress, state.config)) {
    if (progress.next <= state.log.start) {
      sendSnapshot(state, progress, draft);
      return;
    }
    const last = batchEnd(state.log, progress.next, state.config.appendBytesMax);
    if (last < progress.next && !mustSend) return;
    sendAppend(state, progress, last, draft);
    mustSend = false;
  }
}

/**
 * A commit rides on the next append. Only a replica with nothing in flight is told at
 * once: one with messages in flight will answer, and that is the time to look again.
 */
function isCommitNews(state: RaftState, progress: Progress): boolean {
  return progress.state === 'replicate' && progress.window.messages.length === 0 && progress.commitTold < state.commit;
}

/** Last index (inclusive) of a message that starts at `first`: within the limits, but at least one entry if there is one. */
function batchEnd(log: RaftLog, first: RaftIndex, bytesMax: number): RaftIndex {
  const limit = Math.min(lastIndex(log), first + appendEntriesMax - 1);
  if (limit < first) return asRaftIndex(first - 1);
  let last: number = first;
  let bytes = entrySize(log, first);
  while (last < limit) {
    bytes += entrySize(log, asRaftIndex(last + 1));
    if (bytes > bytesMax) break;
    last += 1;
  }
  return asRaftIndex(last);
}

function sendAppend<Payload>(state: RaftState, progress: Progress, last: RaftIndex, draft: Draft<Payload>): void {
  const { log, term, commit, config } = state;
  const first = progress.next;
  const index = asRaftIndex(first - 1);
  assert(progress.match <= index, 'nothing is sent that is known to be there', { node: progress.node, match: progress.match, first });
  draft.send.push({
    kind: 'append-request',
    from: config.self,
    to: progress.node,
    term,
    index,
    indexTerm: termAt(state, index),
    commit,
    entries: { first, last },
  });
  progress.commitTold = asRaftIndex(Math.max(progress.commitTold, Math.min(commit, last)));
  if (progress.state === 'probe') {
    progress.paused = true;
    return;
  }
  progress.next = asRaftIndex(last + 1);
  if (last >= first) addInflight(progress.window, last, bytesBetween(log, first, last));
}

/** A replica that was not heard of for a while gets no snapshot: it would be lost, and costs much. */
function sendSnapshot<Payload>(state: RaftState, progress: Progress, draft: Draft<Payload>): void {
  const { log, term, config } = state;
  if (!progress.active) return;
  becomeSnapshot(progress);
  const snapshot = { index: log.start, term: log.startTerm };
  draft.send.push({ kind: 'snapshot-request', from: config.self, to: progress.node, term, snapshot });
}

/** Sends a heartbeat to every replica. Its commit index never names an entry that the replica is not known to hold. */
export function sendHeartbeats<Payload>(state: RaftState, leading: Leadership, draft: Draft<Payload>): void {
  const { config, term } = state;
  const readRound = leading.reads.round;
  for (const progress of leading.progress.values()) {
    if (progress.node === config.self) continue;
    const commit = asRaftIndex(Math.min(state.commit, progress.match));
    draft.send.push({ kind: 'heartbeat-request', from: config.self, to: progress.node, term, commit, readRound });
  }
}

/** Counts a heartbeat for replicas that owe an answer to a snapshot, and gives up those that owe it too long. */
export function expireSnapshots(leading: Leadership): void {
  for (const progress of leading.progress.values()) {
    if (progress.state !== 'snapshot') continue;
    progress.snapshotHeartbeats += 1;
    if (progress.snapshotHeartbeats > snapshotHeartbeatsMax) becomeProbe(progress);
  }
}

/** The replica lives: whatever was lost on the way to it or back is tried again. */
export function resumeReplica<Payload>(state: RaftState, progress: Progress, draft: Draft<Payload>): void {
  progress.active = true;
  progress.paused = false;
  // A window that is full by bytes may stay so when one small message is given up.
  while (progress.state === 'replicate' && isWindowFull(progress.window, state.config)) freeOldestInflight(progress.window);
  const isBehind = progress.match < lastIndex(state.log) || progress.state === 'probe';
  replicateTo(state, progress, draft, isBehind);
}
