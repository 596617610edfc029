/** A replica on a node that held one of the same group before: what that one acknowledged binds this one. */
import { describe, expect, test } from 'vitest';
import { persistAll, receive, replicaOf, sent, take, ticks } from './replica.ts';

/** Nothing in the log; an earlier one went to index 5 in term 2, and the node had been in term 3. */
const blank = (terms: readonly number[] = []) => replicaOf({ self: 3, floor: [5, 2], term: 3, votedFor: 3, terms });

const asks = (raft: ReturnType<typeof blank>, term: number, index: number, indexTerm: number, preVote = false): boolean => {
  const effects = receive(raft, 'vote-request', 1, term, { index, indexTerm, preVote, transfer: false });
  const answers = [...sent(effects, 'vote-response'), ...sent({ ...effects, send: effects.sendAfterWrite }, 'vote-response')];
  return answers.length === 1 && answers[0]!.reject === false;
};

describe('votes', () => {
  test.each([
    [4, 2, false],
    [9, 1, false],
    [5, 2, true],
    [1, 3, true],
  ])('a log that ends at index %i of term %i: %s', (index, indexTerm, granted) => {
    expect(asks(blank(), 4, index, indexTerm)).toBe(granted);
    expect(asks(blank(), 4, index, indexTerm, true)).toBe(granted);
  });

  test('none is left in the term that the earlier one had reached', () => {
    expect(asks(blank(), 3, 9, 3)).toBe(false);
  });

  test('the own log still counts where it is the longer one', () => {
    expect(asks(blank([2, 2, 2, 2, 2, 3]), 4, 5, 2)).toBe(false);
  });
});

describe('standing for election', () => {
  test('not while the own log is shorter than the earlier one', () => {
    const raft = blank([2, 2, 2]);
    expect(ticks(raft, 60).flatMap((effects) => [...sent(effects, 'vote-request')])).toEqual([]);
    take(raft, { type: 'campaign' });
    receive(raft, 'timeout-now', 1, 3);
    persistAll(raft);
    expect(raft).toMatchObject({ role: 'follower', term: 3 });
  });

  test('as anybody, once it has reached it', () => {
    const raft = blank([2, 2, 2, 2, 2]);
    expect(ticks(raft, 60).flatMap((effects) => sent(effects, 'vote-request')).length).toBeGreaterThan(0);
  });
});
