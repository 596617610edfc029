/** Linearizable reads: answered only with a proof of leadership that is younger than the read. */
import { describe, expect, test } from 'vitest';
import { acknowledge, elect, lead, membershipOf, persistAll, propose, receive, replicaOf, sent, take, ticks } from './replica.ts';

const read = (raft: ReturnType<typeof replicaOf>, context: number) => take(raft, { type: 'read', context });
const echo = (raft: ReturnType<typeof replicaOf>, node: number, readRound: number) =>
  receive(raft, 'heartbeat-response', node, raft.term, { readRound });

test('a read starts a round at once and is answered by a quorum', () => {
  const raft = lead(replicaOf({ membership: membershipOf([1, 2, 3, 4, 5]) }), [2, 3]);
  const effects = read(raft, 7);
  expect(effects.reads).toEqual([]);
  expect(sent(effects, 'heartbeat-request').map(({ to, readRound }) => [to, readRound])).toEqual([2, 3, 4, 5].map((to) => [to, 1]));
  expect(echo(raft, 2, 1).reads).toEqual([]);
  expect(echo(raft, 2, 1).reads).toEqual([]);
  expect(echo(raft, 4, 1).reads).toEqual([{ context: 7, index: 1 }]);
  expect(echo(raft, 5, 1).reads).toEqual([]);
});

test('reads that arrive during a round share the next one', () => {
  const raft = lead(replicaOf());
  read(raft, 1);
  expect(read(raft, 2).send).toEqual([]);
  read(raft, 2);
  const first = echo(raft, 2, 1);
  expect(first.reads).toEqual([{ context: 1, index: 1 }]);
  expect(sent(first, 'heartbeat-request').map(({ readRound }) => readRound)).toEqual([2, 2]);
  expect(echo(raft, 3, 1).reads).toEqual([]);
  expect(echo(raft, 3, 2).reads).toEqual([
    { context: 2, index: 1 },
    { context: 2, index: 1 },
  ]);
});

test('an echo of an earlier round proves nothing for the next', () => {
  const raft = lead(replicaOf());
  read(raft, 1);
  echo(raft, 2, 1);
  read(raft, 2);
  expect(echo(raft, 3, 1).reads).toEqual([]);
  expect(echo(raft, 3, 0).reads).toEqual([]);
  expect(echo(raft, 3, 2).reads).toEqual([{ context: 2, index: 1 }]);
});

test('a lost round is repeated by the next heartbeat', () => {
  const raft = lead(replicaOf());
  read(raft, 1);
  const beats = ticks(raft, 2).flatMap((effects) => sent(effects, 'heartbeat-request'));
  expect(beats.map(({ readRound }) => readRound)).toEqual([1, 1]);
});

test('a new leader answers after the first commit of its own term', () => {
  const raft = replicaOf({ terms: [1, 1], commit: 1 });
  elect(raft);
  expect(read(raft, 1).send).toEqual([]);
  persistAll(raft);
  const effects = acknowledge(raft, 2);
  expect(sent(effects, 'heartbeat-request').length).toBe(2);
  expect(echo(raft, 2, 1).reads).toEqual([{ context: 1, index: 3 }]);
});

test('a read sees what was committed when its round began', () => {
  const raft = lead(replicaOf());
  read(raft, 1);
  propose(raft, 10);
  persistAll(raft);
  acknowledge(raft, 2);
  read(raft, 2);
  expect(echo(raft, 2, 1).reads).toEqual([{ context: 1, index: 1 }]);
  expect(echo(raft, 2, 2).reads).toEqual([{ context: 2, index: 2 }]);
});

describe('reads are refused', () => {
  test('by a follower', () => {
    expect(read(replicaOf(), 4).readsRefused).toEqual([{ context: 4, refusal: 'not-leader' }]);
  });

  test('when leadership is lost, whether they wait for a round or for a commit', () => {
    const raft = lead(replicaOf());
    read(raft, 1);
    read(raft, 2);
    const effects = receive(raft, 'heartbeat-response', 2, 9);
    expect(effects.readsRefused).toEqual([1, 2].map((context) => ({ context, refusal: 'not-leader' })));
    expect(echo(raft, 3, 1).reads).toEqual([]);
  });

  test('beyond their limit', () => {
    const raft = lead(replicaOf({ config: { readsMax: 2 } }));
    read(raft, 1);
    read(raft, 2);
    expect(read(raft, 3).readsRefused).toEqual([{ context: 3, refusal: 'reads-max' }]);
  });
});

test('a single voter proves it by itself', () => {
  const raft = lead(replicaOf({ membership: membershipOf([1], { learners: [2 as never] }) }), []);
  expect(read(raft, 1)).toMatchObject({ reads: [{ context: 1, index: 1 }], send: [] });
});

test('learners prove nothing, and a joint membership needs both halves', () => {
  const joint = membershipOf([1, 2, 3], { outgoing: [1 as never, 4 as never, 5 as never], learners: [6 as never] });
  const raft = lead(replicaOf({ membership: joint }), [2, 4]);
  read(raft, 1);
  for (const node of [6, 2, 3]) expect(echo(raft, node, 1).reads).toEqual([]);
  expect(echo(raft, 5, 1).reads.length).toBe(1);
});
