/**
 * What the specification knows of a group: each replica as its events so far allow it to
 * be, and the history that no single replica knows (every entry ever made, what is
 * committed, who led which term, what was sent).
 *
 * Nothing here comes from the code under test but the types of its data.
 */
import { crc32 } from 'node:zlib';
import type { Membership } from '@balsa/node/core/raft/membership.ts';
import type { HardState, Entry } from '@balsa/node/core/raft/entry.ts';
import type { TraceEvent } from '@balsa/node/host/trace.ts';
import { type Log, termAt } from './log.ts';
import { must } from './violation.ts';

export type Event = TraceEvent<unknown>;

export interface MembershipAt {
  readonly index: number;
  readonly membership: Membership;
}

/** A membership of the committed log, and the newest entry that was committed while it was in force. */
export interface Reign {
  readonly membership: Membership;
  index: number;
  term: number;
}

/** What is on a disk for certain. */
export interface Disk {
  term: number;
  vote: number;
  commit: number;
  log: Log;
}

/** A write that was ordered and is not known to be done. */
export interface PendingWrite {
  readonly token: number;
  readonly hardState: HardState | undefined;
  readonly snapshot: { readonly index: number; readonly term: number } | undefined;
  readonly entries: readonly { readonly index: number; readonly term: number }[];
  /** While it is under way, nothing after this index (inclusive) is certain. */
  readonly limit: number;
}

export interface Read {
  /** Commit index of the group when the read began. */
  readonly floor: number;
  /** Newest round that was on its way when the read began. */
  readonly round: number;
}

export interface Replica {
  readonly id: number;
  /** Number of its starts. */
  boot: number;
  running: boolean;
  damaged: boolean;
  term: number;
  vote: number;
  role: string;
  leader: number;
  log: Log;
  /** Ascending; the last one is in force, the first one was at the log's start. */
  memberships: MembershipAt[];
  commit: number;
  /** Given to the machine up to here (inclusive). */
  handed: number;
  applied: number;
  disk: Disk;
  pending: PendingWrite[];
  /** Newest token ordered, and newest reported as done. */
  ordered: number;
  reported: number;
  /** By boot: tokens up to here may have let their messages out. */
  readonly released: Map<number, number>;
  /** As a candidate: who granted. As a leader: what each replica acknowledged. */
  votes: Set<number>;
  match: Map<number, number>;
  reads: Map<number, Read>;
  roundSent: number;
  echoes: Map<number, number>;
}

/** An entry as it was made, once, by the leader of its term. */
export interface Made {
  /** What identifies its content; undefined if the trace began later. */
  print: string | undefined;
  /** Term of the entry before it: so (index, term) names the whole log up to here. */
  readonly previousTerm: number;
  readonly membership: Membership | undefined;
}

export interface Link {
  /** Messages by content; a number pair if they wait for a write of the sender. */
  readonly sent: Map<string, { readonly boot: number; readonly token: number } | 'released'>;
  /** Forgotten messages had at most this term. */
  forgottenTerm: number;
}

export interface Group {
  readonly name: string;
  readonly replicas: Map<number, Replica>;
  readonly made: Map<number, Map<number, Made>>;
  readonly committed: Map<number, number>;
  committedLast: number;
  committedMemberships: MembershipAt[];
  /** In the order of the log, from birth on. */
  readonly reigns: Reign[];
  /** Largest index committed by the leader of each term. */
  readonly commitsByTerm: Map<number, number>;
  readonly leaders: Map<number, { readonly node: number; readonly base: Log }>;
  readonly links: Map<string, Link>;
  /** Whether a message may be seen before its sender reports the write that it waited for. */
  readonly strict: boolean;
  events: number;
  readonly recent: Event[];
}

export const createGroupModel = (name: string, strict: boolean): Group => ({
  name,
  replicas: new Map(),
  made: new Map(),
  committed: new Map(),
  committedLast: 0,
  committedMemberships: [],
  reigns: [],
  commitsByTerm: new Map(),
  leaders: new Map(),
  links: new Map(),
  strict,
  events: 0,
  recent: [],
});

export const currentMembership = (replica: Replica): Membership => replica.memberships.at(-1)!.membership;

export const sameMembership = (a: Membership, b: Membership): boolean => a === b || membershipPrint(a) === membershipPrint(b);

export const membershipPrint = ({ voters, outgoing, learners, learnersNext, autoLeave }: Membership): string =>
  `${voters.join()}/${outgoing.join()}/${learners.join()}/${learnersNext.join()}/${autoLeave}`;

/** Whether those that satisfy `has` are a majority of every half. */
export function isQuorum({ voters, outgoing }: Membership, has: (node: number) => boolean): boolean {
  return [voters, outgoing].every((half) => half.length === 0 || half.filter(has).length * 2 > half.length);
}

/** The log of a replica survives a crash up to here (inclusive), whatever becomes of the writes under way. */
export const durableOf = ({ disk, pending }: Replica): number => pending.reduce((min, { limit }) => Math.min(min, limit), disk.log.last);

const bytesPrint = (bytes: Uint8Array): string => `${bytes.length}:${crc32(bytes)}`;

export const payloadPrint = (payload: unknown): string =>
  payload instanceof Uint8Array ? bytesPrint(payload) : typeof payload === 'string' ? payload : JSON.stringify(payload);

export function entryPrint(entry: Entry<unknown>): string {
  if (entry.kind === 'command') return `command ${payloadPrint(entry.payload)}`;
  return entry.kind === 'membership' ? `membership ${membershipPrint(entry.membership)}` : 'noop';
}

/** The entry is the one that was made with this index and term, after the same predecessor. */
export function checkMade(group: Group, entry: Entry<unknown>, previousTerm: number): void {
  const made = group.made.get(entry.index)?.get(entry.term);
  const print = entryPrint(entry);
  if (made !== undefined) made.print ??= print;
  must(made !== undefined && made.print === print && made.previousTerm === previousTerm, 'entry-unique', () => ({
    index: entry.index,
    term: entry.term,
    print,
    previousTerm,
    made,
  }));
}

export function make(group: Group, index: number, term: number, made: Made): void {
  const at = group.made.get(index);
  if (at === undefined) group.made.set(index, new Map([[term, made]]));
  else at.set(term, made);
}

/** Whether the log of the leader of `term` has, or had, this entry. */
export function isInLeaderLog(group: Group, term: number, index: number, entryTerm: number | undefined): boolean {
  const base = group.leaders.get(term)?.base;
  if (base === undefined || entryTerm === undefined) return false;
  if (entryTerm === term) return group.made.get(index)?.has(term) === true;
  return index < base.start ? isCommitted(group, index, entryTerm) : termAt(base, index) === entryTerm;
}

/** Committed, or so long ago that nothing is known of it. */
export function isCommitted(group: Group, index: number, term: number): boolean {
  if (index === 0) return term === 0;
  const known = group.committed.get(index);
  return known === undefined ? index < group.committedLast : known === term;
}

/** Membership in force at a committed index, as far as it is known. */
export const committedMembershipAt = (group: Group, index: number): MembershipAt | undefined =>
  group.committedMemberships.findLast((each) => each.index <= index);

/** An entry (or the start of a log) is committed; `membership` if it brings one. */
export function extendReign(group: Group, index: number, term: number, membership: Membership | undefined): void {
  const reign = group.reigns.at(-1);
  if (membership !== undefined) group.reigns.push({ membership, index, term });
  else if (reign !== undefined) Object.assign(reign, { index, term });
}

/** Forgets what no replica can speak of any more; now and then. */
export function prune(group: Group): void {
  const floor = Math.min(...[...group.replicas.values()].map(({ disk, log }) => Math.min(disk.log.start, log.start)));
  for (const index of group.made.keys()) if (index <= floor) group.made.delete(index);
  for (const index of group.committed.keys()) if (index < floor) group.committed.delete(index);
  const inForce = group.committedMemberships.findLastIndex(({ index }) => index <= floor);
  if (inForce > 0) group.committedMemberships.splice(0, inForce);
}
