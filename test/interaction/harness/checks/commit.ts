/** I-R4 one committed sequence, I-R7 committed means durable on a majority, I-R8 order of the marks, I-R10 equal states. */
import type { NodeId, RaftIndex } from '@balsa/node/core/ids.ts';
import { asRaftIndex } from '@balsa/node/core/ids.ts';
import type { Entry, Snapshot } from '@balsa/node/core/raft/entry.ts';
import { statusOf } from '@balsa/node/core/raft/status.ts';
import type { Happening } from '../happening.ts';
import { entriesOf, lastIndexOf } from '../log-store.ts';
import { expectThat, leads, type Ledger, sameAsBefore } from './ledger.ts';
import { holdsDurably, membershipBefore } from './log.ts';

/** Runs before the replica takes what it is given to apply. */
export function checkCommit(ledger: Ledger, { node, first, last }: Happening & { type: 'committed' }): void {
  noteCommit(ledger, node);
  const { store, committed } = ledger.cluster.replicas.get(node)!;
  expectThat(ledger, first === committed + 1 && last >= first, 'I-R5', `${node} commits ${first}..${last} after ${committed}`);
  const says = `${node} hands over ${first}..${last}, its disk ends at ${lastIndexOf(store.durable)}`;
  expectThat(ledger, last <= lastIndexOf(store.durable), 'I-R8', says);
}

/** Compares what a node holds as committed since it was last asked with the one committed sequence, and extends that. */
function noteCommit(ledger: Ledger, node: NodeId): void {
  const { raft, store } = ledger.cluster.replicas.get(node)!;
  if (raft === undefined) return;
  const { commit, term } = statusOf(raft);
  const from = Math.max(store.view.snapshot.index, ledger.nodes.get(node)?.commit ?? 0) + 1;
  const entries = entriesOf(store.view, { first: asRaftIndex(from), last: commit });
  expectThat(ledger, entries !== undefined, 'I-R8', `${node} commits ${commit}, its log ends at ${lastIndexOf(store.view)}`);
  const newest = entries?.at(-1);
  if (newest !== undefined && !ledger.committed.has(newest.index)) checkMajority(ledger, node, newest);
  for (const entry of entries ?? []) {
    const known = sameAsBefore(ledger.committed, entry.index, { entry, decidedIn: term });
    const says = `${node} commits ${entry.index}@${entry.term}, committed before as ${entry.index}@${known.entry.term}`;
    expectThat(ledger, known.entry.term === entry.term, 'I-R4', says);
  }
}

/** The first node to commit an entry must be a leader whose term and every half of whose membership has it on disk. */
function checkMajority(ledger: Ledger, node: NodeId, entry: Entry<string>): void {
  const { replicas } = ledger.cluster;
  expectThat(ledger, leads(ledger, node), 'I-R4', `${node} commits ${entry.index}@${entry.term}, which no leader committed`);
  const { view } = replicas.get(node)!.store;
  const { membership } = membershipBefore(view, asRaftIndex(lastIndexOf(view) + 1));
  for (const half of [membership.voters, membership.outgoing]) {
    const holders = half.filter((id) => holdsDurably(replicas.get(id)?.store.durable, entry));
    const says = `${node} commits ${entry.index}@${entry.term}, on disk only at ${holders.join(',') || 'nobody'} of ${half.join(',')}`;
    expectThat(ledger, half.length === 0 || holders.length > half.length / 2, 'I-R7', says);
  }
}

export function checkApplied(ledger: Ledger, { node, entries, state }: Happening & { type: 'applied' }): void {
  for (const entry of entries) {
    const decided = ledger.committed.get(entry.index)?.entry;
    const says = `${node} applies ${entry.index}@${entry.term}, committed is ${decided === undefined ? 'nothing' : `${entry.index}@${decided.term}`}`;
    expectThat(ledger, decided?.term === entry.term, 'I-R4', says);
  }
  const last = entries.at(-1);
  if (last !== undefined) checkState(ledger, node, last.index, state);
}

export function checkSnapshot(ledger: Ledger, node: NodeId, snapshot: Snapshot<string>): void {
  checkState(ledger, node, snapshot.index, snapshot.state);
}

function checkState(ledger: Ledger, node: NodeId, index: RaftIndex, state: string): void {
  const known = sameAsBefore(ledger.states, index, state);
  expectThat(ledger, known === state, 'I-R8', `${node} has state "${state}" after ${index}, another replica had "${known}"`);
}

/** After every step: marks are in order and none goes back while the node lives. */
export function checkMarks(ledger: Ledger, node: NodeId): void {
  const { raft, store, committed } = ledger.cluster.replicas.get(node)!;
  if (raft === undefined) return;
  noteCommit(ledger, node);
  const { role, term, commit, applied } = statusOf(raft);
  const before = ledger.nodes.get(node);
  const shows = `${node}: term ${term} applied ${applied} commit ${commit} last ${lastIndexOf(store.view)}`;
  expectThat(ledger, applied <= commit && commit <= lastIndexOf(store.view), 'I-R8', `marks out of order on ${shows}`);
  expectThat(ledger, applied <= committed && committed <= commit, 'I-R8', `handed over ${committed} on ${shows}`);
  if (before !== undefined) {
    const forward = term >= before.term && commit >= before.commit && applied >= before.applied;
    expectThat(ledger, forward, 'I-R5', `marks go back on ${shows}, before ${JSON.stringify(before)}`);
  }
  ledger.nodes.set(node, { role, term, commit, applied });
}
