/**
 * What of this replica is on disk. Writes are reported in order, but late: between
 * the order to write and the report the log may have been cut and written again.
 *
 * A write therefore stands for "the log up to `last` is on disk", and when the log is
 * cut, the claim of every write under way is cut with it. A late report can then
 * neither confirm entries that were overwritten nor, if an entry of the same (index,
 * term) came back meanwhile, confirm it before its own write is done.
 *
 * Invariants: durable <= last index of the log; tokens ascend by one.
 */
import { assert } from '../assert.ts';
import { asRaftIndex, type NodeId, type RaftIndex, type Term } from '../ids.ts';
import type { HardState } from './entry.ts';

interface WriteUnderWay {
  readonly token: number;
  /** Once it is done, the log is durable up to here (inclusive). */
  last: RaftIndex;
  readonly hardState: HardState | undefined;
}

export interface Durability {
  nextToken: number;
  /** Ordered, not yet reported; oldest first. */
  underWay: WriteUnderWay[];
  /** The log is on disk up to here (inclusive). */
  durable: RaftIndex;
  /** Term and vote on disk. */
  term: Term;
  votedFor: number;
  /** Newest hard state that a write carries. */
  ordered: HardState;
}

export function createDurability(hardState: HardState, durable: RaftIndex): Durability {
  const { term, votedFor } = hardState;
  return { nextToken: 1, underWay: [], durable, term, votedFor, ordered: hardState };
}

/** Registers a write after which the log is durable up to `last`; returns its token. */
export function orderWrite(durability: Durability, last: RaftIndex, hardState: HardState | undefined): number {
  const token = durability.nextToken;
  durability.nextToken += 1;
  durability.underWay.push({ token, last, hardState });
  if (hardState !== undefined) durability.ordered = hardState;
  return token;
}

/** Takes the report that all writes up to `token` are on disk. Late and repeated reports change nothing. */
export function reportWritten(durability: Durability, token: number): void {
  assert(token < durability.nextToken, 'only ordered writes are reported', { token, next: durability.nextToken });
  const done = durability.underWay.filter((write) => write.token <= token);
  durability.underWay = durability.underWay.filter((write) => write.token > token);
  for (const { last, hardState } of done) {
    durability.durable = asRaftIndex(Math.max(durability.durable, last));
    if (hardState === undefined) continue;
    durability.term = hardState.term;
    durability.votedFor = hardState.votedFor;
  }
}

/** The log is cut after `last`: nothing on disk or under way counts beyond it. */
export function limitDurable(durability: Durability, last: RaftIndex): void {
  durability.durable = asRaftIndex(Math.min(durability.durable, last));
  for (const write of durability.underWay) write.last = asRaftIndex(Math.min(write.last, last));
}

/** Whether this node's vote for itself in `term` would survive a crash. */
export const holdsVote = (durability: Durability, term: Term, candidate: NodeId): boolean =>
  durability.term === term && durability.votedFor === candidate;
