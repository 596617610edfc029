/**
 * The memberships of a log, newest last. A membership is in force from the moment
 * its entry is appended; when the entry is truncated the one before it is in force
 * again, and a snapshot brings the one of its index.
 *
 * Invariants: never empty; indices ascend; the first one was in force at the log's start.
 */
import { assert } from '../assert.ts';
import type { RaftIndex } from '../ids.ts';
import type { Membership } from './membership.ts';

export interface MembershipRecord {
  /** Index of the entry (or snapshot) that brought it. */
  readonly index: RaftIndex;
  readonly membership: Membership;
}

export interface MembershipLog {
  records: MembershipRecord[];
}

export const createMembershipLog = (index: RaftIndex, membership: Membership): MembershipLog => ({ records: [{ index, membership }] });

export function newestMembership(log: MembershipLog): MembershipRecord {
  const newest = log.records.at(-1);
  assert(newest !== undefined, 'there is always a membership');
  return newest;
}

/** Membership in force at `index`, or undefined if that is before the log's start. */
export function membershipInForce(log: MembershipLog, index: RaftIndex): Membership | undefined {
  return log.records.findLast((record) => record.index <= index)?.membership;
}

/** Memberships that may decide: the one in force at the commit index and all later ones. */
export function undecidedMemberships(log: MembershipLog, commit: RaftIndex): readonly Membership[] {
  const inForce = log.records.findLastIndex((record) => record.index <= commit);
  return log.records.slice(Math.max(inForce, 0)).map(({ membership }) => membership);
}

export function appendMembership(log: MembershipLog, index: RaftIndex, membership: Membership): void {
  assert(index > newestMembership(log).index, 'memberships ascend', { index, newest: newestMembership(log).index });
  log.records.push({ index, membership });
}

/** Rolls back the memberships after `last`; the one of the log's start is never among them. */
export function truncateMemberships(log: MembershipLog, last: RaftIndex): void {
  while (newestMembership(log).index > last) log.records.pop();
}

/** Forgets the memberships that were replaced at or before `index`. */
export function compactMemberships(log: MembershipLog, index: RaftIndex): void {
  const inForce = log.records.findLastIndex((record) => record.index <= index);
  if (inForce > 0) log.records = log.records.slice(inForce);
}

export function resetMemberships(log: MembershipLog, index: RaftIndex, membership: Membership): void {
  log.records = [{ index, membership }];
}
