/**
 * What must hold between any two steps. Checked after every step, in production too:
 * a node that finds one broken stops before it can tell anybody about it.
 */
import { assert } from '../assert.ts';
import type { RaftIndex, Term } from '../ids.ts';
import { lastIndex } from './log.ts';
import { newestMembership } from './membership-log.ts';
import { hasOwnCommit } from './read-index.ts';
import type { RaftState } from './state.ts';

/** Values that never go back. */
export interface Ratchet {
  readonly term: Term;
  readonly votedFor: number;
  readonly commit: RaftIndex;
  readonly handed: RaftIndex;
  readonly applied: RaftIndex;
  readonly start: RaftIndex;
}

export const ratchetOf = ({ term, votedFor, commit, handed, applied, log }: RaftState): Ratchet => ({
  term,
  votedFor,
  commit,
  handed,
  applied,
  start: log.start,
});

export function checkInvariants(state: RaftState, before: Ratchet): void {
  checkRatchet(ratchetOf(state), before);
  checkOrder(state);
  if (state.leading !== undefined || state.role === 'leader') checkLeader(state);
}

function checkRatchet(after: Ratchet, before: Ratchet): void {
  const details = { before, after };
  assert(after.term >= before.term, 'the term never decreases', details);
  assert(after.term > before.term || before.votedFor === 0 || after.votedFor === before.votedFor, 'a vote is given once per term', details);
  assert(after.commit >= before.commit, 'the commit index never decreases', details);
  assert(after.handed >= before.handed && after.applied >= before.applied, 'nothing is applied twice', details);
  assert(after.start >= before.start, 'the log start never goes back', details);
}

function checkOrder({ log, commit, handed, applied, durability }: RaftState): void {
  const { durable } = durability;
  const last = lastIndex(log);
  const details = { start: log.start, applied, handed, commit, durable, last };
  assert(
    log.start <= applied && applied <= handed && handed <= commit && commit <= last,
    'start <= applied <= handed <= commit <= last',
    details,
  );
  assert(durable <= last, 'nothing is durable beyond the log', details);
}

function checkLeader(state: RaftState): void {
  const { leading, role, leader, config, log, durability, commit } = state;
  assert(leading !== undefined && role === 'leader' && leader === config.self, 'the role leader and its state go together', {
    role,
    leader,
  });
  const last = lastIndex(log);
  for (const { node, match, next } of leading.progress.values()) {
    assert(match < next && next <= last + 1, 'match < next <= last + 1', { node, match, next, last });
  }
  const own = leading.progress.get(config.self)?.match ?? 0;
  assert(own <= durability.durable, 'the leader counts itself only as far as its disk', { own, durable: durability.durable });
  const pending = state.memberships.records.filter((record) => record.index > commit).length;
  assert(pending <= 1 || !hasOwnCommit(state), 'at most one membership is uncommitted', {
    pending,
    newest: newestMembership(state.memberships).index,
  });
  assert(leading.uncommittedBytes >= 0, 'uncommitted bytes are never negative', { uncommittedBytes: leading.uncommittedBytes });
}
