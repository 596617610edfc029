/** Plain state of the host. Role files (turn, write, apply, ...) work on it; nothing here has behaviour. */
import type { GroupId, NodeId, RaftIndex, Term } from '../core/ids.ts';
import { asRaftIndex, asTerm, noNode } from '../core/ids.ts';
import type { Role } from '../core/raft/effects.ts';
import type { Input, ProposedCommand } from '../core/raft/input.ts';
import type { Membership } from '../core/raft/membership.ts';
import type { RaftState } from '../core/raft/state.ts';
import type { GroupKey } from '../storage/journal/vocabulary.ts';
import type { HostLimits, HostOptions } from './options.ts';
import { defaultHostLimits } from './options.ts';
import type { Checkpoint, Durability, HostError, HostedMachine, LeaderChange, ProposalResult } from './vocabulary.ts';

/** A proposal from its call until its outcome. */
export interface PendingProposal {
  readonly command: ProposedCommand<Uint8Array>;
  readonly durability: Durability;
  readonly startedMs: number;
  readonly deadlineMs: number;
  readonly resolve: (result: ProposalResult) => void;
  readonly reject: (error: HostError) => void;
  /** Place in the log once appended; 0 before. */
  index: RaftIndex;
  term: Term;
  settled: boolean;
}

export interface PendingRead {
  readonly deadlineMs: number;
  readonly resolve: (index: RaftIndex) => void;
  readonly reject: (error: HostError) => void;
}

/** Reads of a group: not asked yet, asked (by context), confirmed and waiting to be applied. */
export interface Reads {
  waiting: PendingRead[];
  readonly asked: Map<number, readonly PendingRead[]>;
  confirmed: { readonly index: RaftIndex; readonly reads: readonly PendingRead[] }[];
  nextContext: number;
}

/** A membership change or a leadership transfer that somebody waits for. */
export interface Watch {
  readonly deadlineMs: number;
  /** True once the wait is over (it resolved or rejected by itself). */
  readonly check: (change: LeaderChange | undefined) => boolean;
  readonly expire: () => void;
}

export interface InboxItem {
  readonly input: Input<Uint8Array>;
  /** Called with the answer to a transfer or membership change. */
  readonly onAnswer?: (refusal: string | undefined, last: RaftIndex | undefined) => void;
}

export interface GroupState {
  readonly key: GroupKey;
  readonly birth: Membership;
  readonly machine: HostedMachine;
  readonly raft: RaftState;
  inbox: InboxItem[];
  queued: boolean;
  /** Proposals of this turn, to be appended together. */
  proposals: PendingProposal[];
  /** Appended proposals by Raft index, ascending. */
  readonly pending: Map<RaftIndex, PendingProposal>;
  /** No pending proposal or read expires before this; Infinity if there is none. */
  nextDeadlineMs: number;
  readonly reads: Reads;
  watches: Watch[];
  /** Last index (inclusive) that the machine has seen. */
  applied: RaftIndex;
  /** Last index (inclusive) that may be applied. */
  committed: RaftIndex;
  /** A read of committed entries is under way. */
  applying: boolean;
  /** Rises when the machine is replaced by a snapshot; entries read before are void. */
  epoch: number;
  /** Ascending by index; the newest is the one recovery would start from. */
  checkpoints: Checkpoint[];
  bytesSinceCheckpoint: number;
  commandsSinceCheckpoint: number;
  checkpointing: boolean;
  compacting: boolean;
  role: Role;
  leader: NodeId;
  term: Term;
  /** Sends to a peer that wait for entries from disk, to keep their order. */
  readonly lanes: Map<NodeId, Promise<void>>;
  /** Gone from this node, or replaced by its successor after a repair. */
  removed: boolean;
  /** Its log is damaged: it takes no part in anything until it is repaired (repair.ts). */
  faulty: boolean;
  /** Exists while faulty. */
  repair: Repair | undefined;
  /** What others showed of the group's committed log, if they were asked (left-behind.ts). */
  shownElsewhere: CommittedLog | undefined;
}

/** The group's committed log up to some entry. */
export interface CommittedLog {
  /** The last entry (inclusive), and its term. */
  readonly index: RaftIndex;
  readonly term: Term;
  /** In force there; undefined if that is not known. */
  readonly membership: Membership | undefined;
}

export interface Repair {
  readonly startedMs: number;
  /** The machine was running and holds what was applied; else it comes back from journal and checkpoint. */
  machineKept: boolean;
  /** An attempt is under way. */
  busy: boolean;
  /** The next attempt begins at this tick. */
  nextTick: number;
  /** Attempts since the last success. */
  failures: number;
  /** Requests so far, which spreads them over the members. */
  asked: number;
  /** What was reported to be in the way since the last success. */
  readonly told: Set<string>;
}

/** Where the scrub is; see scrub.ts. */
export interface Scrub {
  /** A pass is under way. */
  reading: boolean;
  /** Groups that this pass has not finished; the first is being read. */
  queue: GroupId[];
  /** Next index to read of the first group; undefined: from the start of its log. */
  at: RaftIndex | undefined;
  /** A read is under way. */
  busy: boolean;
  /** Nothing is read before this (monotonic). */
  nextMs: number;
  startedMs: number;
  bytes: number;
}

export interface HostState {
  readonly options: HostOptions;
  readonly limits: HostLimits;
  readonly groups: Map<GroupId, GroupState>;
  readonly listeners: ((change: LeaderChange) => void)[];
  dirty: GroupState[];
  turnScheduled: boolean;
  ticks: number;
  proposalBytes: number;
  unsyncedBytes: number;
  /** Entry bytes admitted since the last turn; see disk-space.ts. */
  claimedBytes: number;
  readonly scrub: Scrub;
  stopping: boolean;
  failed: boolean;
  stopTicks: () => void;
  /** Bound to this state by the host. */
  runTurn: () => void;
}

const firstScrubMs = ({ clock }: HostOptions, { scrubPassMs }: HostLimits): number => clock.monotonicMs() + scrubPassMs;

export function createHostState(options: HostOptions): HostState {
  const limits = { ...defaultHostLimits, ...options.limits };
  return {
    options,
    limits,
    groups: new Map(),
    listeners: [],
    dirty: [],
    turnScheduled: false,
    ticks: 0,
    proposalBytes: 0,
    unsyncedBytes: 0,
    claimedBytes: 0,
    // A start has just read everything, so the first pass has time.
    scrub: { reading: false, queue: [], at: undefined, busy: false, nextMs: firstScrubMs(options, limits), startedMs: 0, bytes: 0 },
    stopping: false,
    failed: false,
    stopTicks: () => {},
    runTurn: () => {},
  };
}

export interface GroupBoot {
  readonly key: GroupKey;
  readonly birth: Membership;
  readonly machine: HostedMachine;
  readonly raft: RaftState;
  readonly applied: RaftIndex;
  readonly checkpoints: Checkpoint[];
  readonly term: Term;
  readonly faulty: boolean;
}

export function createGroupState(boot: GroupBoot): GroupState {
  return {
    ...boot,
    inbox: [],
    queued: false,
    proposals: [],
    pending: new Map(),
    nextDeadlineMs: Number.POSITIVE_INFINITY,
    reads: { waiting: [], asked: new Map(), confirmed: [], nextContext: 1 },
    watches: [],
    committed: boot.applied,
    applying: false,
    epoch: 0,
    bytesSinceCheckpoint: 0,
    commandsSinceCheckpoint: 0,
    checkpointing: false,
    compacting: false,
    role: 'follower',
    leader: noNode,
    lanes: new Map(),
    removed: false,
    repair: undefined,
    shownElsewhere: undefined,
  };
}

/** A membership of voters only, in their simple (not joint) form. */
export function simpleMembership(voters: readonly NodeId[], learners: readonly NodeId[] = []): Membership {
  const sorted = (ids: readonly NodeId[]): readonly NodeId[] => [...new Set(ids)].sort((a, b) => a - b);
  return { voters: sorted(voters), outgoing: [], learners: sorted(learners), learnersNext: [], autoLeave: false };
}

export const zeroIndex: RaftIndex = asRaftIndex(0);
export const zeroTerm: Term = asTerm(0);
