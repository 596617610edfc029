/** Changes of the log: the leader's appends, a follower's, snapshots; and the memberships that follow it. */
import type { Membership } from '@balsa/node/core/raft/membership.ts';
import type { Entry } from '@balsa/node/core/raft/entry.ts';
import { cutAfter, emptyLog, extend, lastTermOf, termAt } from './log.ts';
import {
  checkMade,
  committedMembershipAt,
  currentMembership,
  durableOf,
  entryPrint,
  make,
  payloadPrint,
  sameMembership,
  isCommitted,
} from './model.ts';
import type { Step } from './step.ts';
import { precedes } from './take-input.ts';
import { must } from './violation.ts';

export function checkWrite(step: Step): void {
  const { effects, replica, before } = step;
  const { write } = effects;
  must(write !== undefined || effects.sendAfterWrite.length === 0, 'write-token', () => ({ sendAfterWrite: effects.sendAfterWrite }));
  if (write === undefined) return;
  must(write.token === replica.ordered + 1, 'write-token', () => ({ token: write.token, ordered: replica.ordered }));
  checkHardStateWrite(step);
  let limit = Number.POSITIVE_INFINITY;
  if (write.snapshot !== undefined) {
    installSnapshot(step);
    limit = before.commit;
  }
  const [first] = write.entries;
  if (first !== undefined) {
    limit = Math.min(limit, first.index - 1);
    if (step.leads) appendAsLeader(step, write.entries);
    else appendAsFollower(step, first, write.entries);
  }
  replica.ordered = write.token;
  replica.pending.push({
    token: write.token,
    hardState: write.hardState,
    snapshot: write.snapshot,
    entries: write.entries.map(({ index, term }) => ({ index, term })),
    limit,
  });
}

function checkHardStateWrite({ effects, replica, status }: Step): void {
  const hardState = effects.write?.hardState;
  if (hardState === undefined) return;
  const isCurrent = hardState.term === status.term && hardState.votedFor === (status.vote as number);
  const bound = Math.min(status.commit, Math.max(durableOf(replica), replica.disk.commit));
  must(isCurrent && hardState.commit <= bound, 'hard-state-written', () => ({ hardState, status, bound }));
}

/** Term and vote after the step are on their way to disk at least. */
export function checkHardState({ replica, status }: Step): void {
  const newest = replica.pending.findLast(({ hardState }) => hardState !== undefined)?.hardState;
  const term = newest?.term ?? replica.disk.term;
  const vote = newest?.votedFor ?? replica.disk.vote;
  must(term === status.term && vote === status.vote, 'hard-state-written', () => ({ ordered: { term, vote }, status }));
}

function appendAsLeader(step: Step, entries: readonly Entry<unknown>[]): void {
  const { group, replica, status } = step;
  for (const entry of entries) {
    const { index, term } = entry;
    must(index === replica.log.last + 1 && term === status.term, 'leader-append-only', () => ({ index, term, last: replica.log.last }));
    must(group.made.get(index)?.has(term) !== true, 'entry-unique', () => ({ index, term }));
    const membership = entry.kind === 'membership' ? entry.membership : undefined;
    make(group, index, term, { print: entryPrint(entry), previousTerm: lastTermOf(replica.log), membership });
    if (membership !== undefined) checkMembershipChange(step, membership);
    extend(replica.log, term);
    if (membership !== undefined) replica.memberships.push({ index, membership });
  }
}

function appendAsFollower(step: Step, first: Entry<unknown>, entries: readonly Entry<unknown>[]): void {
  const { group, replica, message, status, before } = step;
  const { log } = replica;
  must(message?.kind === 'append-request' && message.term === status.term, 'append-cause', () => ({ input: step.input.type, first }));
  must(precedes(replica, message), 'append-consistency', () => ({ index: message.index, indexTerm: message.indexTerm, log }));
  const sent = message.entries.slice(first.index - message.index - 1);
  const isSent = entries.length === sent.length && entries.every((entry, i) => isSame(entry, sent[i]));
  must(isSent && first.index <= log.last + 1, 'append-content', () => ({ first: first.index, entries: entries.length, sent, log }));
  if (first.index <= log.last) {
    must(first.index > before.commit, 'truncate-committed', () => ({ first: first.index, commit: before.commit }));
    must(termAt(log, first.index) !== first.term, 'truncate-conflict', () => ({ first: first.index, term: first.term, log }));
    cutAfter(log, first.index - 1);
    while (replica.memberships.at(-1)!.index > log.last) replica.memberships.pop();
  }
  for (const entry of entries) {
    checkMade(group, entry, lastTermOf(log));
    extend(log, entry.term);
    if (entry.kind === 'membership') replica.memberships.push({ index: entry.index, membership: entry.membership });
  }
}

const isSame = (a: Entry<unknown>, b: Entry<unknown> | undefined): boolean =>
  a === b || (a.index === b?.index && a.term === b.term && entryPrint(a) === entryPrint(b));

function installSnapshot({ group, replica, effects, message, status, before }: Step): void {
  const { index, term, membership } = effects.write!.snapshot!;
  const isAsked = message?.kind === 'snapshot-request' && message.term === status.term && message.snapshot.index === index;
  must(isAsked && message.snapshot.term === term, 'append-cause', () => ({ index, term, message }));
  must(index > before.commit, 'snapshot-behind', () => ({ index, commit: before.commit }));
  must(index <= group.committedLast && isCommitted(group, index, term), 'snapshot-committed', () => ({ index, term }));
  const known = committedMembershipAt(group, index);
  must(known === undefined || sameMembership(known.membership, membership), 'membership-follows-log', () => ({ membership, known }));
  replica.log = emptyLog(index, term);
  replica.memberships = [{ index, membership }];
  replica.handed = index;
  replica.applied = index;
}

/** The newest membership is committed, so is an entry of this term, and old and new majorities overlap. */
function checkMembershipChange({ replica, status, before }: Step, next: Membership): void {
  const newest = replica.memberships.at(-1)!;
  const commit = Math.max(before.commit, status.commit);
  must(newest.index <= commit, 'membership-one-at-a-time', () => ({ pending: newest, commit }));
  must(termAt(replica.log, Math.min(commit, replica.log.last)) === status.term, 'membership-own-term', () => ({ commit, status }));
  must(isLawfulChange(newest.membership, next), 'membership-step', () => ({ from: newest.membership, to: next }));
}

function isLawfulChange(from: Membership, to: Membership): boolean {
  const same = (a: readonly number[], b: readonly number[]): boolean => a.join() === b.join();
  if (from.outgoing.length > 0) return to.outgoing.length === 0 && same(from.voters, to.voters);
  if (to.outgoing.length > 0) return same(to.outgoing, from.voters);
  const [added, removed] = [to.voters.filter((id) => !from.voters.includes(id)), from.voters.filter((id) => !to.voters.includes(id))];
  return added.length + removed.length <= 1;
}

export function checkStatus({ replica, status }: Step): void {
  const { log } = replica;
  must(status.last.index === log.last && status.last.term === lastTermOf(log), 'status-log', () => ({ status: status.last, log }));
  const membership = currentMembership(replica);
  must(sameMembership(status.membership, membership), 'membership-follows-log', () => ({ status: status.membership, membership }));
  const durable = durableOf(replica);
  must(status.durable <= durable, 'durable-claim', () => ({ claimed: status.durable, durable, pending: replica.pending }));
}

/** Accepted commands are the entries appended, in order; refused ones leave no trace. */
export function checkAnswer({ input, effects, before, status }: Step): void {
  if (input.type !== 'propose') return;
  const { accepted, refused, write } = effects;
  const entries = write?.entries ?? [];
  const facts = () => ({ accepted, refused, entries, before, status });
  must((accepted === undefined) !== (refused === undefined), 'propose-answer', facts);
  if (accepted === undefined) {
    must(entries.length === 0, 'propose-answer', facts);
    return;
  }
  const isAll = entries.length === input.commands.length && accepted.last - accepted.first + 1 === entries.length;
  const isInOrder = entries.every(
    (entry, i) => entry.kind === 'command' && payloadPrint(entry.payload) === payloadPrint(input.commands[i]!.payload),
  );
  must(isAll && isInOrder && accepted.first === before.last + 1 && accepted.term === status.term, 'propose-answer', facts);
}
