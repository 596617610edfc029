/** Log replication (Raft paper, section 5.3): what a follower takes, and what a leader sends. */
import { describe, expect, test } from 'vitest';
import { asNodeId } from '@balsa/node/core/ids.ts';
import {
  acknowledge,
  elect,
  entriesAfter,
  lastOf,
  lead,
  membershipOf,
  persistAll,
  propose,
  receive,
  replicaOf,
  sent,
  take,
  termsIn,
  ticks,
} from './replica.ts';

const append = (raft: ReturnType<typeof replicaOf>, term: number, index: number, indexTerm: number, terms: number[], commit = 0) =>
  receive(raft, 'append-request', 2, term, { index, indexTerm, entries: entriesAfter(index, ...terms), commit });

describe('a follower', () => {
  test('acknowledges what the message proves, not what it has besides', () => {
    const raft = replicaOf({ terms: [1, 1, 1, 1] });
    const effects = append(raft, 1, 1, 1, [1]);
    expect(effects.write).toBeUndefined();
    expect(effects.sendAfterWrite).toEqual([]);
    expect(sent(effects, 'append-response')).toMatchObject([{ reject: false, index: 2 }]);
  });

  test('does not acknowledge entries that are still on their way to disk', () => {
    const raft = replicaOf({ term: 1 });
    const first = append(raft, 1, 0, 0, [1, 1]);
    expect(first.send).toEqual([]);
    expect(first.sendAfterWrite).toMatchObject([{ kind: 'append-response', index: 2 }]);
    const again = append(raft, 1, 0, 0, [1, 1]);
    expect(again.send).toEqual([]);
    expect(again.write).toMatchObject({ token: 2, entries: [] });
    expect(again.sendAfterWrite).toMatchObject([{ kind: 'append-response', index: 2 }]);
    persistAll(raft);
    expect(sent(append(raft, 1, 0, 0, [1, 1]), 'append-response')).toMatchObject([{ index: 2 }]);
  });

  test('cuts its log only at a real conflict', () => {
    const raft = replicaOf({ terms: [1, 1, 1, 1] });
    append(raft, 1, 1, 1, [1]);
    expect(termsIn(raft)).toEqual([1, 1, 1, 1]);
    const effects = append(raft, 2, 1, 1, [1, 2]);
    expect(termsIn(raft)).toEqual([1, 1, 2]);
    expect(effects.write?.entries.map(({ index, term }) => [index, term])).toEqual([[3, 2]]);
  });

  test('never cuts what is committed: a leader that asks for it stops the node', () => {
    const raft = replicaOf({ terms: [1, 1, 1], commit: 2 });
    expect(() => append(raft, 2, 0, 0, [2, 2])).toThrow('no leader contradicts what is committed');
    expect(() => append(raft, 2, 2, 2, [2])).toThrow('no leader contradicts what is committed');
    expect(termsIn(raft)).toEqual([1, 1, 1]);
  });

  test('commits no further than the entries that are known to match', () => {
    const raft = replicaOf({ terms: [1, 1, 1, 1] });
    append(raft, 2, 2, 1, [], 4);
    expect(raft.commit).toBe(2);
    append(raft, 2, 2, 1, [2, 2], 3);
    expect(raft.commit).toBe(3);
  });

  test('takes the commit index of a heartbeat, unless its own log is shorter', () => {
    const raft = replicaOf({ terms: [1, 1] });
    receive(raft, 'heartbeat-request', 2, 1, { commit: 1 });
    expect(raft.commit).toBe(1);
    receive(raft, 'heartbeat-request', 2, 1, { commit: 9 });
    expect(raft.commit).toBe(1);
  });

  test('skips entries at or before its commit index, even before its log start', () => {
    const raft = replicaOf({ start: [5, 1], terms: [1, 1] });
    const effects = append(raft, 1, 3, 1, [1, 1, 1, 1, 1], 6);
    expect(termsIn(raft)).toEqual([1, 1, 1]);
    expect([...effects.send, ...effects.sendAfterWrite]).toMatchObject([{ index: 8, reject: false }]);
    expect(raft.commit).toBe(6);
  });

  test('hands over committed entries when they are on its own disk, not before', () => {
    const raft = replicaOf({ term: 1 });
    expect(append(raft, 1, 0, 0, [1, 1], 2).committed).toBeUndefined();
    expect(raft.commit).toBe(2);
    expect(persistAll(raft).committed).toEqual({ first: 1, last: 2 });
  });

  test.each([
    { name: 'a gap', terms: [1, 1], index: 4, indexTerm: 1, hint: [2, 1] },
    { name: 'a newer term here', terms: [1, 1, 3, 3, 3], index: 4, indexTerm: 2, hint: [2, 1] },
    { name: 'an older term here', terms: [1, 1, 2, 2], index: 4, indexTerm: 4, hint: [4, 2] },
    { name: 'an empty log', terms: [], index: 4, indexTerm: 1, hint: [0, 0] },
  ])('rejects with the largest index that may match: $name', ({ terms, index, indexTerm, hint }) => {
    const effects = append(replicaOf({ terms, term: 4 }), 4, index, indexTerm, [4]);
    const [hintIndex, hintTerm] = hint;
    expect(effects.sendAfterWrite).toEqual([]);
    expect(sent(effects, 'append-response')).toMatchObject([{ reject: true, index, hintIndex, hintTerm }]);
  });
});

/** Raft paper, figure 7: the leader of term 8 and the logs it may find. */
describe('a leader repairs every log of figure 7', () => {
  const leaderTerms = [1, 1, 1, 4, 4, 5, 5, 6, 6, 6];
  test.each([
    { name: 'a', terms: [1, 1, 1, 4, 4, 5, 5, 6, 6] },
    { name: 'b', terms: [1, 1, 1, 4] },
    { name: 'c', terms: [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6] },
    { name: 'd', terms: [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7] },
    { name: 'e', terms: [1, 1, 1, 4, 4, 4, 4] },
    { name: 'f', terms: [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3] },
  ])('log $name', ({ terms }) => {
    const leader = replicaOf({ terms: leaderTerms, term: 7, membership: membershipOf([1, 2, 3]), config: { preVote: false } });
    const follower = replicaOf({ self: 2, terms, term: 7 });
    let requests = sent(elect(leader, [3]), 'append-request').filter(({ to }) => to === 2);
    let messages = 0;
    while (requests.length > 0) {
      const { term, index, indexTerm, entries, commit } = requests.shift()!;
      const range = [...leaderTerms, 8].slice(entries.first - 1, entries.last);
      const effects = receive(follower, 'append-request', 1, term, { index, indexTerm, commit, entries: entriesAfter(index, ...range) });
      persistAll(follower);
      messages += 1;
      for (const answer of [...effects.send, ...effects.sendAfterWrite]) {
        const more = take(leader, { type: 'message', message: answer as never });
        requests = [...requests, ...sent(more, 'append-request').filter(({ to }) => to === 2)];
      }
    }
    expect(termsIn(follower)).toEqual([...leaderTerms, 8]);
    // One message per term where the logs differ, not one per entry.
    expect(messages).toBeLessThanOrEqual(5);
  });
});

describe('what a leader sends', () => {
  test('probes with one message, and pipelines after the first answer', () => {
    const raft = replicaOf();
    elect(raft);
    expect(sent(propose(raft, 10), 'append-request')).toEqual([]);
    const afterAnswer = sent(acknowledge(raft, 2, 1), 'append-request');
    expect(afterAnswer).toMatchObject([{ to: 2, index: 1, entries: { first: 2, last: 2 } }]);
    expect(sent(propose(raft, 10), 'append-request')).toMatchObject([{ to: 2, index: 2, entries: { first: 3, last: 3 } }]);
  });

  test('cuts messages at the byte limit, but sends at least one entry', () => {
    const raft = lead(replicaOf({ config: { appendBytesMax: 100 } }));
    const ranges = sent(propose(raft, 60, 60, 40, 500, 1, 1), 'append-request').filter(({ to }) => to === 2);
    expect(ranges.map(({ entries }) => entries)).toEqual([
      { first: 2, last: 2 },
      { first: 3, last: 4 },
      { first: 5, last: 5 },
      { first: 6, last: 7 },
    ]);
  });

  test('stops when the window is full by count, and goes on with each answer', () => {
    const raft = lead(replicaOf({ config: { inflightMessagesMax: 2 } }));
    const counts = [1, 2, 3, 4].map(() => sent(propose(raft, 10), 'append-request').filter(({ to }) => to === 2).length);
    expect(counts).toEqual([1, 1, 0, 0]);
    expect(sent(acknowledge(raft, 2, 2), 'append-request').filter(({ to }) => to === 2)).toMatchObject([
      { entries: { first: 4, last: 5 } },
    ]);
  });

  test('stops when the window is full by bytes', () => {
    const raft = lead(replicaOf({ config: { inflightBytesMax: 100 } }));
    const counts = [60, 60, 60].map((size) => sent(propose(raft, size), 'append-request').filter(({ to }) => to === 2).length);
    expect(counts).toEqual([1, 1, 0]);
    expect(sent(acknowledge(raft, 2, 3), 'append-request').filter(({ to }) => to === 2).length).toBe(1);
  });

  test('tries again after a heartbeat answer when everything in the window was lost', () => {
    const raft = lead(replicaOf({ config: { inflightMessagesMax: 2 } }));
    for (let count = 0; count < 4; count++) propose(raft, 10);
    expect(sent(receive(raft, 'heartbeat-response', 2, 1), 'append-request')).toMatchObject([{ index: 3, entries: { first: 4, last: 5 } }]);
    const effects = receive(raft, 'append-response', 2, 1, { reject: true, index: 3, hintIndex: 1, hintTerm: 1 });
    expect(sent(effects, 'append-request')).toMatchObject([{ to: 2, index: 1, entries: { first: 2, last: 5 } }]);
  });

  test('finds out by an empty append that the last messages were lost', () => {
    const raft = lead(replicaOf());
    propose(raft, 10);
    const probe = sent(receive(raft, 'heartbeat-response', 2, 1), 'append-request');
    expect(probe).toMatchObject([{ to: 2, index: 2, entries: { first: 3, last: 2 } }]);
    const effects = receive(raft, 'append-response', 2, 1, { reject: true, index: 2, hintIndex: 1, hintTerm: 1 });
    expect(sent(effects, 'append-request')).toMatchObject([{ to: 2, index: 1, entries: { first: 2, last: 2 } }]);
  });

  test('tells a commit to a replica with nothing in flight at once, to others with the next append', () => {
    const raft = lead(replicaOf(), [2, 3]);
    propose(raft, 10);
    persistAll(raft);
    const first = acknowledge(raft, 2);
    expect(sent(first, 'append-request')).toMatchObject([{ to: 2, commit: 2, entries: { first: 3, last: 2 } }]);
    expect(sent(acknowledge(raft, 3), 'append-request')).toMatchObject([{ to: 3, commit: 2 }]);
    expect(sent(acknowledge(raft, 3), 'append-request')).toEqual([]);
  });

  test('a heartbeat names no commit index beyond what the replica holds', () => {
    const raft = lead(replicaOf());
    propose(raft, 10);
    persistAll(raft);
    acknowledge(raft, 2);
    const beats = ticks(raft, 2).flatMap((effects) => sent(effects, 'heartbeat-request'));
    expect(beats.map(({ to, commit }) => [to, commit])).toEqual([
      [2, 2],
      [3, 0],
    ]);
  });
});

describe('answers that prove nothing', () => {
  const progressOf = (raft: ReturnType<typeof replicaOf>, node: number) => raft.leading?.progress.get(asNodeId(node));

  test('a late acknowledgement does not lower the match', () => {
    const raft = lead(replicaOf());
    propose(raft, 10, 10);
    acknowledge(raft, 2, 3);
    acknowledge(raft, 2, 1);
    expect(progressOf(raft, 2)).toMatchObject({ match: 3, next: 4 });
  });

  test('a late rejection changes nothing', () => {
    const raft = lead(replicaOf());
    propose(raft, 10, 10);
    acknowledge(raft, 2, 3);
    const effects = receive(raft, 'append-response', 2, 1, { reject: true, index: 2, hintIndex: 0 });
    expect(effects.send).toEqual([]);
    expect(progressOf(raft, 2)).toMatchObject({ state: 'replicate', match: 3, next: 4 });
  });

  test('a replica that has begun anew is sent everything again', () => {
    const raft = lead(replicaOf());
    propose(raft, 10, 10);
    acknowledge(raft, 2, 3);
    const [probe] = sent(propose(raft, 10), 'append-request');
    expect(probe).toMatchObject({ to: 2, index: 3 });
    const reject = { reject: true, index: 3, hintIndex: 0, hintTerm: 0 };
    expect(sent(receive(raft, 'append-response', 2, 1, reject), 'append-request')).toMatchObject([{ to: 2, index: 0 }]);
    expect(progressOf(raft, 2)).toMatchObject({ state: 'probe', match: 0, next: 1 });
    // Further answers to what was under way are of the past.
    expect(receive(raft, 'append-response', 2, 1, { ...reject, index: 4 }).send).toEqual([]);
  });

  test('a rejection of another probe than the last changes nothing', () => {
    const raft = replicaOf({ terms: [1, 1, 1] });
    elect(raft);
    receive(raft, 'append-response', 3, 2, { reject: true, index: 1, hintIndex: 0 });
    expect(progressOf(raft, 3)).toMatchObject({ state: 'probe', match: 0, next: 4, paused: true });
  });

  test('an answer of an older term is not heard', () => {
    const raft = replicaOf({ terms: [1, 1, 1] });
    elect(raft);
    receive(raft, 'append-response', 3, 1, { index: 3 });
    expect(progressOf(raft, 3)).toMatchObject({ match: 0 });
  });

  test('a rejection never raises the match or the commit index', () => {
    const raft = replicaOf({ terms: [1, 1, 1] });
    elect(raft);
    persistAll(raft);
    receive(raft, 'append-response', 2, 2, { reject: true, index: 4, hintIndex: 4, hintTerm: 2 });
    expect([progressOf(raft, 2)?.match, raft.commit]).toEqual([0, 0]);
  });

  test('an acknowledgement of more than the leader has stops the node', () => {
    const raft = lead(replicaOf());
    expect(() => acknowledge(raft, 2, 99)).toThrow('acknowledges only what the leader has');
  });
});

describe('proposals', () => {
  test('are refused by a follower', () => {
    expect(propose(replicaOf(), 10).refused).toBe('not-leader');
  });

  test('are accepted all or none, with their place in the log', () => {
    const raft = lead(replicaOf());
    const effects = propose(raft, 10, 20, 30);
    expect(effects.accepted).toEqual({ term: 1, first: 2, last: 4 });
    expect(effects.write?.entries.map(({ index, term, kind, size }) => [index, term, kind, size])).toEqual([
      [2, 1, 'command', 10],
      [3, 1, 'command', 20],
      [4, 1, 'command', 30],
    ]);
  });

  test('are refused beyond the uncommitted bytes, and accepted again after a commit', () => {
    const raft = lead(replicaOf({ config: { uncommittedBytesMax: 100 } }));
    expect(propose(raft, 500).accepted).toBeDefined();
    const refused = propose(raft, 1);
    expect([refused.refused, refused.write, lastOf(raft)]).toEqual(['uncommitted-bytes-max', undefined, 2]);
    persistAll(raft);
    acknowledge(raft, 2);
    expect(propose(raft, 60).accepted).toBeDefined();
    expect(propose(raft, 41).refused).toBe('uncommitted-bytes-max');
    expect(propose(raft, 40).accepted).toBeDefined();
  });

  test('count the uncommitted bytes that a new leader finds in its log', () => {
    const raft = replicaOf({ terms: [1, 1, 1], commit: 1, config: { uncommittedBytesMax: 25 } });
    elect(raft);
    expect(propose(raft, 6).refused).toBe('uncommitted-bytes-max');
    expect(propose(raft, 5).accepted).toBeDefined();
  });
});
