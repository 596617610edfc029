/** Elections (Raft paper, sections 5.2 and 5.4.1), pre-vote, check-quorum and who may vote or stand. */
import { describe, expect, test } from 'vitest';
import { acknowledge, elect, lead, membershipOf, persistAll, receive, replicaOf, sent, take, ticks } from './replica.ts';

describe('a follower without a leader', () => {
  test('asks for pre-votes within the election time-out and keeps its term', () => {
    const raft = replicaOf();
    const quiet = ticks(raft, 9).flatMap(({ send }) => send);
    const requests = ticks(raft, 11).flatMap((effects) => sent(effects, 'vote-request'));
    expect(quiet).toEqual([]);
    expect(requests.slice(0, 2).map(({ to, term, preVote }) => ({ to, term, preVote }))).toEqual([
      { to: 2, term: 1, preVote: true },
      { to: 3, term: 1, preVote: true },
    ]);
    expect(raft.term).toBe(0);
  });

  test('draws different time-outs for different nodes of the same seed', () => {
    const drawn = new Set([1, 2, 3, 4, 5].map((self) => replicaOf({ self, membership: membershipOf([1, 2, 3, 4, 5]) }).electionTicks));
    expect(drawn.size).toBeGreaterThan(2);
  });

  test('goes back to follower when a majority refuses the pre-vote', () => {
    const raft = replicaOf();
    take(raft, { type: 'campaign' });
    receive(raft, 'vote-response', 2, 0, { preVote: true, reject: true });
    expect(raft.role).toBe('pre-candidate');
    receive(raft, 'vote-response', 3, 0, { preVote: true, reject: true });
    expect(raft.role).toBe('follower');
    expect(raft.term).toBe(0);
  });
});

describe('a candidate', () => {
  test('writes its vote before it asks for others', () => {
    const raft = replicaOf();
    take(raft, { type: 'campaign' });
    const effects = receive(raft, 'vote-response', 2, 1, { preVote: true });
    expect(effects.write?.hardState).toEqual({ term: 1, votedFor: 1, commit: 0 });
    expect(effects.send).toEqual([]);
    expect(effects.sendAfterWrite.map(({ kind, to }) => [kind, to])).toEqual([
      ['vote-request', 2],
      ['vote-request', 3],
    ]);
  });

  test('does not lead before its own vote is on disk, whoever voted for it', () => {
    const raft = replicaOf();
    take(raft, { type: 'campaign' });
    receive(raft, 'vote-response', 2, 1, { preVote: true });
    receive(raft, 'vote-response', 2, 1);
    receive(raft, 'vote-response', 3, 1);
    expect(raft.role).toBe('candidate');
    persistAll(raft);
    expect(raft.role).toBe('leader');
  });

  test('does not take a late report for its vote in a newer term', () => {
    const raft = replicaOf({ config: { preVote: false } });
    take(raft, { type: 'campaign' });
    const stale = raft.durability.nextToken - 1;
    ticks(raft, 20);
    expect([raft.role, raft.term]).toEqual(['candidate', 2]);
    take(raft, { type: 'persisted', token: stale });
    receive(raft, 'vote-response', 2, 2);
    expect(raft.role).toBe('candidate');
  });

  test('ignores votes of another term, repeated votes and pre-votes', () => {
    const raft = replicaOf({ membership: membershipOf([1, 2, 3, 4, 5]), config: { preVote: false } });
    take(raft, { type: 'campaign' });
    persistAll(raft);
    receive(raft, 'vote-response', 2, 1);
    receive(raft, 'vote-response', 2, 1);
    receive(raft, 'vote-response', 3, 1, { preVote: true });
    receive(raft, 'vote-response', 4, 0);
    expect(raft.role).toBe('candidate');
  });

  test('follows the leader of its term', () => {
    const raft = replicaOf({ config: { preVote: false } });
    take(raft, { type: 'campaign' });
    receive(raft, 'heartbeat-request', 3, 1);
    expect([raft.role, raft.leader]).toEqual(['follower', 3]);
  });

  test('appends an entry of its own term first when it leads, and sends it at once', () => {
    const effects = elect(replicaOf({ terms: [1, 1] }));
    expect(effects.write?.entries).toEqual([{ index: 3, term: 2, kind: 'noop', size: 0 }]);
    expect(sent(effects, 'append-request').map(({ to, index, indexTerm, entries }) => ({ to, index, indexTerm, entries }))).toEqual([
      { to: 2, index: 2, indexTerm: 1, entries: { first: 3, last: 3 } },
      { to: 3, index: 2, indexTerm: 1, entries: { first: 3, last: 3 } },
    ]);
  });
});

describe('a voter', () => {
  const ask = { index: 2, indexTerm: 1 };

  test('writes its vote before it answers, and votes once per term', () => {
    const raft = replicaOf({ terms: [1, 1] });
    const effects = receive(raft, 'vote-request', 2, 2, ask);
    expect(effects.send).toEqual([]);
    expect(effects.sendAfterWrite).toMatchObject([{ kind: 'vote-response', to: 2, term: 2, reject: false }]);
    expect(effects.write?.hardState).toMatchObject({ term: 2, votedFor: 2 });
    expect(sent(receive(raft, 'vote-request', 3, 2, ask), 'vote-response')).toMatchObject([{ reject: true }]);
    expect(receive(raft, 'vote-request', 2, 2, ask).sendAfterWrite).toMatchObject([{ reject: false }]);
  });

  test('remembers its vote over a restart', () => {
    const raft = replicaOf({ terms: [1, 1], term: 2, votedFor: 2 });
    expect(sent(receive(raft, 'vote-request', 3, 2, ask), 'vote-response')).toMatchObject([{ reject: true }]);
  });

  test.each([
    { terms: [1, 1], index: 2, indexTerm: 1, granted: true },
    { terms: [1, 1], index: 1, indexTerm: 1, granted: false },
    { terms: [1, 1], index: 1, indexTerm: 2, granted: true },
    { terms: [1, 2], index: 9, indexTerm: 1, granted: false },
  ])('grants only to a log at least as long: $terms against ($index, $indexTerm)', ({ terms, index, indexTerm, granted }) => {
    for (const preVote of [false, true]) {
      const effects = receive(replicaOf({ terms }), 'vote-request', 2, 5, { index, indexTerm, preVote });
      expect([...effects.send, ...effects.sendAfterWrite]).toMatchObject([{ kind: 'vote-response', reject: !granted, preVote }]);
    }
  });

  test('grants a pre-vote without a trace', () => {
    const raft = replicaOf({ terms: [1, 1] });
    const effects = receive(raft, 'vote-request', 2, 2, { ...ask, preVote: true });
    expect(effects.write).toBeUndefined();
    expect(sent(effects, 'vote-response')).toMatchObject([{ term: 2, reject: false, preVote: true }]);
    expect([raft.term, raft.votedFor]).toEqual([1, 0]);
  });

  test('votes as a learner, and as a node that its own membership does not know', () => {
    const learner = replicaOf({ self: 4, terms: [1, 1], membership: membershipOf([1, 2, 3], { learners: [4 as never] }) });
    const stranger = replicaOf({ self: 9, terms: [1, 1] });
    for (const raft of [learner, stranger]) {
      expect(receive(raft, 'vote-request', 7, 2, ask).sendAfterWrite).toMatchObject([{ reject: false }]);
    }
  });

  test('keeps its election timer when it refuses a candidate of a higher term', () => {
    const raft = replicaOf({ terms: [1, 2] });
    ticks(raft, 6);
    receive(raft, 'vote-request', 3, 7, { index: 1, indexTerm: 1 });
    expect([raft.term, raft.electionElapsed]).toEqual([7, 6]);
  });
});

describe('a node under a live leader', () => {
  test('refuses votes and pre-votes, whatever their term, and keeps its own', () => {
    const raft = replicaOf({ term: 1 });
    receive(raft, 'heartbeat-request', 3, 1);
    for (const preVote of [true, false]) receive(raft, 'vote-request', 2, 9, { index: 9, indexTerm: 9, preVote });
    expect([raft.term, raft.leader, raft.votedFor]).toEqual([1, 3, 0]);
  });

  test('votes again once the minimum time-out has passed', () => {
    const raft = replicaOf({ term: 1, config: { electionTicksMin: 5, electionTicksMax: 50 } });
    receive(raft, 'heartbeat-request', 3, 1);
    raft.electionTicks = 50;
    ticks(raft, 5);
    const effects = receive(raft, 'vote-request', 2, 2, { index: 9, indexTerm: 9 });
    expect(effects.sendAfterWrite).toMatchObject([{ reject: false }]);
  });

  test('votes at once for a candidate that the leader named', () => {
    const raft = replicaOf({ term: 1 });
    receive(raft, 'heartbeat-request', 3, 1);
    const effects = receive(raft, 'vote-request', 2, 2, { index: 9, indexTerm: 9, transfer: true });
    expect(effects.sendAfterWrite).toMatchObject([{ reject: false, term: 2 }]);
  });

  test('as the leader is not deposed by a candidate that it does not hear', () => {
    const raft = lead(replicaOf());
    receive(raft, 'vote-request', 9, 8, { index: 99, indexTerm: 7 });
    expect([raft.role, raft.term]).toEqual(['leader', 1]);
  });
});

describe('terms', () => {
  test('a leader steps down when a member answers with a higher term', () => {
    const raft = lead(replicaOf());
    const effects = receive(raft, 'heartbeat-response', 2, 5);
    expect(effects.soft).toEqual({ role: 'follower', leader: 0, term: 5 });
  });

  test('answers of nodes that are not members change nothing', () => {
    const raft = lead(replicaOf());
    receive(raft, 'append-response', 9, 5, { reject: true });
    receive(raft, 'vote-response', 9, 5, { reject: true });
    expect([raft.role, raft.term]).toEqual(['leader', 1]);
  });

  test('a leader of an older term is told of the newer one', () => {
    const raft = replicaOf({ term: 5 });
    for (const kind of ['append-request', 'heartbeat-request'] as const) {
      expect(sent(receive(raft, kind, 2, 3), 'append-response')).toMatchObject([{ to: 2, term: 5, reject: true }]);
    }
  });

  test('a pre-candidate of an older term is told of the newer one', () => {
    expect(sent(receive(replicaOf({ term: 5 }), 'vote-request', 2, 3, { preVote: true }), 'vote-response')).toMatchObject([
      { term: 5, reject: true },
    ]);
  });

  test('two leaders of one term stop the node', () => {
    const raft = lead(replicaOf());
    expect(() => receive(raft, 'heartbeat-request', 2, 1)).toThrow('a term has one leader');
  });
});

describe('check-quorum', () => {
  test('a leader that hears no majority steps down within two minimum time-outs', () => {
    const raft = lead(replicaOf());
    ticks(raft, 20);
    expect([raft.role, raft.leader]).toEqual(['follower', 0]);
  });

  test('a leader that hears a majority stays, and learners are no majority', () => {
    const raft = lead(replicaOf({ membership: membershipOf([1, 2, 3], { learners: [4 as never, 5 as never] }) }));
    for (let round = 0; round < 30; round++) {
      receive(raft, 'heartbeat-response', 3, 1);
      ticks(raft, 2);
    }
    expect(raft.role).toBe('leader');
    for (let round = 0; round < 10; round++) {
      for (const learner of [4, 5]) receive(raft, 'heartbeat-response', learner, 1);
      ticks(raft, 2);
    }
    expect(raft.role).not.toBe('leader');
  });

  test('a joint membership needs a majority of both halves', () => {
    const joint = membershipOf([1, 2, 3], { outgoing: [1 as never, 4 as never, 5 as never] });
    const raft = lead(replicaOf({ membership: joint }), [2, 4]);
    for (let round = 0; round < 20; round++) {
      receive(raft, 'heartbeat-response', 2, 1);
      receive(raft, 'heartbeat-response', 3, 1);
      ticks(raft, 1);
    }
    expect(raft.role).toBe('follower');
  });
});

describe('who may stand for election', () => {
  test('neither a learner nor a removed node, however long it waits', () => {
    const learner = replicaOf({ self: 4, membership: membershipOf([1, 2, 3], { learners: [4 as never] }) });
    const removed = replicaOf({ self: 9 });
    for (const raft of [learner, removed]) {
      const messages = ticks(raft, 100).flatMap(({ send }) => send);
      take(raft, { type: 'campaign' });
      receive(raft, 'timeout-now', 1, 1);
      expect([raft.role, messages]).toEqual(['follower', []]);
    }
  });

  test('a node whose removal is not committed, without counting itself', () => {
    const raft = replicaOf({ terms: [1, 1], commit: 1, memberships: new Map([[2, membershipOf([2, 3])]]), config: { preVote: false } });
    take(raft, { type: 'campaign' });
    expect(raft.role).toBe('candidate');
    persistAll(raft);
    receive(raft, 'vote-response', 2, 2);
    expect(raft.role).toBe('candidate');
    receive(raft, 'vote-response', 3, 2);
    expect(raft.role).toBe('leader');
  });

  test('a voter of the outgoing half, too', () => {
    const raft = replicaOf({ membership: membershipOf([2, 3], { outgoing: [1 as never] }) });
    take(raft, { type: 'campaign' });
    expect(raft.role).toBe('pre-candidate');
  });
});

test('a single voter elects itself as soon as its vote is on disk', () => {
  const raft = replicaOf({ membership: membershipOf([1]) });
  take(raft, { type: 'campaign' });
  expect(raft.role).toBe('candidate');
  expect(persistAll(raft).soft).toEqual({ role: 'leader', leader: 1, term: 1 });
  expect(persistAll(raft).committed).toEqual({ first: 1, last: 1 });
});

test('campaign is ignored while a leader is known', () => {
  const raft = replicaOf();
  receive(raft, 'heartbeat-request', 2, 1);
  expect(take(raft, { type: 'campaign' }).send).toEqual([]);
  expect(raft.role).toBe('follower');
});

test('the late vote of a former candidate does not depose the leader', () => {
  const raft = lead(replicaOf());
  receive(raft, 'vote-response', 3, 1);
  receive(raft, 'vote-response', 3, 1, { reject: true });
  acknowledge(raft, 3);
  expect(raft.role).toBe('leader');
});
