/**
 * Linearizable reads: all reads of a group that arrive in one turn share one ReadIndex
 * confirmation, and are released when the machine has applied up to its index.
 */
import type { RaftIndex } from '../core/ids.ts';
import type { Effects, ReadState } from '../core/raft/effects.ts';
import type { Input } from '../core/raft/input.ts';
import type { GroupState, HostState, PendingRead } from './state.ts';
import { wake } from './schedule.ts';
import type { HostRefusal } from './vocabulary.ts';
import { HostError } from './vocabulary.ts';

export function confirmRead(host: HostState, group: GroupState, timeoutMs: number): Promise<RaftIndex> {
  const refuse = (refusal: HostRefusal): Promise<never> => Promise.reject(new HostError(refusal));
  if (host.stopping || host.failed) return refuse({ reason: 'stopping' });
  if (group.faulty) return refuse({ reason: 'faulty' });
  if (group.role !== 'leader') return refuse({ reason: 'not-leader', leader: group.leader, term: group.term });
  if (pendingReads(group) >= host.limits.readsMax) return refuse({ reason: 'overloaded', limit: 'readsMax' });
  const deadlineMs = host.options.clock.monotonicMs() + timeoutMs;
  return new Promise((resolve, reject) => {
    group.reads.waiting.push({ deadlineMs, resolve, reject });
    group.nextDeadlineMs = Math.min(group.nextDeadlineMs, deadlineMs);
    wake(host, group);
  });
}

function pendingReads(group: GroupState): number {
  let count = group.reads.waiting.length;
  for (const reads of group.reads.asked.values()) count += reads.length;
  for (const { reads } of group.reads.confirmed) count += reads.length;
  return count;
}

/** One input for all reads of this turn; undefined if there are none. */
export function askReads(group: GroupState): Input<Uint8Array> | undefined {
  if (group.reads.waiting.length === 0) return undefined;
  const context = group.reads.nextContext;
  group.reads.nextContext += 1;
  group.reads.asked.set(context, group.reads.waiting);
  group.reads.waiting = [];
  return { type: 'read', context };
}

export function takeReadStates(group: GroupState, states: readonly ReadState[]): void {
  for (const { context, index } of states) {
    const reads = group.reads.asked.get(context);
    group.reads.asked.delete(context);
    if (reads !== undefined) group.reads.confirmed.push({ index, reads });
  }
}

export function refuseReads(group: GroupState, refused: Effects<Uint8Array>['readsRefused']): void {
  for (const { context, refusal } of refused) {
    const reads = group.reads.asked.get(context) ?? [];
    group.reads.asked.delete(context);
    const reason: HostRefusal =
      refusal === 'reads-max'
        ? { reason: 'overloaded', limit: 'readsMax' }
        : { reason: 'not-leader', leader: group.leader, term: group.term };
    for (const read of reads) read.reject(new HostError(reason));
  }
}

/** Releases the confirmed reads whose index has been applied. */
export function releaseReads(group: GroupState): void {
  if (group.reads.confirmed.length === 0) return;
  const later: typeof group.reads.confirmed = [];
  for (const confirmed of group.reads.confirmed) {
    if (confirmed.index > group.applied) later.push(confirmed);
    else for (const read of confirmed.reads) read.resolve(group.applied);
  }
  group.reads.confirmed = later;
}

/** Leadership is gone: no read of this node is answered. */
export function abandonReads(group: GroupState): void {
  const refusal: HostRefusal = { reason: 'not-leader', leader: group.leader, term: group.term };
  for (const read of allReads(group)) read.reject(new HostError(refusal));
  group.reads.waiting = [];
  group.reads.asked.clear();
  group.reads.confirmed = [];
}

export function expireReads(group: GroupState, nowMs: number): void {
  const alive = (read: PendingRead): boolean => {
    if (read.deadlineMs > nowMs) return true;
    read.reject(new HostError({ reason: 'timeout', effect: 'none' }));
    return false;
  };
  group.reads.waiting = group.reads.waiting.filter(alive);
  for (const [context, reads] of group.reads.asked) group.reads.asked.set(context, reads.filter(alive));
  group.reads.confirmed = group.reads.confirmed.map(({ index, reads }) => ({ index, reads: reads.filter(alive) }));
}

export function earliestReadDeadline(group: GroupState): number {
  let earliest = Number.POSITIVE_INFINITY;
  for (const read of allReads(group)) earliest = Math.min(earliest, read.deadlineMs);
  return earliest;
}

function allReads(group: GroupState): PendingRead[] {
  return [...group.reads.waiting, ...[...group.reads.asked.values()].flat(), ...group.reads.confirmed.flatMap(({ reads }) => reads)];
}
