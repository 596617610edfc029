/** I-R2 log matching, I-R5 nothing goes back, I-R7 acknowledged means durable, I-R9 memberships. */
import type { NodeId, RaftIndex } from '@balsa/node/core/ids.ts';
import { asRaftIndex } from '@balsa/node/core/ids.ts';
import type { Entry, HardState, Snapshot } from '@balsa/node/core/raft/entry.ts';
import type { Membership } from '@balsa/node/core/raft/membership.ts';
import { statusOf } from '@balsa/node/core/raft/status.ts';
import type { Happening } from '../happening.ts';
import { entryAt, lastIndexOf, type LogImage, termAt } from '../log-store.ts';
import type { Sent } from '../network.ts';
import { expectThat, leads, type Ledger, sameAsBefore } from './ledger.ts';

/** Runs before the write changes the store. */
export function checkWrite(ledger: Ledger, { node, write }: Happening & { type: 'write' }): void {
  const { view } = ledger.cluster.replicas.get(node)!.store;
  if (write.hardState !== undefined) checkHardState(ledger, node, view.hardState, write.hardState);
  if (write.snapshot !== undefined) checkInstall(ledger, node, write.snapshot);
  const base: LogImage = write.snapshot === undefined ? view : { ...view, snapshot: write.snapshot, entries: [] };
  checkCut(ledger, node, base, write.entries);
  checkEntries(ledger, base, write.entries);
  checkMemberships(ledger, node, base, write.entries);
}

function checkHardState(ledger: Ledger, node: NodeId, before: HardState, after: HardState): void {
  const shows = `${node}: term ${before.term} vote ${before.votedFor} commit ${before.commit} -> term ${after.term} vote ${after.votedFor} commit ${after.commit}`;
  expectThat(ledger, after.term >= before.term, 'I-R5', `term goes back on ${shows}`);
  expectThat(ledger, after.commit >= before.commit, 'I-R5', `saved commit goes back on ${shows}`);
  const voteKept = after.term > before.term || before.votedFor === 0 || after.votedFor === before.votedFor;
  expectThat(ledger, voteKept, 'I-R6', `vote changes within a term on ${shows}`);
}

function checkInstall(ledger: Ledger, node: NodeId, snapshot: Snapshot<string>): void {
  const { committed, machine } = ledger.cluster.replicas.get(node)!;
  const says = `${node} installs snapshot ${snapshot.index} below commit ${committed} or applied ${machine.applied}`;
  expectThat(ledger, snapshot.index >= committed && snapshot.index >= machine.applied, 'I-R5', says);
}

/** A write may cut the tail, but nothing that was ever committed. */
function checkCut(ledger: Ledger, node: NodeId, base: LogImage, entries: readonly Entry<string>[]): void {
  const first = entries[0]?.index;
  if (first === undefined) return;
  for (let index = first; index <= lastIndexOf(base); index++) {
    const decided = ledger.committed.get(asRaftIndex(index))?.entry.term;
    const says = `${node} cuts committed ${index}@${decided}`;
    expectThat(ledger, decided === undefined || termAt(base, asRaftIndex(index)) !== decided, 'I-R5', says);
  }
}

/** (index, term) fixes the entry and its predecessor, hence the whole log before it. */
export function checkEntries(ledger: Ledger, base: LogImage, entries: readonly Entry<string>[]): void {
  let previousTerm = entries[0] === undefined ? undefined : termAt(base, asRaftIndex(entries[0].index - 1));
  for (const entry of entries) {
    const seen = sameAsBefore(ledger.entries, `${entry.index}@${entry.term}`, { previousTerm, content: contentOf(entry) });
    const same = seen.content === contentOf(entry) && (seen.previousTerm ?? previousTerm) === (previousTerm ?? seen.previousTerm);
    expectThat(ledger, same, 'I-R2', `two logs differ at ${entry.index}@${entry.term}`);
    previousTerm = entry.term;
  }
}

const contentOf = (entry: Entry<string>): string => JSON.stringify(entry);

/** At most one uncommitted membership in a leader's log; two consecutive ones cannot decide differently. */
function checkMemberships(ledger: Ledger, node: NodeId, base: LogImage, entries: readonly Entry<string>[]): void {
  let { index, membership } = membershipBefore(base, entries[0]?.index ?? asRaftIndex(0));
  for (const entry of entries) {
    if (entry.kind !== 'membership') continue;
    const shows = `${node}: ${JSON.stringify(membership)} -> ${JSON.stringify(entry.membership)}`;
    expectThat(ledger, mayFollow(membership, entry.membership), 'I-R9', `memberships without overlap on ${shows}`);
    expectThat(ledger, !leads(ledger, node) || index <= commitOf(ledger, node), 'I-R9', `second uncommitted membership on ${shows}`);
    ({ index, membership } = entry);
  }
}

function commitOf(ledger: Ledger, node: NodeId): number {
  const { raft } = ledger.cluster.replicas.get(node)!;
  return raft === undefined ? 0 : statusOf(raft).commit;
}

/** The membership in force for a log that ends before `end`. */
export function membershipBefore(image: LogImage, end: RaftIndex): { readonly index: RaftIndex; readonly membership: Membership } {
  const entry = image.entries.findLast((candidate) => candidate.kind === 'membership' && candidate.index < end);
  if (entry?.kind !== 'membership') return { index: image.snapshot.index, membership: image.snapshot.membership };
  return { index: entry.index, membership: entry.membership };
}

function mayFollow(before: Membership, after: Membership): boolean {
  if (before.outgoing.length > 0) return after.outgoing.length === 0 && same(after.voters, before.voters);
  if (after.outgoing.length > 0) return same(after.outgoing, before.voters);
  const changed = [...before.voters, ...after.voters].filter((id) => !(before.voters.includes(id) && after.voters.includes(id)));
  return changed.length <= 1;
}

const same = (left: readonly NodeId[], right: readonly NodeId[]): boolean =>
  left.length === right.length && left.every((id) => right.includes(id));

/** An acknowledged index is on the follower's disk, in the acknowledged term, with the leader's entry. */
export function checkAcknowledgement(ledger: Ledger, message: Sent): void {
  if (message.kind !== 'append-response' && message.kind !== 'snapshot-response') return;
  if (message.reject) return;
  const { from, index, term } = message;
  const { durable } = ledger.cluster.replicas.get(from)!.store;
  expectThat(ledger, durable.hardState.term >= term, 'I-R7', `${from} acknowledges in term ${term} before that term is on disk`);
  expectThat(ledger, lastIndexOf(durable) >= index, 'I-R7', `${from} acknowledges ${index}, its disk ends at ${lastIndexOf(durable)}`);
  const leader = ledger.cluster.replicas.get(ledger.leaderOfTerm.get(term) ?? message.to);
  if (leader?.raft === undefined || statusOf(leader.raft).term !== term) return;
  const expected = termAt(leader.store.view, index);
  const found = termAt(durable, index);
  const matches = expected === undefined || found === undefined || expected === found;
  expectThat(ledger, matches, 'I-R7', `${from} acknowledges ${index}@${expected}, its disk has ${index}@${found}`);
}

export const holdsDurably = (image: LogImage | undefined, entry: Entry<string>): boolean =>
  image !== undefined && (image.snapshot.index >= entry.index || entryAt(image, entry.index)?.term === entry.term);
