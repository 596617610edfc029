/**
 * Log entries as the consensus core sees them. The core orders entries and never
 * looks inside a command: `Payload` is opaque (bytes in the broker, a string in
 * the golden scripts). Only memberships are understood here.
 */
import type { RaftIndex, Term } from '../ids.ts';
import type { Membership } from './membership.ts';

export type Entry<Payload> = { readonly index: RaftIndex; readonly term: Term; readonly size: number } & (
  | { readonly kind: 'noop' }
  | { readonly kind: 'command'; readonly payload: Payload }
  | { readonly kind: 'membership'; readonly membership: Membership }
);

/** What must survive a crash besides the entries (Raft paper, figure 2). */
export interface HardState {
  readonly term: Term;
  /** Candidate that got this node's vote in `term`; 0 if none. */
  readonly votedFor: number;
  /** A lower bound of the commit index; saved with other writes, never alone. */
  readonly commit: RaftIndex;
}

/** Start of a log: everything up to `index` (inclusive) is summed up in `state`. */
export interface Snapshot<Payload> {
  readonly index: RaftIndex;
  readonly term: Term;
  readonly membership: Membership;
  readonly state: Payload;
}
