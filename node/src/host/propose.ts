/**
 * Proposals: gathered during a turn, appended as one batch, answered when their
 * outcome is known.
 *
 * A proposal is answered exactly once: with its outcome; with a refusal that says it
 * had no effect; or with 'leader-changed' / 'timeout' (unknown effect), after which
 * the entry may still commit.
 */
import type { RaftIndex, Term } from '../core/ids.ts';
import { asRaftIndex } from '../core/ids.ts';
import { assert } from '../core/assert.ts';
import type { Effects } from '../core/raft/effects.ts';
import type { Input } from '../core/raft/input.ts';
import { entrySize } from '../transport/entry-size.ts';
import { claimRoom } from './disk-space.ts';
import type { GroupState, HostState, PendingProposal } from './state.ts';
import { copiesAt, durableMatches } from './status.ts';
import { wake } from './schedule.ts';
import type { HostRefusal, ProposalResult } from './vocabulary.ts';
import { HostError } from './vocabulary.ts';

export interface ProposeOptions {
  readonly durability: PendingProposal['durability'];
  readonly timeoutMs: number;
}

export function propose(host: HostState, group: GroupState, payload: Uint8Array, options: ProposeOptions): Promise<ProposalResult> {
  const refusal = refusalNow(host, group, payload.byteLength);
  if (refusal !== undefined) return Promise.reject(new HostError(refusal));
  const nowMs = host.options.clock.monotonicMs();
  return new Promise((resolve, reject) => {
    const proposal: PendingProposal = {
      command: { payload, size: entrySize(payload.byteLength) },
      durability: options.durability,
      startedMs: nowMs,
      deadlineMs: nowMs + options.timeoutMs,
      resolve,
      reject,
      index: asRaftIndex(0),
      term: group.term,
      settled: false,
    };
    host.proposalBytes += proposal.command.size;
    group.nextDeadlineMs = Math.min(group.nextDeadlineMs, proposal.deadlineMs);
    group.proposals.push(proposal);
    wake(host, group);
  });
}

function refusalNow(host: HostState, group: GroupState, bytes: number): HostRefusal | undefined {
  if (host.stopping || host.failed) return { reason: 'stopping' };
  if (group.faulty) return { reason: 'faulty' };
  if (group.role !== 'leader') return { reason: 'not-leader', leader: group.leader, term: group.term };
  // One proposal alone always fits, whatever its size: the broker's own limit has let it through.
  if (host.proposalBytes > 0 && host.proposalBytes + bytes > host.limits.proposalBytesMax)
    return { reason: 'overloaded', limit: 'proposalBytesMax' };
  // Last, because it claims.
  return claimRoom(host, entrySize(bytes)) ? undefined : { reason: 'disk-full' };
}

export interface ProposalBatch {
  readonly input: Extract<Input<Uint8Array>, { readonly type: 'propose' }>;
  readonly proposals: readonly PendingProposal[];
}

/** All proposals of this turn as one input; undefined if there are none. */
export function appendProposals(group: GroupState): ProposalBatch | undefined {
  const proposals = group.proposals.filter((proposal) => !proposal.settled);
  group.proposals = [];
  if (proposals.length === 0) return undefined;
  return { input: { type: 'propose', commands: proposals.map((proposal) => proposal.command) }, proposals };
}

/** Notes where the batch landed, or refuses it. */
export function answerProposals(host: HostState, group: GroupState, batch: ProposalBatch, effects: Effects<Uint8Array>): void {
  const { accepted, refused } = effects;
  if (accepted === undefined) {
    const refusal: HostRefusal =
      refused === 'uncommitted-bytes-max'
        ? { reason: 'overloaded', limit: 'uncommittedBytesMax' }
        : { reason: 'not-leader', leader: group.leader, term: group.term };
    for (const proposal of batch.proposals) rejectProposal(host, proposal, refusal);
    return;
  }
  let index: number = accepted.first;
  for (const proposal of batch.proposals) {
    proposal.index = asRaftIndex(index);
    proposal.term = accepted.term;
    index += 1;
    if (proposal.durability === 'none')
      settle(host, proposal, { term: accepted.term, index: proposal.index, outcome: undefined, durableCopies: 0 });
    else group.pending.set(proposal.index, proposal);
  }
  assert(index === accepted.last + 1, 'a proposal batch takes one index per command', { first: accepted.first, last: accepted.last });
}

/** The leader's own disk has everything up to `durable` (inclusive): answers acks=leader. */
export function answerLeaderDurable(host: HostState, group: GroupState, durable: RaftIndex): void {
  const matches = durableMatches(group);
  for (const proposal of group.pending.values()) {
    if (proposal.index > durable) return;
    if (proposal.durability !== 'leader' || proposal.settled) continue;
    settle(host, proposal, {
      term: proposal.term,
      index: proposal.index,
      outcome: undefined,
      durableCopies: copiesAt(matches, proposal.index),
    });
    group.pending.delete(proposal.index);
  }
}

/** The command at (index, term) was applied with `outcome`; `matches` are the replicas' durable indexes. */
export function answerApplied(
  host: HostState,
  group: GroupState,
  { index, term }: { readonly index: RaftIndex; readonly term: Term },
  outcome: unknown,
  matches: readonly RaftIndex[],
): void {
  const proposal = group.pending.get(index);
  if (proposal === undefined) return;
  group.pending.delete(index);
  if (proposal.settled) return;
  assert(proposal.term === term, 'a pending proposal commits in the term in which it was appended', {
    index,
    term,
    proposed: proposal.term,
  });
  host.options.observer?.onCommit?.(host.options.clock.monotonicMs() - proposal.startedMs, proposal.command.size);
  settle(host, proposal, { term, index, outcome, durableCopies: copiesAt(matches, index) });
}

/** Leadership is gone: whatever was appended has an unknown outcome, the rest had no effect. */
export function abandonProposals(host: HostState, group: GroupState): void {
  const refusal: HostRefusal = { reason: 'leader-changed', leader: group.leader, term: group.term };
  for (const proposal of group.pending.values()) rejectProposal(host, proposal, refusal);
  group.pending.clear();
  for (const proposal of group.proposals) rejectProposal(host, proposal, { ...refusal, reason: 'not-leader' });
  group.proposals = [];
}

/** Rejects what is past its deadline. Called on ticks; scans only when something can have expired. */
export function expireProposals(host: HostState, group: GroupState, nowMs: number): void {
  for (const proposal of group.proposals) {
    if (proposal.deadlineMs <= nowMs) rejectProposal(host, proposal, { reason: 'timeout', effect: 'none' });
  }
  for (const [index, proposal] of group.pending) {
    if (proposal.deadlineMs > nowMs) continue;
    rejectProposal(host, proposal, { reason: 'timeout', effect: 'unknown' });
    group.pending.delete(index);
  }
}

export function earliestProposalDeadline(group: GroupState): number {
  let earliest = Number.POSITIVE_INFINITY;
  for (const proposal of group.proposals) earliest = Math.min(earliest, proposal.deadlineMs);
  for (const proposal of group.pending.values()) earliest = Math.min(earliest, proposal.deadlineMs);
  return earliest;
}

function settle(host: HostState, proposal: PendingProposal, result: ProposalResult): void {
  if (proposal.settled) return;
  proposal.settled = true;
  host.proposalBytes -= proposal.command.size;
  proposal.resolve(result);
}

function rejectProposal(host: HostState, proposal: PendingProposal, refusal: HostRefusal): void {
  if (proposal.settled) return;
  proposal.settled = true;
  host.proposalBytes -= proposal.command.size;
  proposal.reject(new HostError(refusal));
}
