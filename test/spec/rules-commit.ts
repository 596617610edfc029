/** What is committed, by whom, and what is handed to the machine. */
import type { Membership } from '@balsa/node/core/raft/membership.ts';
import { termAt } from './log.ts';
import { durableOf, extendReign, type Group, isCommitted, isInLeaderLog, isQuorum, type Replica } from './model.ts';
import type { Step } from './step.ts';
import { must } from './violation.ts';

export function checkCommit(step: Step): void {
  const { before, status, replica, leads } = step;
  must(status.commit >= before.commit, 'commit-monotonic', () => ({ before: before.commit, after: status.commit }));
  must(status.commit <= replica.log.last, 'commit-in-log', () => ({ commit: status.commit, last: replica.log.last }));
  if (status.commit > before.commit) {
    if (leads) commitAsLeader(step);
    else checkFollowerCommit(step);
  }
  replica.commit = status.commit;
}

function commitAsLeader({ group, replica, before, status }: Step): void {
  const { commit, term, membership } = status;
  must(termAt(replica.log, commit) === term, 'commit-current-term', () => ({ commit, term, entryTerm: termAt(replica.log, commit) }));
  const memberships: readonly Membership[] = [before.membership, membership];
  const acknowledged = memberships.filter((each) => isQuorum(each, (node) => matchOf(replica, node) >= commit));
  must(acknowledged.length > 0, 'commit-quorum', () => ({
    commit,
    membership,
    match: [...replica.match],
    durable: durableOf(replica),
  }));
  const isOnDisks = acknowledged.some((each) => isQuorum(each, (node) => holds(group, node, commit, term)));
  must(isOnDisks, 'commit-durable', () => ({ commit, term, disks: [...group.replicas].map(([id, { disk }]) => [id, disk.log]) }));
  for (let index = before.commit + 1; index <= commit; index++) commitEntry(group, replica, index);
  group.commitsByTerm.set(term, Math.max(commit, group.commitsByTerm.get(term) ?? 0));
}

const matchOf = (replica: Replica, node: number): number => (node === replica.id ? durableOf(replica) : (replica.match.get(node) ?? 0));

/** Whether the entry survives a crash of `node`. */
function holds(group: Group, node: number, index: number, term: number): boolean {
  const replica = group.replicas.get(node);
  if (replica === undefined || replica.damaged) return replica !== undefined;
  return index <= durableOf(replica) && (index <= replica.disk.log.start || termAt(replica.disk.log, index) === term);
}

function commitEntry(group: Group, replica: Replica, index: number): void {
  const term = termAt(replica.log, index)!;
  const known = group.committed.get(index);
  must(known === undefined || known === term, 'state-machine-safety', () => ({ index, term, known }));
  if (known !== undefined) return;
  group.committed.set(index, term);
  group.committedLast = Math.max(group.committedLast, index);
  const membership = group.made.get(index)?.get(term)?.membership;
  extendReign(group, index, term, membership);
  if (membership !== undefined) group.committedMemberships.push({ index, membership });
}

function checkFollowerCommit({ group, replica, message, status }: Step): void {
  const { commit, term } = status;
  const bound = message === undefined || message.term !== term ? undefined : toldCommit(message);
  must(bound !== undefined, 'commit-cause', () => ({ commit, message }));
  const entryTerm = termAt(replica.log, commit);
  const isMatched = commit <= replica.log.start || isInLeaderLog(group, term, commit, entryTerm);
  must(commit <= bound && isMatched, 'commit-follower', () => ({ commit, bound, isMatched, message }));
  must(commit <= group.committedLast && isCommitted(group, commit, entryTerm!), 'state-machine-safety', () => ({
    commit,
    entryTerm,
    known: group.committed.get(commit),
    committedLast: group.committedLast,
  }));
}

/** How far a message of the leader lets a follower commit. */
function toldCommit(message: NonNullable<Step['message']>): number | undefined {
  switch (message.kind) {
    case 'append-request':
      return Math.min(message.commit, message.index + message.entries.length);
    case 'heartbeat-request':
      return message.commit;
    case 'snapshot-request':
      return message.snapshot.index;
    default:
      return undefined;
  }
}

export function checkHandOver({ replica, effects, status }: Step): void {
  const { committed } = effects;
  if (committed === undefined) return;
  const facts = () => ({ committed, handed: replica.handed, commit: status.commit, durable: durableOf(replica) });
  must(
    committed.first === replica.handed + 1 && committed.last >= committed.first && committed.last <= status.commit,
    'apply-order',
    facts,
  );
  must(committed.last <= durableOf(replica), 'apply-durable', facts);
  replica.handed = committed.last;
}
