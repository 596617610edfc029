/**
 * The host drives many Raft groups on one event loop: it collects inputs, steps the
 * pure cores, and is the only place that executes their effects (journal, network,
 * machines). It knows groups and bytes, not topics.
 */
import type { GroupId, NodeId, RaftIndex, Term } from '../core/ids.ts';
import type { AppliedCommand } from '../core/machines/machine.ts';
import type { Role } from '../core/raft/effects.ts';
import type { Entry } from '../core/raft/entry.ts';
import type { Membership } from '../core/raft/membership.ts';
import type { StateWrite } from '../ports/state-store.ts';
import type { GroupKey } from '../storage/journal/vocabulary.ts';

/** A machine state that is kept, so that the log before it can be given up. */
export interface Checkpoint {
  /** Last command that the state includes. */
  readonly index: RaftIndex;
  readonly term: Term;
  /** What the machine said of itself there (partition: the next offset). */
  readonly mark: number;
}

/**
 * A replica's machine as the host sees it: a pure machine, its state, and the rows
 * that make its state findable. All calls are synchronous.
 */
export interface HostedMachine {
  /** Applies committed commands in log order; one outcome per command, in order. */
  readonly apply: (commands: readonly AppliedCommand[]) => readonly unknown[];
  /** Machine state as of the last applied command. */
  readonly encode: () => Uint8Array;
  /** Replaces the state; undefined means the initial state. */
  readonly restore: (state: Uint8Array | undefined) => void;
  /** Value for Checkpoint.mark, as of the last applied command. */
  readonly mark: () => number;
  /**
   * Index rows since the last call; the host writes them in one batch with the applied
   * index, and calls again only after that write has resolved.
   */
  readonly takeRows: () => readonly StateWrite[];
  /** The newest of `checkpoints` (ascending) that the log may start at, if any. */
  readonly mayStartAt: (checkpoints: readonly Checkpoint[]) => Checkpoint | undefined;
}

export interface GroupSpec extends GroupKey {
  /** Membership with which the group is born; ignored if the journal knows the group. */
  readonly birth: Membership;
  readonly machine: HostedMachine;
}

/** When a proposal is answered: after its outcome is known, after the leader's disk, or at once. */
export type Durability = 'quorum' | 'leader' | 'none';

export interface ProposalResult {
  readonly term: Term;
  readonly index: RaftIndex;
  /** Outcome of the machine; only with durability 'quorum'. */
  readonly outcome: unknown;
  /** Replicas known to have the entry on disk. */
  readonly durableCopies: number;
}

/** Why the host could not do what it was asked; mapped to error codes by the broker. */
export type HostRefusal =
  | { readonly reason: 'unknown-group' }
  | { readonly reason: 'not-leader'; readonly leader: NodeId; readonly term: Term }
  /** Was appended, then leadership was lost: the outcome is unknown. */
  | { readonly reason: 'leader-changed'; readonly leader: NodeId; readonly term: Term }
  | { readonly reason: 'overloaded'; readonly limit: string }
  | { readonly reason: 'disk-full' }
  | { readonly reason: 'timeout'; readonly effect: 'none' | 'unknown' }
  | { readonly reason: 'invalid-target' | 'invalid-membership' | 'membership-change-pending' | 'stopping' | 'faulty' };

export class HostError extends Error {
  override readonly name: string = 'HostError';
  readonly refusal: HostRefusal;

  constructor(refusal: HostRefusal) {
    super(`host refused: ${JSON.stringify(refusal)}`);
    this.refusal = refusal;
  }
}

export interface ReplicaStatus {
  readonly node: NodeId;
  readonly match: RaftIndex;
  readonly state: 'probe' | 'replicate' | 'snapshot';
  readonly active: boolean;
}

export interface GroupStatus extends GroupKey {
  readonly role: Role | 'learner';
  readonly leader: NodeId;
  readonly term: Term;
  readonly commit: RaftIndex;
  readonly applied: RaftIndex;
  readonly durable: RaftIndex;
  readonly first: RaftIndex;
  readonly last: RaftIndex;
  readonly membership: Membership;
  /** Only on the leader. */
  readonly replicas: readonly ReplicaStatus[];
  readonly faulty: boolean;
}

export interface LeaderChange extends GroupKey {
  readonly role: Role;
  readonly leader: NodeId;
  readonly term: Term;
}

/** All promises reject with HostError only. */
export interface Host {
  readonly self: NodeId;
  /** Opens a group: recovers its machine from checkpoint and journal, then takes part in it. */
  readonly open: (spec: GroupSpec) => Promise<void>;
  /** The journal has the group: opening it continues its log, and does not begin one. */
  readonly isKnown: (key: GroupKey) => boolean;
  /** A replica of the group was here and moved away (retired.ts). */
  readonly isRetired: (key: GroupKey) => boolean;
  /** Whether `peer` proves that the group removed this node's replica, of which that one has not heard (left-behind.ts). */
  readonly wasRemoved: (group: GroupId, peer: NodeId) => Promise<boolean>;
  /** Forgets the group and its data on this node: it was deleted, and will not come back. */
  readonly remove: (key: GroupKey) => Promise<void>;
  /** Drops the group's data on this node, but not what a later replica here must not contradict: the group has moved away. */
  readonly retire: (key: GroupKey) => Promise<void>;
  readonly propose: (
    group: GroupId,
    payload: Uint8Array,
    options: { readonly durability: Durability; readonly timeoutMs: number },
  ) => Promise<ProposalResult>;
  /** Confirms by a quorum that this node leads; resolves when everything committed before the call is applied here. */
  readonly confirmRead: (group: GroupId, timeoutMs: number) => Promise<RaftIndex>;
  /** Committed entries from `first`, at most to `last` (inclusive), until `bytesMax` is exceeded (at least one). */
  readonly read: (group: GroupId, first: RaftIndex, last: RaftIndex, bytesMax: number) => Promise<readonly Entry<Uint8Array>[]>;
  readonly status: (group: GroupId) => GroupStatus | undefined;
  readonly groups: () => readonly GroupId[];
  /** Resolves once `target` (or the best follower, if undefined) leads. */
  readonly transfer: (group: GroupId, target: NodeId | undefined, timeoutMs: number) => Promise<NodeId>;
  /** Makes this replica campaign (with pre-vote) if no leader is known. */
  readonly campaign: (group: GroupId) => void;
  readonly changeMembership: (
    group: GroupId,
    target: { readonly voters: readonly NodeId[]; readonly learners: readonly NodeId[] },
    timeoutMs: number,
  ) => Promise<void>;
  /** Called after every change of role, leader or term of any group. */
  readonly onLeaderChange: (listener: (change: LeaderChange) => void) => void;
  readonly isConnected: (peer: NodeId) => boolean;
  /** Hands leaderships over, then stops taking part. */
  readonly stop: (options: { readonly handOverMs: number }) => Promise<void>;
}
