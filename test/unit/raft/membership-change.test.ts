/** Membership changes: when they are in force, how many at a time, and who leaves. */
import { describe, expect, test } from 'vitest';
import { asRaftIndex } from '@balsa/node/core/ids.ts';
import type { Membership } from '@balsa/node/core/raft/membership.ts';
import { currentMembership, membershipAt } from '@balsa/node/core/raft/state.ts';
import { acknowledge, elect, ids, lead, membershipOf, persistAll, propose, receive, replicaOf, sent, take } from './replica.ts';

const change = (raft: ReturnType<typeof replicaOf>, voters: number[], learners: number[] = []) =>
  take(raft, { type: 'change-membership', target: { voters: ids(...voters), learners: ids(...learners) } });

const settled = (raft: ReturnType<typeof replicaOf>, ...nodes: number[]): void => {
  persistAll(raft);
  for (const node of nodes) if (raft.leading !== undefined) acknowledge(raft, node);
};

describe('a change', () => {
  test('of one voter is simple, and in force as soon as it is appended', () => {
    const raft = lead(replicaOf());
    const effects = change(raft, [1, 2, 3, 4]);
    expect(effects.accepted).toEqual({ term: 1, first: 2, last: 2 });
    expect(effects.write?.entries).toMatchObject([{ kind: 'membership', membership: membershipOf([1, 2, 3, 4]) }]);
    expect(currentMembership(raft).voters).toEqual([1, 2, 3, 4]);
    settled(raft, 2);
    expect(raft.commit).toBe(1);
    settled(raft, 4);
    expect(raft.commit).toBe(2);
  });

  test('of two voters goes through a joint membership, which is left exactly once', () => {
    const raft = lead(replicaOf());
    const effects = change(raft, [1, 4, 5]);
    const joint: Membership = { voters: ids(1, 4, 5), outgoing: ids(1, 2, 3), learners: [], learnersNext: [], autoLeave: true };
    expect(effects.write?.entries).toMatchObject([{ membership: joint }]);
    settled(raft, 4, 5);
    expect(raft.commit).toBe(1);
    persistAll(raft);
    const left = acknowledge(raft, 2);
    expect(raft.commit).toBe(2);
    expect(left.write?.entries).toMatchObject([{ index: 3, membership: membershipOf([1, 4, 5]) }]);
    settled(raft, 4, 5);
    expect([raft.commit, currentMembership(raft)]).toEqual([3, membershipOf([1, 4, 5])]);
    expect([...raft.leading!.progress.keys()]).toEqual([1, 4, 5]);
  });

  test('that demotes voters keeps them as voters until the joint phase ends', () => {
    const raft = lead(replicaOf());
    change(raft, [1], [2, 3, 9]);
    expect(currentMembership(raft)).toMatchObject({ voters: [1], outgoing: [1, 2, 3], learners: [9], learnersNext: [2, 3] });
    settled(raft, 2);
    expect(currentMembership(raft)).toEqual(membershipOf([1], { learners: ids(2, 3, 9) }));
  });

  test('of learners only, or of one voter to learner, is simple', () => {
    const raft = lead(replicaOf());
    change(raft, [1, 2, 3], [4, 5, 6]);
    expect(currentMembership(raft)).toEqual(membershipOf([1, 2, 3], { learners: ids(4, 5, 6) }));
    settled(raft, 2);
    change(raft, [1, 2], [3, 4]);
    expect(currentMembership(raft)).toEqual(membershipOf([1, 2], { learners: ids(3, 4) }));
  });

  test('to a new leader of a joint membership finishes what the old one began', () => {
    const joint: Membership = { voters: ids(1, 4, 5), outgoing: ids(1, 2, 3), learners: [], learnersNext: [], autoLeave: true };
    const raft = replicaOf({ terms: [1, 1], commit: 1, memberships: new Map([[2, joint]]) });
    elect(raft, [2, 4]);
    settled(raft, 2, 4);
    expect(currentMembership(raft)).toEqual(membershipOf([1, 4, 5]));
  });
});

describe('a change is refused', () => {
  test('by a follower', () => {
    expect(change(replicaOf(), [1, 2]).refused).toBe('not-leader');
  });

  test('before the leader has committed an entry of its own term', () => {
    const raft = replicaOf({ terms: [1], commit: 1 });
    elect(raft);
    expect(change(raft, [1, 2]).refused).toBe('membership-change-pending');
    settled(raft, 2);
    expect(change(raft, [1, 2]).accepted).toBeDefined();
  });

  test('while one is uncommitted, and while the membership is joint', () => {
    const raft = lead(replicaOf());
    change(raft, [1, 4, 5]);
    expect(change(raft, [1, 2, 3]).refused).toBe('membership-change-pending');
    settled(raft, 2, 4);
    expect(change(raft, [1, 2, 3]).refused).toBe('membership-change-pending');
    settled(raft, 4);
    expect(change(raft, [1, 4]).accepted).toBeDefined();
  });

  test.each([
    { name: 'no voters', voters: [], learners: [1] },
    { name: 'a voter twice', voters: [1, 1, 2], learners: [] },
    { name: 'a voter that is a learner', voters: [1, 2], learners: [2] },
    { name: 'no node', voters: [0, 1], learners: [] },
    { name: 'a node id beyond 16 bits', voters: [1, 65_536], learners: [] },
  ])('if it makes no sense: $name', ({ voters, learners }) => {
    const effects = change(lead(replicaOf()), voters, learners);
    expect([effects.refused, effects.write]).toEqual(['invalid-membership', undefined]);
  });
});

test('the membership follows the log: cut off, the one before is in force again', () => {
  const raft = replicaOf({ terms: [1], commit: 1 });
  const membership = membershipOf([1, 2, 3, 4]);
  const entry = { index: asRaftIndex(2), term: 1 as never, size: 10, kind: 'membership', membership };
  receive(raft, 'append-request', 2, 1, { index: 1, indexTerm: 1, entries: [entry] });
  expect([currentMembership(raft), membershipAt(raft, asRaftIndex(1))]).toEqual([membership, membershipOf([1, 2, 3])]);
  receive(raft, 'append-request', 3, 2, { index: 1, indexTerm: 1, entries: [{ index: 2, term: 2, size: 0, kind: 'noop' }] });
  expect(currentMembership(raft)).toEqual(membershipOf([1, 2, 3]));
});

describe('a leader that removes itself', () => {
  test('does not count itself, goes on until the change is committed, then names a successor', () => {
    const raft = lead(replicaOf(), [2, 3]);
    change(raft, [2, 3]);
    expect(propose(raft, 10).accepted).toBeDefined();
    settled(raft, 2);
    expect([raft.role, raft.commit]).toEqual(['leader', 1]);
    const effects = acknowledge(raft, 3);
    expect(effects.soft).toMatchObject({ role: 'follower', leader: 0 });
    expect(raft.commit).toBe(3);
    expect(sent(effects, 'timeout-now').map(({ to }) => to)).toEqual([2]);
    expect(sent(effects, 'append-request')).toMatchObject([{ commit: 3 }, { commit: 3 }]);
  });

  test('through a joint membership stays until that is left', () => {
    const raft = lead(replicaOf());
    change(raft, [4, 5]);
    settled(raft, 2, 4, 5);
    expect([raft.role, raft.commit]).toEqual(['leader', 2]);
    settled(raft, 4, 5);
    expect([raft.role, raft.commit]).toEqual(['follower', 3]);
  });

  test('gives up the reads that wait', () => {
    const raft = lead(replicaOf());
    change(raft, [2, 3]);
    take(raft, { type: 'read', context: 5 });
    settled(raft, 2);
    expect(acknowledge(raft, 3).readsRefused).toEqual([{ context: 5, refusal: 'not-leader' }]);
  });
});

test('a new member is probed, and a removed one hears nothing more', () => {
  const raft = lead(replicaOf(), [2, 3]);
  const effects = change(raft, [1, 2], [4]);
  expect(sent(effects, 'append-request').map(({ to, index }) => [to, index])).toEqual([
    [2, 1],
    [4, 1],
  ]);
});
