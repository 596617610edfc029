/** What is committed: by counting, on disk, and only in the leader's own term. */
import { describe, expect, test } from 'vitest';
import { acknowledge, elect, entriesAfter, lead, membershipOf, persistAll, propose, receive, replicaOf, take } from './replica.ts';

describe('counting', () => {
  test('an entry of an older term is not committed by counting it (Raft paper, figure 8)', () => {
    const raft = replicaOf({ terms: [1, 2], term: 3, commit: 1 });
    elect(raft);
    persistAll(raft);
    acknowledge(raft, 2, 2);
    expect(raft.commit).toBe(1);
    acknowledge(raft, 2, 3);
    expect(raft.commit).toBe(3);
  });

  test('the leader counts itself only when its own disk has the entry', () => {
    const raft = lead(replicaOf());
    propose(raft, 10);
    acknowledge(raft, 2);
    expect(raft.commit).toBe(1);
    persistAll(raft);
    expect(raft.commit).toBe(2);
  });

  test('a majority of other disks commits ahead of the leader, which applies after its own', () => {
    const raft = lead(replicaOf(), [2, 3]);
    propose(raft, 10);
    acknowledge(raft, 2);
    const effects = acknowledge(raft, 3);
    expect([raft.commit, effects.committed]).toEqual([2, undefined]);
    expect(persistAll(raft).committed).toEqual({ first: 2, last: 2 });
  });

  test('learners do not count', () => {
    const raft = lead(replicaOf({ membership: membershipOf([1, 2, 3], { learners: [4 as never] }) }));
    propose(raft, 10);
    persistAll(raft);
    acknowledge(raft, 4);
    expect(raft.commit).toBe(1);
  });

  test('a joint membership needs both halves', () => {
    const joint = membershipOf([1, 2, 3], { outgoing: [4 as never, 5 as never, 6 as never] });
    const raft = replicaOf({ membership: joint });
    elect(raft, [2, 4, 5]);
    persistAll(raft);
    for (const node of [2, 3, 4]) acknowledge(raft, node);
    expect(raft.commit).toBe(0);
    acknowledge(raft, 5);
    expect(raft.commit).toBe(1);
  });
});

describe('the report that a write is on disk', () => {
  const append = (raft: ReturnType<typeof replicaOf>, from: number, term: number, index: number, indexTerm: number, terms: number[]) =>
    receive(raft, 'append-request', from, term, { index, indexTerm, entries: entriesAfter(index, ...terms) }).write!.token;

  test('does not count for entries that were overwritten meanwhile', () => {
    const raft = replicaOf({ terms: [1], term: 1 });
    const first = append(raft, 2, 1, 1, 1, [1, 1]);
    append(raft, 3, 2, 1, 1, [2]);
    take(raft, { type: 'persisted', token: first });
    expect(raft.durability.durable).toBe(1);
    persistAll(raft);
    expect(raft.durability.durable).toBe(2);
  });

  test('does not count when the same entry came back after it was overwritten', () => {
    const raft = replicaOf({ terms: [1], term: 1 });
    const first = append(raft, 2, 1, 1, 1, [1]);
    const second = append(raft, 3, 2, 1, 1, [2]);
    const third = append(raft, 2, 3, 1, 1, [1, 3]);
    take(raft, { type: 'persisted', token: first });
    take(raft, { type: 'persisted', token: second });
    expect(raft.durability.durable).toBe(1);
    take(raft, { type: 'persisted', token: third });
    expect(raft.durability.durable).toBe(3);
  });

  test('does not count for the log before a snapshot was installed over it', () => {
    const raft = replicaOf({ terms: [1], term: 1 });
    const first = append(raft, 2, 1, 1, 1, [1, 1]);
    receive(raft, 'snapshot-request', 3, 2, { snapshot: { index: 9, term: 2, membership: membershipOf([1, 2, 3]), state: 's' } });
    take(raft, { type: 'persisted', token: first });
    expect(raft.durability.durable).toBe(0);
    persistAll(raft);
    expect(raft.durability.durable).toBe(9);
  });

  test('may come late or twice, but not for a write that was never ordered', () => {
    const raft = lead(replicaOf());
    take(raft, { type: 'persisted', token: 1 });
    expect(() => take(raft, { type: 'persisted', token: 99 })).toThrow('only ordered writes');
  });

  test('the commit index is saved with other writes, and never ahead of the disk', () => {
    const raft = replicaOf({ term: 1 });
    const first = receive(raft, 'append-request', 2, 1, { entries: entriesAfter(0, 1, 1), commit: 2 });
    expect(first.write?.hardState).toBeUndefined();
    persistAll(raft);
    const second = receive(raft, 'append-request', 2, 1, { index: 2, indexTerm: 1, entries: entriesAfter(2, 1), commit: 3 });
    expect(second.write?.hardState).toEqual({ term: 1, votedFor: 0, commit: 2 });
    const heartbeat = receive(raft, 'heartbeat-request', 2, 1, { commit: 3 });
    expect(heartbeat.write).toBeUndefined();
  });
});

test('what was applied is not handed over again after a restart', () => {
  const raft = replicaOf({ start: [3, 1], terms: [1, 1], commit: 4 });
  expect(take(raft, { type: 'tick', now: 1 }).committed).toEqual({ first: 4, last: 4 });
  expect(take(raft, { type: 'tick', now: 2 }).committed).toBeUndefined();
  expect(() => take(raft, { type: 'applied', index: 5 as never })).toThrow('only what was handed over');
});

test('a log that contradicts its hard state does not start', () => {
  expect(() => replicaOf({ terms: [1, 2], term: 1 })).toThrow('no entry is newer than the hard state');
  expect(() => replicaOf({ terms: [1, 2], commit: 3 })).toThrow('everything committed is in the log');
});
