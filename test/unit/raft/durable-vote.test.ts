/** What a replica must have on disk before it answers, where the term alone does not tell. */
import { expect, test } from 'vitest';
import { entriesAfter, membershipOf, persistAll, receive, replicaOf, take } from './replica.ts';

test('a vote in a term that is on disk already is written, too', () => {
  const raft = replicaOf({ terms: [3], term: 4 });
  const effects = receive(raft, 'vote-request', 2, 4, { index: 1, indexTerm: 3 });
  expect(effects.write?.hardState).toMatchObject({ term: 4, votedFor: 2 });
  expect(effects.send).toEqual([]);
  const { hardState } = effects.write!;
  const restarted = replicaOf({ terms: [3], term: hardState!.term, votedFor: hardState!.votedFor });
  expect(receive(restarted, 'vote-request', 3, 4, { index: 1, indexTerm: 3 }).send).toMatchObject([
    { kind: 'vote-response', reject: true },
  ]);
});

test('a term that a leader brings is written before its entries are acknowledged', () => {
  const raft = replicaOf({ terms: [3] });
  const effects = receive(raft, 'append-request', 2, 5, { index: 1, indexTerm: 3, entries: entriesAfter(1, 5) });
  expect(effects.write?.hardState).toMatchObject({ term: 5, votedFor: 0 });
  expect(effects.send).toEqual([]);
});

test('a pre-vote that was granted for an earlier campaign does not count for this one', () => {
  const raft = replicaOf({ membership: membershipOf([1, 2, 3, 4, 5]) });
  take(raft, { type: 'campaign' });
  receive(raft, 'heartbeat-request', 5, 1);
  take(raft, { type: 'peer-lost', node: raft.leader });
  take(raft, { type: 'campaign' });
  expect([raft.role, raft.term]).toEqual(['pre-candidate', 1]);
  for (const voter of [2, 3, 4]) receive(raft, 'vote-response', voter, 1, { preVote: true });
  persistAll(raft);
  expect([raft.role, raft.term]).toEqual(['pre-candidate', 1]);
  for (const voter of [2, 3]) receive(raft, 'vote-response', voter, 2, { preVote: true });
  expect([raft.role, raft.term]).toEqual(['candidate', 2]);
});
