/** Compaction, and snapshots for replicas that lag behind the log's start. */
import { describe, expect, test } from 'vitest';
import { asNodeId, asRaftIndex } from '@balsa/node/core/ids.ts';
import { membershipAt } from '@balsa/node/core/raft/state.ts';
import {
  acknowledge,
  elect,
  entriesAfter,
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

const membership = membershipOf([1, 2, 4]);
const snapshotAt = (index: number, term: number) => ({ snapshot: { index, term, membership, state: `state at ${index}` } });

describe('a follower that gets a snapshot', () => {
  test('replaces its log, and acknowledges after that is on disk', () => {
    const raft = replicaOf({ terms: [1, 1, 1] });
    const effects = receive(raft, 'snapshot-request', 2, 2, snapshotAt(9, 2));
    expect(effects.write).toMatchObject({ snapshot: { index: 9, term: 2, state: 'state at 9' }, entries: [] });
    expect(effects.sendAfterWrite).toMatchObject([{ kind: 'snapshot-response', index: 9, reject: false }]);
    expect(effects.send).toEqual([]);
    expect(effects.committed).toBeUndefined();
    expect([raft.commit, raft.applied, raft.log.start, termsIn(raft)]).toEqual([9, 9, 9, []]);
    expect(membershipAt(raft, asRaftIndex(9))).toEqual(membership);
  });

  test('goes on with the entries after it', () => {
    const raft = replicaOf({ terms: [1] });
    receive(raft, 'snapshot-request', 2, 2, snapshotAt(9, 2));
    receive(raft, 'append-request', 2, 2, { index: 9, indexTerm: 2, entries: entriesAfter(9, 2, 2), commit: 10 });
    expect(persistAll(raft).committed).toEqual({ first: 10, last: 10 });
  });

  test('ignores one that is not ahead of its commit index, and says where it is', () => {
    const raft = replicaOf({ terms: [1, 1, 1], commit: 2 });
    for (const index of [1, 2]) {
      const effects = receive(raft, 'snapshot-request', 2, 1, snapshotAt(index, 1));
      expect(effects.write).toBeUndefined();
      expect(sent(effects, 'snapshot-response')).toMatchObject([{ index: 2 }]);
    }
    expect(termsIn(raft)).toEqual([1, 1, 1]);
  });

  test('keeps its log if it has all of it already', () => {
    const raft = replicaOf({ terms: [1, 1, 2] });
    const effects = receive(raft, 'snapshot-request', 2, 2, snapshotAt(2, 1));
    expect(effects.write).toBeUndefined();
    expect(sent(effects, 'snapshot-response')).toMatchObject([{ index: 2 }]);
    expect([raft.commit, termsIn(raft)]).toEqual([2, [1, 1, 2]]);
  });

  test('acknowledges one that its log covers only after that log is on disk', () => {
    const raft = replicaOf({ term: 1 });
    receive(raft, 'append-request', 2, 1, { entries: entriesAfter(0, 1, 1) });
    const effects = receive(raft, 'snapshot-request', 2, 1, snapshotAt(2, 1));
    expect(effects.send).toEqual([]);
    expect(effects.sendAfterWrite).toMatchObject([{ index: 2 }]);
  });

  test('drops a longer log that is another one', () => {
    const raft = replicaOf({ terms: [1, 1, 1, 1, 1] });
    receive(raft, 'snapshot-request', 2, 3, snapshotAt(4, 2));
    expect([raft.log.start, termsIn(raft)]).toEqual([4, []]);
  });
});

function compactedLeader(config = {}) {
  const raft = lead(replicaOf({ config }));
  propose(raft, 10, 10, 10);
  persistAll(raft);
  acknowledge(raft, 2);
  take(raft, { type: 'applied', index: asRaftIndex(4) });
  take(raft, { type: 'compact', index: asRaftIndex(3) });
  return raft;
}

describe('a leader whose log starts late', () => {
  const progressOf = (raft: ReturnType<typeof replicaOf>, node: number) => raft.leading?.progress.get(asNodeId(node));
  const reject = (raft: ReturnType<typeof replicaOf>) => receive(raft, 'append-response', 3, 1, { reject: true, index: 0, hintIndex: 0 });

  test('sends a snapshot, then nothing but heartbeats until it is answered', () => {
    const raft = compactedLeader();
    expect(sent(reject(raft), 'snapshot-request')).toMatchObject([{ to: 3, snapshot: { index: 3, term: 1 } }]);
    expect(sent(propose(raft, 10), 'append-request').map(({ to }) => to)).toEqual([2]);
    expect(receive(raft, 'heartbeat-response', 3, 1).send).toEqual([]);
    const answered = receive(raft, 'snapshot-response', 3, 1, { index: 3 });
    expect(sent(answered, 'append-request')).toMatchObject([{ to: 3, index: 3, entries: { first: 4, last: 5 } }]);
    expect(progressOf(raft, 3)).toMatchObject({ state: 'replicate', match: 3 });
  });

  test('takes an acknowledgement of entries for an answer, too', () => {
    const raft = compactedLeader();
    receive(raft, 'heartbeat-response', 3, 1);
    acknowledge(raft, 3, 2);
    expect(progressOf(raft, 3)).toMatchObject({ state: 'snapshot', match: 2 });
    acknowledge(raft, 3, 4);
    expect(progressOf(raft, 3)).toMatchObject({ state: 'replicate', match: 4, next: 5 });
  });

  test('tries again when the snapshot failed, was refused, lost with the connection, or never answered', () => {
    const failures: ((raft: ReturnType<typeof replicaOf>) => void)[] = [
      (raft) => take(raft, { type: 'snapshot-failed', node: asNodeId(3) }),
      (raft) => take(raft, { type: 'peer-lost', node: asNodeId(3) }),
      (raft) => receive(raft, 'snapshot-response', 3, 1, { reject: true }),
      (raft) => {
        for (let beat = 0; beat < 42; beat++) {
          receive(raft, 'heartbeat-response', 2, 1);
          ticks(raft, 2);
        }
      },
    ];
    for (const fail of failures) {
      const raft = compactedLeader();
      receive(raft, 'heartbeat-response', 3, 1);
      fail(raft);
      expect(progressOf(raft, 3)?.state).toBe('probe');
      expect(sent(receive(raft, 'heartbeat-response', 3, 1), 'snapshot-request').length).toBe(1);
    }
  });

  test('rescues a replica whose window was full when the log was compacted past it', () => {
    const raft = lead(replicaOf({ config: { inflightMessagesMax: 1 } }), [2, 3]);
    for (let count = 0; count < 4; count++) {
      propose(raft, 10);
      persistAll(raft);
      acknowledge(raft, 2);
    }
    take(raft, { type: 'applied', index: asRaftIndex(5) });
    take(raft, { type: 'compact', index: asRaftIndex(5) });
    expect(progressOf(raft, 3)).toMatchObject({ state: 'replicate', match: 1, next: 3 });
    const effects = receive(raft, 'heartbeat-response', 3, 1);
    expect(sent(effects, 'snapshot-request')).toMatchObject([{ to: 3, snapshot: { index: 5 } }]);
  });
});

describe('compaction', () => {
  test('keeps terms, sizes and memberships after the new start', () => {
    const later = membershipOf([1, 2]);
    const raft = replicaOf({ terms: [1, 1, 2, 2, 3], commit: 5, memberships: new Map([[2, later]]) });
    ticks(raft, 1);
    take(raft, { type: 'applied', index: asRaftIndex(5) });
    take(raft, { type: 'compact', index: asRaftIndex(3) });
    expect([raft.log.start, raft.log.startTerm, termsIn(raft)]).toEqual([3, 2, [2, 3]]);
    expect(membershipAt(raft, asRaftIndex(3))).toEqual(later);
    expect(() => membershipAt(raft, asRaftIndex(2))).toThrow('compacted');
    take(raft, { type: 'compact', index: asRaftIndex(1) });
    expect(raft.log.start).toBe(3);
  });

  test('of what was not applied stops the node', () => {
    const raft = replicaOf({ terms: [1, 1], commit: 2 });
    expect(() => take(raft, { type: 'compact', index: asRaftIndex(1) })).toThrow('a snapshot is of applied entries');
  });
});

test('a leader elected over a compacted log sends a snapshot to one that is behind its start', () => {
  const raft = replicaOf({ start: [10, 3], terms: [3] });
  elect(raft);
  const effects = receive(raft, 'append-response', 3, 4, { reject: true, index: 11, hintIndex: 2, hintTerm: 1 });
  expect(sent(effects, 'snapshot-request')).toMatchObject([{ to: 3, snapshot: { index: 10, term: 3 } }]);
});
