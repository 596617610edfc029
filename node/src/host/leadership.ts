/** Changes of role, leader and term: who must be told, and what they end. */
import type { NodeId, RaftIndex } from '../core/ids.ts';
import type { Effects } from '../core/raft/effects.ts';
import { currentMembership } from '../core/raft/state.ts';
import { abandonProposals } from './propose.ts';
import { abandonReads } from './reads.ts';
import type { GroupState, HostState, Watch } from './state.ts';
import { bestFollower } from './status.ts';
import { enqueue } from './schedule.ts';
import type { HostRefusal, LeaderChange } from './vocabulary.ts';
import { HostError } from './vocabulary.ts';

export function noticeLeader(host: HostState, group: GroupState, soft: NonNullable<Effects<Uint8Array>['soft']>): void {
  const wasLeader = group.role === 'leader';
  const sameReign = wasLeader && soft.role === 'leader' && soft.term === group.term;
  group.role = soft.role;
  group.leader = soft.leader;
  group.term = soft.term;
  if (wasLeader && !sameReign) {
    abandonProposals(host, group);
    abandonReads(group);
  }
  const change: LeaderChange = { ...group.key, ...soft };
  group.watches = group.watches.filter((watch) => !watch.check(change));
  for (const listener of host.listeners) listener(change);
}

/** Asks for a leadership transfer; resolves with the new leader once this replica knows it. */
export function transfer(host: HostState, group: GroupState, wanted: NodeId | undefined, timeoutMs: number): Promise<NodeId> {
  if (group.role !== 'leader') return Promise.reject(new HostError({ reason: 'not-leader', leader: group.leader, term: group.term }));
  const target = wanted ?? bestFollower(group);
  if (target === undefined) return Promise.reject(new HostError({ reason: 'invalid-target' }));
  if (target === host.options.self) return Promise.resolve(target);
  return new Promise((resolve, reject) => {
    const watch: Watch = {
      deadlineMs: host.options.clock.monotonicMs() + timeoutMs,
      check: (change) => {
        if (change === undefined || change.leader === 0 || change.leader === host.options.self) return false;
        resolve(change.leader);
        return true;
      },
      expire: () => reject(new HostError({ reason: 'timeout', effect: 'unknown' })),
    };
    addWatch(group, watch);
    enqueue(host, group, {
      input: { type: 'transfer', target },
      onAnswer: (refusal) => {
        if (refusal === undefined) return;
        dropWatch(group, watch);
        reject(new HostError(refusalOf(group, refusal)));
      },
    });
  });
}

/** Asks for a membership; resolves when its (last) configuration is committed and applied here. */
export function changeMembership(
  host: HostState,
  group: GroupState,
  target: { readonly voters: readonly NodeId[]; readonly learners: readonly NodeId[] },
  timeoutMs: number,
): Promise<void> {
  if (group.faulty) return Promise.reject(new HostError({ reason: 'faulty' }));
  return new Promise((resolve, reject) => {
    const wanted = { index: Number.POSITIVE_INFINITY as RaftIndex };
    const watch: Watch = {
      deadlineMs: host.options.clock.monotonicMs() + timeoutMs,
      check: (change) => {
        if (change !== undefined && change.role !== 'leader') {
          reject(new HostError({ reason: 'leader-changed', leader: change.leader, term: change.term }));
          return true;
        }
        if (group.applied < wanted.index || currentMembership(group.raft).outgoing.length > 0) return false;
        resolve();
        return true;
      },
      expire: () => reject(new HostError({ reason: 'timeout', effect: 'unknown' })),
    };
    addWatch(group, watch);
    enqueue(host, group, {
      input: { type: 'change-membership', target },
      onAnswer: (refusal, last) => {
        if (refusal === undefined && last !== undefined) {
          wanted.index = last;
          return;
        }
        dropWatch(group, watch);
        reject(new HostError(refusalOf(group, refusal ?? 'invalid-membership')));
      },
    });
  });
}

/** Applied entries may end a wait for a membership. */
export function checkWatches(group: GroupState): void {
  if (group.watches.length > 0) group.watches = group.watches.filter((watch) => !watch.check(undefined));
}

/** The group is at its end here: whoever waits for anything of it is answered now, as nobody will be later. */
export function abandonWaits(host: HostState, group: GroupState): void {
  abandonProposals(host, group);
  abandonReads(group);
  for (const watch of group.watches) watch.expire();
  group.watches = [];
}

export function expireWatches(group: GroupState, nowMs: number): void {
  group.watches = group.watches.filter((watch) => {
    if (watch.deadlineMs > nowMs) return true;
    watch.expire();
    return false;
  });
}

function addWatch(group: GroupState, watch: Watch): void {
  group.watches.push(watch);
  group.nextDeadlineMs = Math.min(group.nextDeadlineMs, watch.deadlineMs);
}

function dropWatch(group: GroupState, watch: Watch): void {
  group.watches = group.watches.filter((other) => other !== watch);
}

function refusalOf(group: GroupState, refusal: string): HostRefusal {
  switch (refusal) {
    case 'invalid-target':
    case 'invalid-membership':
    case 'membership-change-pending':
      return { reason: refusal };
    case 'transferring':
      return { reason: 'overloaded', limit: 'one transfer at a time' };
    default:
      return { reason: 'not-leader', leader: group.leader, term: group.term };
  }
}
