/**
 * What the host tells of the transitions of its Raft groups, so that a run can be
 * replayed against a specification: every start of a replica and every step of its core,
 * with what went in, what came out, and where the replica stands afterwards.
 *
 * A step is told after the core has taken it and before any of its effects is executed:
 * whatever another node sees of a step was told before.
 */
import type { NodeId, RaftIndex, Term } from '../core/ids.ts';
import type { Effects, Role } from '../core/raft/effects.ts';
import type { HardState } from '../core/raft/entry.ts';
import type { Input } from '../core/raft/input.ts';
import { lastIndex, lastTerm } from '../core/raft/log.ts';
import type { Membership } from '../core/raft/membership.ts';
import { currentMembership, type RaftBoot, type RaftState } from '../core/raft/state.ts';
import type { GroupKey } from '../storage/journal/vocabulary.ts';
import type { HostObserver } from './options.ts';

/** The replica after a step; the log is in the order of the steps' writes. */
export interface TracedStatus {
  readonly term: Term;
  readonly vote: NodeId;
  readonly role: Role;
  readonly leader: NodeId;
  readonly last: { readonly index: RaftIndex; readonly term: Term };
  readonly commit: RaftIndex;
  readonly applied: RaftIndex;
  readonly durable: RaftIndex;
  readonly membership: Membership;
}

interface Traced extends GroupKey {
  readonly node: NodeId;
}

/** The replica starts anew: whatever was not on disk is gone. */
export interface RecoveredEvent extends Traced {
  readonly type: 'recovered';
  readonly hardState: HardState;
  readonly snapshot: RaftBoot['snapshot'];
  readonly applied: RaftIndex;
  /** The log after the snapshot, ascending. */
  readonly entries: readonly { readonly index: RaftIndex; readonly term: Term; readonly size: number; readonly membership?: Membership }[];
}

/** The replica's log is damaged: it is silent until it recovers, with what its peers gave back. */
export interface DamagedEvent extends Traced {
  readonly type: 'damaged';
}

export interface StepEvent<Payload> extends Traced {
  readonly type: 'step';
  readonly input: Input<Payload>;
  readonly effects: Effects<Payload>;
  readonly status: TracedStatus;
}

export type TraceEvent<Payload> = RecoveredEvent | DamagedEvent | StepEvent<Payload>;

/** The hooks of an observer that tell `sink` of every transition of this node. */
export function traceObserver(node: NodeId, sink: (event: TraceEvent<Uint8Array>) => void): HostObserver {
  return {
    onStep: sink,
    onRecovered: sink,
    onRepair: ({ type, group, generation }) => {
      if (type === 'begun') sink({ type: 'damaged', node, group, generation });
    },
  };
}

export function recoveredEvent({ group, generation }: GroupKey, node: NodeId, boot: RaftBoot): RecoveredEvent {
  const { hardState, applied } = boot;
  const { index, term, membership } = boot.snapshot;
  return {
    type: 'recovered',
    node,
    group,
    generation,
    hardState,
    snapshot: { index, term, membership },
    applied,
    entries: [...boot.entries],
  };
}

export function stepEvent<Payload>(
  { group, generation }: GroupKey,
  raft: RaftState,
  input: Input<Payload>,
  effects: Effects<Payload>,
): StepEvent<Payload> {
  return { type: 'step', node: raft.config.self, group, generation, input, effects, status: tracedStatus(raft) };
}

function tracedStatus(raft: RaftState): TracedStatus {
  const { term, votedFor, role, leader, log, commit, applied, durability } = raft;
  return {
    term,
    vote: votedFor,
    role,
    leader,
    last: { index: lastIndex(log), term: lastTerm(log) },
    commit,
    applied,
    durable: durability.durable,
    membership: currentMembership(raft),
  };
}
