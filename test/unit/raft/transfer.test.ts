/** Handing leadership over: nothing is lost, and it does not last. */
import { describe, expect, test } from 'vitest';
import { asNodeId } from '@balsa/node/core/ids.ts';
import { acknowledge, lead, membershipOf, persistAll, propose, receive, replicaOf, sent, take, ticks } from './replica.ts';

const transfer = (raft: ReturnType<typeof replicaOf>, target: number) => take(raft, { type: 'transfer', target: asNodeId(target) });

describe('a leader that hands over', () => {
  test('tells a target that has everything to campaign at once', () => {
    const effects = transfer(lead(replicaOf(), [2, 3]), 3);
    expect(effects.accepted).toBeDefined();
    expect(effects.send.map(({ kind, to }) => [kind, to])).toEqual([['timeout-now', 3]]);
  });

  test('brings a target that lags up to date first', () => {
    const raft = lead(replicaOf(), [2, 3]);
    propose(raft, 10);
    expect(sent(transfer(raft, 3), 'timeout-now')).toEqual([]);
    expect(sent(acknowledge(raft, 2), 'timeout-now')).toEqual([]);
    expect(sent(acknowledge(raft, 3), 'timeout-now').map(({ to }) => to)).toEqual([3]);
  });

  test('accepts nothing meanwhile', () => {
    const raft = lead(replicaOf());
    transfer(raft, 3);
    expect(propose(raft, 10).refused).toBe('transferring');
    expect(take(raft, { type: 'change-membership', target: { voters: [asNodeId(1)], learners: [] } }).refused).toBe('transferring');
    expect(transfer(raft, 2).refused).toBe('transferring');
    expect(transfer(raft, 3).accepted).toBeDefined();
  });

  test('goes on as leader after an election time-out, or when the target is gone', () => {
    const raft = lead(replicaOf());
    transfer(raft, 3);
    ticks(raft, 5);
    receive(raft, 'heartbeat-response', 2, 1);
    ticks(raft, 5);
    expect(propose(raft, 10).accepted).toBeDefined();
    transfer(raft, 3);
    take(raft, { type: 'peer-lost', node: asNodeId(3) });
    expect(propose(raft, 10).accepted).toBeDefined();
  });

  test('refuses a target that is itself, a learner or unknown', () => {
    const raft = lead(replicaOf({ membership: membershipOf([1, 2, 3], { learners: [asNodeId(4)] }) }));
    for (const target of [1, 4, 9]) expect(transfer(raft, target).refused).toBe('invalid-target');
  });

  test('refuses as a follower', () => {
    expect(transfer(replicaOf(), 2).refused).toBe('not-leader');
  });
});

describe('a node that is told to campaign', () => {
  test('skips the pre-vote, and says that the leader wants it', () => {
    const raft = replicaOf({ terms: [1] });
    receive(raft, 'heartbeat-request', 3, 1);
    const effects = receive(raft, 'timeout-now', 3, 1);
    expect([raft.role, raft.term]).toEqual(['candidate', 2]);
    expect(effects.sendAfterWrite).toMatchObject([
      { kind: 'vote-request', term: 2, transfer: true, preVote: false },
      { kind: 'vote-request', term: 2, transfer: true, preVote: false },
    ]);
  });

  test('ignores it when it comes late: as candidate, as leader, or in a newer term', () => {
    const candidate = replicaOf({ config: { preVote: false } });
    take(candidate, { type: 'campaign' });
    receive(candidate, 'timeout-now', 3, 1);
    expect([candidate.role, candidate.term]).toEqual(['candidate', 1]);
    const leader = lead(replicaOf());
    receive(leader, 'timeout-now', 3, 1);
    expect([leader.role, leader.term]).toEqual(['leader', 1]);
    const follower = replicaOf({ term: 5 });
    receive(follower, 'timeout-now', 3, 4);
    expect([follower.role, follower.term]).toEqual(['follower', 5]);
  });
});

test('the old leader votes for the new one and follows it', () => {
  const raft = lead(replicaOf(), [2, 3]);
  transfer(raft, 3);
  const effects = receive(raft, 'vote-request', 3, 2, { index: 1, indexTerm: 1, transfer: true });
  expect(effects.sendAfterWrite).toMatchObject([{ kind: 'vote-response', to: 3, reject: false }]);
  persistAll(raft);
  receive(raft, 'heartbeat-request', 3, 2);
  expect([raft.role, raft.leader]).toEqual(['follower', 3]);
});
