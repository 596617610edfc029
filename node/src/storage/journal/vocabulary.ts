/**
 * The journal: one append-only log per node for all Raft groups, the only durable
 * truth (docs/architecture.md, "Storage").
 *
 * A *frame* is the unit that is appended; a *batch* is what one write and one
 * fdatasync cover. Frames of one group appear in the order in which they were
 * appended. An entry frame whose index is not above the group's last index cuts the
 * group's log there (suffix truncation is implied, never written in place).
 *
 * Failure contract
 *  - `append` resolves when the frames are on disk, in the order of the calls. Calls
 *    made while a write is under way share the next write (group commit).
 *  - A failed fdatasync, or any write error other than lack of space, is fatal: `onFatal`
 *    is called once, no later append ever resolves, the process must end.
 *  - Lack of space rejects appends of clients and of upkeep with JournalFull before anything is
 *    written; essential ones use the reserve, and wait for space when that is used up.
 *  - Reads verify the frame's checksum and reject with JournalCorrupt, never wrong bytes; so does a read that fails with EIO.
 */
import type { GroupId, RaftIndex, Term } from '../../core/ids.ts';
import type { Entry, HardState, Snapshot } from '../../core/raft/entry.ts';
import type { Membership } from '../../core/raft/membership.ts';

/** A group and the generation of its replica set on this node. */
export interface GroupKey {
  readonly group: GroupId;
  readonly generation: number;
}

export type Frame = GroupKey &
  (
    | { readonly kind: 'entry'; readonly entry: Entry<Uint8Array> }
    | { readonly kind: 'hard-state'; readonly hardState: HardState }
    /** The log now starts after snapshot.index; earlier entries of the group are garbage. */
    | { readonly kind: 'log-start'; readonly snapshot: Snapshot<Uint8Array> }
    /** The group is gone from this node; all its frames are garbage. */
    | { readonly kind: 'removed' }
  );

/** What recovery found of one group. */
export interface RecoveredGroup extends GroupKey {
  readonly hardState: HardState;
  readonly snapshot: Snapshot<Uint8Array>;
  /** First and last index of the log after the snapshot; last = first - 1 if empty. */
  readonly first: RaftIndex;
  readonly last: RaftIndex;
  /**
   * Range of this group that is damaged on disk and must come from a peer; absent if sound.
   * It begins at snapshot.index (not first) if the state of the log start itself is lost.
   */
  readonly faulty?: { readonly first: RaftIndex; readonly last: RaftIndex };
}

/** Facts of an entry that are kept in memory. */
export interface EntryFacts {
  readonly index: RaftIndex;
  readonly term: Term;
  readonly size: number;
  /** Only of membership entries: the core needs the memberships of its log at start. */
  readonly membership?: Membership;
}

/**
 * What frames are appended for, which says how much of the disk-full reserve they may use: client
 * entries nothing, upkeep (which gives space back later, or may wait) half of it, and the rest
 * is for what a node cannot do without, such as its votes.
 */
export type AppendPurpose = 'client' | 'upkeep' | 'essential';

export interface Journal {
  /** Groups found at open. */
  readonly groups: () => readonly RecoveredGroup[];
  /** Facts of the entries of a group in [first, last]. */
  readonly facts: (key: GroupKey, first: RaftIndex, last: RaftIndex) => readonly EntryFacts[];
  /**
   * Appends frames, by default those of clients.
   * Calls resolve in order; a call without frames resolves once everything before it is on disk. Rejects with JournalFull (nothing written) or never after a fatal error.
   */
  readonly append: (frames: readonly Frame[], options?: { readonly purpose?: AppendPurpose }) => Promise<void>;
  /** Entries [first, last] if *all* of them are in memory (written or not), else undefined. */
  readonly cached: (key: GroupKey, first: RaftIndex, last: RaftIndex) => readonly Entry<Uint8Array>[] | undefined;
  /** Entries from `first`, at most to `last`, until `bytesMax` is exceeded (at least one). */
  readonly read: (key: GroupKey, first: RaftIndex, last: RaftIndex, bytesMax: number) => Promise<readonly Entry<Uint8Array>[]>;
  /** The snapshot at the start of the group's log. */
  readonly snapshot: (key: GroupKey) => Snapshot<Uint8Array> | undefined;
  /**
   * Deletes sealed segments that no group needs, moving the few live frames of old ones
   * forward. `barrier` resolves once derived state is durable (StateStore.flush). Returns bytes freed.
   */
  readonly reclaim: (barrier: () => Promise<void>) => Promise<number>;
  readonly stats: () => JournalStats;
  readonly close: () => Promise<void>;
}

export interface JournalStats {
  readonly segments: number;
  readonly bytes: number;
  readonly batches: number;
  readonly frames: number;
  readonly cachedBytes: number;
  /** Lack of space is refusing client appends at the moment. */
  readonly full: boolean;
  /** Entry bytes that can be taken at the moment without touching the reserve; Infinity while the disk has space. */
  readonly roomBytes: number;
  readonly tornTails: number;
  readonly corruptFrames: number;
}

/** Client appends are refused until there is space again; nothing was written. */
export class JournalFull extends Error {
  override readonly name: string = 'JournalFull';
}

/** Bytes on disk do not match their checksum, or the device does not give them back (EIO, then the cause). */
export class JournalCorrupt extends Error {
  override readonly name: string = 'JournalCorrupt';
}

/** The data folder cannot be used as it is; the message says why and what to do. */
export class JournalRefused extends Error {
  override readonly name: string = 'JournalRefused';
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}
