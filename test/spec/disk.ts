/** What becomes of writes: done in order, or at a crash done up to some frame. */
import type { Membership } from '@balsa/node/core/raft/membership.ts';
import { type Log, compactTo, copyLog, cutAfter, emptyLog, extend, lastTermOf, termAt } from './log.ts';
import type { Disk, Event, Group, PendingWrite, Replica } from './model.ts';
import { extendReign, isCommitted, make, sameMembership } from './model.ts';
import { must } from './violation.ts';

/** Starts of a replica whose last messages may still arrive. */
const bootsMax = 16;

type Recovered = Extract<Event, { type: 'recovered' }>;

function writeEntry(log: Log, { index, term }: { readonly index: number; readonly term: number }): void {
  if (index <= log.start) return;
  if (index <= log.last) cutAfter(log, index - 1);
  extend(log, term);
}

/** The frames of a write in the order in which they reach the disk. */
function framesOf({ hardState, snapshot, entries }: PendingWrite): ((disk: Disk) => void)[] {
  const frames: ((disk: Disk) => void)[] = [];
  if (hardState !== undefined) {
    frames.push((disk) => Object.assign(disk, { term: hardState.term, vote: hardState.votedFor, commit: hardState.commit }));
  }
  if (snapshot !== undefined) {
    frames.push((disk) => {
      disk.log = emptyLog(snapshot.index, snapshot.term);
    });
  }
  for (const entry of entries) frames.push((disk) => writeEntry(disk.log, entry));
  return frames;
}

/** All writes up to `token` are done. */
export function advanceDisk(replica: Replica, token: number): void {
  for (let write = replica.pending[0]; write !== undefined && write.token <= token; write = replica.pending[0]) {
    for (const frame of framesOf(write)) frame(replica.disk);
    replica.pending.shift();
  }
}

/** The start of a replica: finds the writes that must have been done before the crash, or refuses what was recovered. */
export function recover(group: Group, replica: Replica, event: Recovered): void {
  const isNew = replica.boot === 0;
  // Where nothing is known of the writes under way, all of them may have been done.
  replica.released.set(replica.boot, replica.ordered);
  replica.released.delete(replica.boot - bootsMax);
  const mayBeReborn = isReborn(event, replica) && isDispensable(group, replica);
  if (isNew) adopt(group, event);
  else if (!mayBeReborn && replica.damaged) takeRepaired(group, replica, event);
  else if (!mayBeReborn) takeSurvivors(group, replica, event);
  checkRecoveredLog(group, replica, event, isNew);
  startReplica(replica, event);
}

/**
 * A replica that was removed and comes back without its log keeps its term, and has no vote left in
 * it: what the earlier one promised to candidates holds. (If it never had a term there was none.)
 */
const isReborn = ({ hardState, snapshot, entries, node }: Recovered, { disk }: Replica): boolean =>
  snapshot.index === 0 && entries.length === 0 && hardState.term >= disk.term && (hardState.term === 0 || hardState.votedFor === node);

/**
 * Whether the replica may go with all its data: while a membership without it was in force, something
 * was committed that does not end before its log. Under no newer membership has it acknowledged
 * anything then, and what it acknowledged before, the others hold.
 */
function isDispensable({ reigns }: Group, { id, log }: Replica): boolean {
  const end = reigns.findLast(({ membership }) => !isMember(membership, id));
  const term = lastTermOf(log);
  return end !== undefined && (end.term > term || (end.term === term && end.index >= log.last));
}

const isMember = ({ voters, outgoing, learners, learnersNext }: Membership, node: number): boolean =>
  [voters, outgoing, learners, learnersNext].some((nodes) => nodes.some((each) => each === node));

/** The trace begins later than the replica: what it has is believed. */
function adopt(group: Group, { snapshot, entries, hardState, applied }: Recovered): void {
  let previousTerm: number = snapshot.term;
  const commit = Math.max(hardState.commit, snapshot.index, applied);
  if (snapshot.index > group.committedLast) group.committed.set(snapshot.index, snapshot.term);
  if (snapshot.index > group.committedLast || group.reigns.length === 0)
    extendReign(group, snapshot.index, snapshot.term, snapshot.membership);
  for (const { index, term, membership } of entries) {
    const known = group.made.get(index)?.get(term);
    if (known === undefined) make(group, index, term, { print: undefined, previousTerm, membership });
    previousTerm = term;
    if (index > commit || index <= group.committedLast) continue;
    group.committed.set(index, term);
    extendReign(group, index, term, membership);
  }
  group.committedLast = Math.max(group.committedLast, commit);
}

/** Some of the writes under way were done, the last one perhaps in part; everything reported before was. */
function takeSurvivors(group: Group, replica: Replica, event: Recovered): void {
  const image: Disk = { ...replica.disk, log: copyLog(replica.disk.log) };
  let kept = replica.ordered - replica.pending.length;
  let match = isImage(replica, image, event) ? kept : undefined;
  for (const write of replica.pending) {
    for (const frame of framesOf(write)) {
      frame(image);
      if (isImage(replica, image, event)) match = kept;
    }
    kept = write.token;
    if (isImage(replica, image, event)) match = kept;
  }
  must(match !== undefined, 'recovered-state', () => ({
    onDisk: replica.disk,
    underWay: replica.pending,
    recovered: { ...event.hardState, start: event.snapshot.index, last: event.entries.at(-1) },
  }));
  replica.released.set(replica.boot, group.strict ? replica.reported : match);
}

/** Whether a disk with this content recovers as the event says. */
function isImage(replica: Replica, { term, vote, commit, log }: Disk, { hardState, snapshot, entries, applied }: Recovered): boolean {
  const last = snapshot.index + entries.length;
  const isCommit = hardState.commit >= commit && hardState.commit <= Math.max(commit, replica.commit);
  if (hardState.term !== term || hardState.votedFor !== vote || !isCommit || last !== log.last) return false;
  // The log start moves forward, over what was applied, without a write of the core.
  if (snapshot.index < log.start || snapshot.index > Math.max(log.start, replica.handed)) return false;
  if (applied > Math.max(replica.handed, log.start) || termAt(log, snapshot.index) !== snapshot.term) return false;
  return (entries.at(-1)?.term ?? snapshot.term) === lastTermOf(log) && entries.every((entry) => termAt(log, entry.index) === entry.term);
}

/**
 * A repaired log may have lost what was never committed; not what the replica knew to be, nor term and vote:
 * they are those on the disk, some that were being written, or a newer term (of a log start that a peer gave)
 * without a vote.
 */
function takeRepaired(group: Group, replica: Replica, { hardState, snapshot, entries }: Recovered): void {
  const { disk, pending } = replica;
  const last = snapshot.index + entries.length;
  const isCast = (term: number, vote: number): boolean => term === hardState.term && vote === hardState.votedFor;
  const isUnderWay = pending.some((write) => write.hardState !== undefined && isCast(write.hardState.term, write.hardState.votedFor));
  const isNewTerm = hardState.term > disk.term && hardState.votedFor === 0;
  const keepsVote = isCast(disk.term, disk.vote) || isUnderWay || isNewTerm;
  must(keepsVote && last >= disk.commit, 'recovered-state', () => ({ repaired: hardState, last, onDisk: disk }));
  must(snapshot.index <= group.committedLast && isCommitted(group, snapshot.index, snapshot.term), 'snapshot-committed', () => ({
    index: snapshot.index,
    term: snapshot.term,
  }));
}

/** The log is one that was made, agrees with what is committed, and has its memberships. */
function checkRecoveredLog(group: Group, replica: Replica, { snapshot, entries, hardState }: Recovered, isNew: boolean): void {
  let previousTerm: number = snapshot.term;
  for (const { index, term, membership } of entries) {
    const made = group.made.get(index)?.get(term);
    const isSame = made?.previousTerm === previousTerm && (made.membership === undefined) === (membership === undefined);
    must(isSame && (membership === undefined || sameMembership(membership, made.membership!)), 'recovered-state', () => ({
      index,
      term,
      made,
    }));
    if (index <= hardState.commit) must(isCommitted(group, index, term), 'state-machine-safety', () => ({ index, term }));
    previousTerm = term;
  }
  if (isNew || snapshot.index === 0) return;
  const known = replica.memberships.findLast(({ index }) => index <= snapshot.index)?.membership;
  if (known === undefined || replica.damaged) return;
  must(sameMembership(known, snapshot.membership), 'membership-follows-log', () => ({ recovered: snapshot.membership, known }));
}

function startReplica(replica: Replica, { hardState, snapshot, entries, applied }: Recovered): void {
  const log = emptyLog(snapshot.index, snapshot.term);
  const memberships = [{ index: snapshot.index as number, membership: snapshot.membership }];
  for (const { index, term, membership } of entries) {
    extend(log, term);
    if (membership !== undefined) memberships.push({ index, membership });
  }
  const { term, votedFor, commit } = hardState;
  Object.assign(replica, {
    boot: replica.boot + 1,
    running: true,
    damaged: false,
    term,
    vote: votedFor,
    role: 'follower',
    leader: 0,
    log,
    memberships,
    commit: Math.max(commit, snapshot.index, applied),
    handed: applied,
    applied,
    // What came from a checkpoint is not in the journal, and is gone with the next loss of the store.
    disk: { term, vote: votedFor, commit: Math.min(commit, replica.disk.commit), log: copyLog(log) },
    pending: [],
    ordered: 0,
    reported: 0,
    votes: new Set(),
    match: new Map(),
    reads: new Map(),
    roundSent: 0,
    echoes: new Map(),
  } satisfies Partial<Replica>);
}

/** The log is compacted in memory and on disk. */
export function compact(replica: Replica, index: number): void {
  const { log, disk, memberships } = replica;
  if (index <= log.start) return;
  compactTo(log, index);
  if (index > disk.log.start && index <= disk.log.last) compactTo(disk.log, index);
  const inForce = memberships.findLastIndex((each) => each.index <= index);
  if (inForce > 0) memberships.splice(0, inForce);
}
