/**
 * State of one replica of a Raft group: a plain record that the role files read and
 * change. It holds no payloads, no clock and no generator of its own.
 *
 * Invariants (checked after every step, invariants.ts): applied <= handed <= commit
 * <= last; handed <= durable unless a snapshot is being installed; `leading` exists
 * exactly while the role is leader.
 */
import { assert } from '../assert.ts';
import { asNodeId, asRaftIndex, type NodeId, noNode, type RaftIndex, type Term } from '../ids.ts';
import type { RaftConfig } from './config.ts';
import { createDurability, type Durability } from './durability.ts';
import type { Role } from './effects.ts';
import type { HardState } from './entry.ts';
import type { Leadership } from './leadership.ts';
import { appendToLog, createLog, lastIndex, lastTerm, type RaftLog, termOf } from './log.ts';
import type { Membership } from './membership.ts';
import { isValidMembership } from './membership-change.ts';
import {
  appendMembership,
  createMembershipLog,
  type MembershipLog,
  membershipInForce,
  newestMembership,
  undecidedMemberships,
} from './membership-log.ts';
import { isVoter } from './quorum.ts';
import { createRandom, drawBetween, type RandomState } from './random.ts';

/** Where a log ends: the index of its last entry (inclusive) and that entry's term. */
export interface LogEnd {
  readonly index: RaftIndex;
  readonly term: Term;
}

/** What a replica starts from: all of it durable. */
export interface RaftBoot {
  readonly hardState: HardState;
  readonly snapshot: { readonly index: RaftIndex; readonly term: Term; readonly membership: Membership };
  /** The log after the snapshot, contiguous from snapshot.index + 1; `membership` for entries of that kind. */
  readonly entries: Iterable<{
    readonly index: RaftIndex;
    readonly term: Term;
    readonly size: number;
    readonly membership?: Membership;
  }>;
  /** The machine includes everything up to here (inclusive), at least the snapshot. */
  readonly applied: RaftIndex;
  /** How far the log of an earlier replica of this group on this node went, which is gone. */
  readonly floor?: LogEnd | undefined;
}

export interface RaftState {
  readonly config: RaftConfig;
  term: Term;
  /** Candidate that has this node's vote in `term`, durable or on its way to disk. */
  votedFor: NodeId;
  role: Role;
  leader: NodeId;
  readonly log: RaftLog;
  /**
   * A log that ends before this lacks what this node acknowledged in an earlier life: it gets no
   * vote here, and while this node's own log is such a one it does not stand for election.
   */
  readonly floor: LogEnd | undefined;
  readonly memberships: MembershipLog;
  readonly durability: Durability;
  commit: RaftIndex;
  /** Committed entries were given to the host up to here (inclusive). */
  handed: RaftIndex;
  applied: RaftIndex;
  /** Number of the newest tick; undefined before the first. */
  now: number | undefined;
  /** Ticks since a leader was heard, a vote was granted or a campaign began. */
  electionElapsed: number;
  /** The node campaigns when electionElapsed reaches this. */
  electionTicks: number;
  /** The connection to the leader was lost: electionTicks is short, or the pre-vote under way is the first one since. */
  hurried: boolean;
  readonly random: RandomState;
  /** Answers of this campaign or pre-vote. */
  votes: Map<NodeId, boolean>;
  leading: Leadership | undefined;
}

export function createRaft(config: RaftConfig, boot: RaftBoot): RaftState {
  checkConfig(config);
  const { snapshot, hardState, applied } = boot;
  const { log, memberships } = loadLog(boot);
  const last = lastIndex(log);
  const commit = asRaftIndex(Math.max(hardState.commit, snapshot.index, applied));
  assert(applied >= snapshot.index, 'the machine includes the snapshot', { applied, snapshot: snapshot.index });
  assert(commit <= last, 'everything committed is in the log', { commit, last });
  assert(lastTerm(log) <= hardState.term, 'no entry is newer than the hard state', { lastTerm: lastTerm(log), term: hardState.term });
  const random = createRandom(config.seed, config.self);
  return {
    config,
    term: hardState.term,
    votedFor: asNodeId(hardState.votedFor),
    role: 'follower',
    leader: noNode,
    log,
    floor: boot.floor,
    memberships,
    durability: createDurability(hardState, last),
    commit,
    handed: applied,
    applied,
    now: undefined,
    electionElapsed: 0,
    electionTicks: drawBetween(random, config.electionTicksMin, config.electionTicksMax),
    hurried: false,
    random,
    votes: new Map(),
    leading: undefined,
  };
}

function checkConfig({ heartbeatTicks, electionTicksMin, electionTicksMax }: RaftConfig): void {
  const isOrdered = heartbeatTicks >= 1 && electionTicksMin > heartbeatTicks && electionTicksMax >= electionTicksMin;
  assert(isOrdered, 'heartbeats come more often than elections', { heartbeatTicks, electionTicksMin, electionTicksMax });
}

function loadLog({ snapshot, entries }: RaftBoot): Pick<RaftState, 'log' | 'memberships'> {
  assert(isValidMembership(snapshot.membership), 'a group starts from a valid membership', { membership: snapshot.membership });
  const log = createLog(snapshot.index, snapshot.term);
  const memberships = createMembershipLog(snapshot.index, snapshot.membership);
  for (const { index, term, size, membership } of entries) {
    appendToLog(log, index, term, size);
    if (membership !== undefined) appendMembership(memberships, index, membership);
  }
  return { log, memberships };
}

/** Membership in force now: the newest in the log, committed or not. */
export const currentMembership = (state: RaftState): Membership => newestMembership(state.memberships).membership;

/**
 * Whether this node may stand for election. A node that the newest membership removes
 * still may until that is committed: it can be the only one whose log is long enough
 * to lead the others to that commit (Raft dissertation, section 4.2.2). It does not
 * count its own vote then.
 */
export function mayCampaign(state: RaftState): boolean {
  const end = { index: lastIndex(state.log), term: lastTerm(state.log) };
  if (!reachesFloor(state, end)) return false;
  return undecidedMemberships(state.memberships, state.commit).some((membership) => isVoter(membership, state.config.self));
}

/** Whether a log with this end holds everything that an earlier replica here may have acknowledged. */
export function reachesFloor({ floor }: RaftState, end: LogEnd): boolean {
  return floor === undefined || end.term > floor.term || (end.term === floor.term && end.index >= floor.index);
}

/** Membership in force at `index`, which is at or after the log's start. */
export function membershipAt(state: RaftState, index: RaftIndex): Membership {
  const membership = index >= state.log.start ? membershipInForce(state.memberships, index) : undefined;
  assert(membership !== undefined, 'the membership of a compacted index is unknown', { index, start: state.log.start });
  return membership;
}

/** Term of the entry at `index`, which is at or after the log's start and not after its end. */
export function termAt(state: RaftState, index: RaftIndex): Term {
  const term = termOf(state.log, index);
  assert(term !== undefined, 'index is in the log', { index, start: state.log.start, last: lastIndex(state.log) });
  return term;
}

/** Starts the election time-out anew, with a new length. */
export function resetElectionTimer(state: RaftState): void {
  const { electionTicksMin, electionTicksMax } = state.config;
  state.electionElapsed = 0;
  state.electionTicks = drawBetween(state.random, electionTicksMin, electionTicksMax);
  state.hurried = false;
}
