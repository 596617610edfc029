/** Everything that can happen to a Raft group, as data. */
import type { NodeId, RaftIndex, Term } from '../ids.ts';
import type { Message } from './message.ts';

export type Input<Payload> =
  | { readonly type: 'message'; readonly message: Message<Payload> }
  /** `now` counts ticks since the host started; heartbeats of all groups fall on the same ticks. */
  | { readonly type: 'tick'; readonly now: number }
  /** Commands to append, in order: all or none are accepted. */
  | { readonly type: 'propose'; readonly commands: readonly ProposedCommand<Payload>[] }
  /** The group shall have this target membership (reached through a joint phase if more than one voter changes). */
  | { readonly type: 'change-membership'; readonly target: MembershipTarget }
  /** Appends, hard state and snapshots up to and including effects `token` are on disk. */
  | { readonly type: 'persisted'; readonly token: number }
  /** Entries up to `index` (inclusive) have been applied. */
  | { readonly type: 'applied'; readonly index: RaftIndex }
  /** Linearizable read; answered by a read state with the same context. */
  | { readonly type: 'read'; readonly context: number }
  | { readonly type: 'transfer'; readonly target: NodeId }
  /** Campaign now (with pre-vote): preferred leader of a new group, or a hint that the leader's process died. */
  | { readonly type: 'campaign' }
  /** The connection to `node` closed or was refused: a hint, never a proof. */
  | { readonly type: 'peer-lost'; readonly node: NodeId }
  /** The host keeps a snapshot at `index` (applied, inclusive) and drops the log up to it. */
  | { readonly type: 'compact'; readonly index: RaftIndex }
  /** The host could not deliver a snapshot to `node`; go back to probing. */
  | { readonly type: 'snapshot-failed'; readonly node: NodeId };

export interface ProposedCommand<Payload> {
  readonly payload: Payload;
  /** Bytes that the payload takes in the log. */
  readonly size: number;
}

export interface MembershipTarget {
  readonly voters: readonly NodeId[];
  readonly learners: readonly NodeId[];
}

/** Why a proposal, read, transfer or membership change was refused: it had no effect. */
export type Refusal =
  | 'not-leader'
  | 'transferring'
  | 'uncommitted-bytes-max'
  | 'membership-change-pending'
  | 'invalid-membership'
  | 'invalid-target'
  | 'reads-max';

export interface Accepted {
  readonly term: Term;
  /** Index of the first appended entry. */
  readonly first: RaftIndex;
  readonly last: RaftIndex;
}
