/**
 * What a step asks the world to do. The order of durability is part of the data:
 *
 *  - `send` may leave at once, before anything of this step is on disk.
 *  - `write` goes to the journal. The caller reports it with `persisted {token}`.
 *  - `sendAfterWrite` must not leave before `write` of this step *and all earlier
 *    writes of this group* are on disk: votes granted, appends acknowledged.
 *  - The leader counts itself for a commit only after its own `persisted`; the
 *    core does that by itself, so `committed` never runs ahead of a majority of disks.
 *
 * Tokens rise by one per step that writes. They make a late acknowledgement of
 * overwritten entries harmless (etcd's "ABA" case): the core remembers which
 * (term, index) each token stands for.
 */
import type { NodeId, RaftIndex, Term } from '../ids.ts';
import type { Entry, HardState, Snapshot } from './entry.ts';
import type { Accepted, Refusal } from './input.ts';
import type { OutgoingMessage } from './message.ts';

export type Role = 'follower' | 'pre-candidate' | 'candidate' | 'leader';

export interface Write<Payload> {
  /** A write may be empty: then messages wait for earlier writes (the rule is in draft.ts). */
  readonly token: number;
  /** Installed before the entries: replaces the log up to and including snapshot.index. */
  readonly snapshot?: Snapshot<Payload>;
  /** The first entry's index may be at or below the old last index: the rest of the old log is cut. */
  readonly entries: readonly Entry<Payload>[];
  readonly hardState?: HardState;
}

export interface ReadState {
  readonly context: number;
  /** The read may be answered once this index (inclusive) is applied. */
  readonly index: RaftIndex;
}

export interface Effects<Payload> {
  readonly send: readonly OutgoingMessage[];
  readonly write?: Write<Payload>;
  readonly sendAfterWrite: readonly OutgoingMessage[];
  /**
   * Newly committed entries (both inclusive), to be applied in order. Only those that are on
   * this node's own disk, so that a machine is never ahead of the log it is rebuilt from; the
   * commit index itself may be ahead. Not told for what an installed snapshot covers.
   */
  readonly committed?: { readonly first: RaftIndex; readonly last: RaftIndex };
  readonly reads: readonly ReadState[];
  /** Contexts of reads that were refused or given up (leadership lost). */
  readonly readsRefused: readonly { readonly context: number; readonly refusal: Refusal }[];
  /** Role, leader or term changed in this step. */
  readonly soft?: { readonly role: Role; readonly leader: NodeId; readonly term: Term };
  /** Answer to a propose, change-membership or transfer input; first = last + 1 if nothing was appended. */
  readonly accepted?: Accepted;
  readonly refused?: Refusal;
}
