/**
 * Messages between the replicas of one group. On the wire they travel as
 * proto/balsa/v1/peer.proto RaftMessage, with the same field names.
 *
 * An append request of the leader names its entries as a *range* of its own log
 * (`EntryRange`): the core does not hold payloads. Whoever executes the `send`
 * effect resolves the range to entries at that moment, or drops the message if the
 * range is no longer there (losing a message is always safe). The receiver gets
 * the entries themselves.
 */
import type { NodeId, RaftIndex, Term } from '../ids.ts';
import type { Entry, Snapshot } from './entry.ts';

interface Envelope {
  readonly from: NodeId;
  readonly to: NodeId;
  readonly term: Term;
}

/** Entries first..last (both inclusive) of the sender's log; empty if last = first - 1. */
export interface EntryRange {
  readonly first: RaftIndex;
  readonly last: RaftIndex;
}

export interface VoteRequest extends Envelope {
  readonly kind: 'vote-request';
  /** Last entry of the candidate's log. */
  readonly index: RaftIndex;
  readonly indexTerm: Term;
  /** A pre-vote: `term` is the term it *would* campaign in and changes nobody's state. */
  readonly preVote: boolean;
  /** Told to campaign by the leader: the recent-leader rule does not apply. */
  readonly transfer: boolean;
}

export interface VoteResponse extends Envelope {
  readonly kind: 'vote-response';
  readonly preVote: boolean;
  readonly reject: boolean;
}

interface AppendHead extends Envelope {
  readonly kind: 'append-request';
  /** Entry before the first one sent. */
  readonly index: RaftIndex;
  readonly indexTerm: Term;
  readonly commit: RaftIndex;
}
export interface AppendRequest<Payload> extends AppendHead {
  readonly entries: readonly Entry<Payload>[];
}
export interface AppendRequestRange extends AppendHead {
  readonly entries: EntryRange;
}

export interface AppendResponse extends Envelope {
  readonly kind: 'append-response';
  readonly reject: boolean;
  /** Accepted: last index that is durable and known to match. Rejected: the `index` that did not match. */
  readonly index: RaftIndex;
  /** Rejected: largest index of the follower that may match, and its term there. */
  readonly hintIndex: RaftIndex;
  readonly hintTerm: Term;
}

export interface HeartbeatRequest extends Envelope {
  readonly kind: 'heartbeat-request';
  /** min(leader's commit, match of the receiver): never beyond what the receiver is known to hold. */
  readonly commit: RaftIndex;
  /** Newest ReadIndex round that this heartbeat confirms; 0 if none. */
  readonly readRound: number;
}

export interface HeartbeatResponse extends Envelope {
  readonly kind: 'heartbeat-response';
  readonly readRound: number;
}

export interface SnapshotRequest<Payload> extends Envelope {
  readonly kind: 'snapshot-request';
  readonly snapshot: Snapshot<Payload>;
}
/** What the leader's core emits: the host fills in the snapshot it has at (index, term), or drops the message. */
export interface SnapshotRequestRef extends Envelope {
  readonly kind: 'snapshot-request';
  readonly snapshot: { readonly index: RaftIndex; readonly term: Term };
}

export interface SnapshotResponse extends Envelope {
  readonly kind: 'snapshot-response';
  /** Last index that the receiver has durable after it installed (or skipped) the snapshot. */
  readonly index: RaftIndex;
  readonly reject: boolean;
}

export interface TimeoutNow extends Envelope {
  readonly kind: 'timeout-now';
}

type Common = VoteRequest | VoteResponse | AppendResponse | HeartbeatRequest | HeartbeatResponse | SnapshotResponse | TimeoutNow;

/** A message as a replica receives it. */
export type Message<Payload> = Common | AppendRequest<Payload> | SnapshotRequest<Payload>;
/** A message as the core emits it: payloads are still references. */
export type OutgoingMessage = Common | AppendRequestRange | SnapshotRequestRef;
