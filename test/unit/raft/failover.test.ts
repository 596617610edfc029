/** A lost connection to the leader is a hint: it starts a pre-vote soon, and proves nothing. */
import { describe, expect, test } from 'vitest';
import { asNodeId } from '@balsa/node/core/ids.ts';
import { lead, membershipOf, propose, receive, replicaOf, sent, take, ticks } from './replica.ts';

const lost = (node: number) => ({ type: 'peer-lost', node: asNodeId(node) }) as const;

function followerOf(leader: number, seed: number = 7, self: number = 1) {
  const raft = replicaOf({ self, config: { seed } });
  receive(raft, 'heartbeat-request', leader, 1);
  return raft;
}

describe('a follower that loses the connection to its leader', () => {
  test('forgets it and asks for pre-votes within three ticks', () => {
    for (let seed = 1; seed <= 30; seed++) {
      const raft = followerOf(3, seed);
      expect(take(raft, lost(3)).soft).toMatchObject({ leader: 0 });
      const before = ticks(raft, 3).flatMap((effects) => sent(effects, 'vote-request'));
      expect(before.length).toBe(2);
      expect(before[0]).toMatchObject({ preVote: true });
    }
  });

  test('does not always wait for the same number of ticks', () => {
    const waits = new Set(
      Array.from({ length: 30 }, (_, seed) => {
        const raft = followerOf(3, seed + 1);
        take(raft, lost(3));
        return ticks(raft, 3).findIndex((effects) => effects.send.length > 0);
      }),
    );
    expect([...waits].sort((a, b) => a - b)).toEqual([0, 1, 2]);
  });

  test('goes on as before if the leader is heard again', () => {
    const raft = followerOf(3);
    take(raft, lost(3));
    receive(raft, 'heartbeat-request', 3, 1);
    expect(ticks(raft, 9).flatMap(({ send }) => send)).toEqual([]);
    expect(raft.leader).toBe(3);
  });

  test('grants the pre-vote of another one that lost it, and lets that one go first', () => {
    const raft = followerOf(3);
    take(raft, lost(3));
    const effects = receive(raft, 'vote-request', 2, 2, { index: 0, indexTerm: 0, preVote: true });
    expect(sent(effects, 'vote-response')).toMatchObject([{ reject: false }]);
    expect(ticks(raft, 2).flatMap(({ send }) => send)).toEqual([]);
    expect(ticks(raft, 3).flatMap((each) => sent(each, 'vote-request')).length).toBe(2);
  });

  test('that has asked already refuses an equal with a smaller id, in its first pre-vote only', () => {
    const raft = replicaOf({ self: 2 });
    receive(raft, 'heartbeat-request', 3, 1);
    take(raft, lost(3));
    const refusals = () => {
      expect(raft.role).toBe('pre-candidate');
      return [1, 3].map((from) => sent(receive(raft, 'vote-request', from, 2, { preVote: true }), 'vote-response')[0]!.reject);
    };
    ticks(raft, 3);
    expect(refusals()).toEqual([true, false]);
    ticks(raft, 20);
    expect(refusals()).toEqual([false, false]);
  });

  test('is not put off twice', () => {
    const raft = followerOf(3);
    take(raft, lost(3));
    for (let round = 0; round < 5; round++) {
      receive(raft, 'vote-request', 2, 2, { preVote: true });
      ticks(raft, 1);
    }
    expect(raft.role).toBe('pre-candidate');
  });

  test('does nothing for a connection to somebody else, or as a learner', () => {
    const raft = followerOf(3);
    take(raft, lost(2));
    expect(raft.leader).toBe(3);
    const learner = replicaOf({ self: 4, membership: membershipOf([1, 2, 3], { learners: [asNodeId(4)] }) });
    receive(learner, 'heartbeat-request', 3, 1);
    take(learner, lost(3));
    expect(ticks(learner, 5).flatMap(({ send }) => send)).toEqual([]);
  });
});

test('a follower that still hears the leader refuses the pre-vote of one that does not', () => {
  const raft = followerOf(3);
  const effects = receive(raft, 'vote-request', 2, 2, { preVote: true });
  expect(sent(effects, 'vote-response')).toMatchObject([{ reject: true, term: 1 }]);
});

test('a leader that loses a replica probes it again when it answers', () => {
  const raft = lead(replicaOf());
  propose(raft, 10);
  take(raft, lost(2));
  expect(raft.leading?.progress.get(asNodeId(2))).toMatchObject({ state: 'probe', next: 2, paused: true });
  expect(sent(propose(raft, 10), 'append-request').map(({ to }) => to)).not.toContain(2);
  expect(sent(receive(raft, 'heartbeat-response', 2, 1), 'append-request')).toMatchObject([
    { to: 2, index: 1, entries: { first: 2, last: 3 } },
  ]);
});

test('heartbeats leave on the ticks that all groups share', () => {
  const raft = lead(replicaOf({ config: { heartbeatTicks: 4 } }));
  const beats = [11, 12, 13, 14, 15, 16, 19, 21].filter((now) => sent(take(raft, { type: 'tick', now }), 'heartbeat-request').length > 0);
  expect(beats).toEqual([12, 16, 21]);
});
