import type { RaftGroup } from '@balsa/client';
import { banner } from '@balsa/node/local-cluster/banner.ts';
import { describe, expect, test } from 'vitest';
import { roleText } from '../../../client/cli/commands/raft-status.ts';
import { parseGroupName } from '../../../client/cli/commands/raft-transfer.ts';
import { raftRows } from '../../../client/cli/format/raft-rows.ts';
import { copiedEntries, isMoved } from '../../../client/cli/replica-move.ts';

type Replica = RaftGroup['replicas'][number];
const indexes = { commit: 90, applied: 89, durable: 91, lastIndex: 91, firstIndex: 1, logStart: 0, highWatermark: 80 };
const members = { voters: [1, 2, 3], learners: [], outgoing: [] };
const place = { groupId: 4, topic: 'orders', partition: 1, leaderNodeId: 1, term: 7, faulty: false, ...members };
const replica = (nodeId: number, role: string, replicas: Replica['replicas'] = []): Replica => ({
  ...place,
  ...indexes,
  nodeId,
  role,
  replicas,
});
const progress = (nodeId: number, lag: number, active: boolean): Replica['replicas'][number] => ({
  nodeId,
  match: 91 - lag,
  state: 'replicate',
  lag,
  active,
});

describe('rows of raft status', () => {
  test('every member has a row, with the lag that the leader knows', () => {
    const leader = replica(1, 'leader', [progress(2, 0, true), progress(3, 91, false)]);
    const rows = raftRows([{ groupId: 4, topic: 'orders', partition: 1, leader: 1, term: 7, replicas: [leader, replica(2, 'follower')] }]);
    expect(rows.map(({ name, nodeId, role, lag, active, durable }) => [name, nodeId, role, lag, active, durable])).toEqual([
      ['orders/1', 1, 'leader', 0, true, 91],
      ['orders/1', 2, 'follower', 0, true, 91],
      ['orders/1', 3, 'no answer', 91, false, null],
    ]);
  });

  test('without a leader no lag is known; group 0 is the metadata', () => {
    const rows = raftRows([{ groupId: 0, topic: '', partition: 0, leader: undefined, term: 7, replicas: [replica(2, 'pre-candidate')] }]);
    expect(rows.map(({ name, nodeId, role, lag, active }) => [name, nodeId, role, lag, active])).toEqual([
      ['metadata', 1, 'no answer', null, null],
      ['metadata', 2, 'pre-candidate', null, null],
      ['metadata', 3, 'no answer', null, null],
    ]);
  });

  test('a replica with a damaged log is marked', () => {
    const group = {
      groupId: 4,
      topic: 'orders',
      partition: 1,
      leader: undefined,
      term: 7,
      replicas: [{ ...replica(2, 'follower'), faulty: true }],
    };
    expect(raftRows([group]).map(({ nodeId, faulty }) => [nodeId, faulty])).toEqual([
      [1, false],
      [2, true],
      [3, false],
    ]);
  });

  test('while the membership changes the rows say who learns and who leaves', () => {
    const leader = {
      ...replica(1, 'leader', [progress(3, 0, true), progress(4, 40, true)]),
      voters: [1, 2],
      outgoing: [1, 3, 5],
      learners: [4],
    };
    const replicas = [leader, replica(3, 'follower'), replica(4, 'learner')].map((row) => ({ ...row, voters: leader.voters }));
    const rows = raftRows([{ groupId: 4, topic: 'orders', partition: 1, leader: 1, term: 7, replicas }]);
    expect(rows.map(({ nodeId, role, lag, leaving }) => [nodeId, role, lag, leaving])).toEqual([
      [1, 'leader', 0, false],
      [2, 'no answer', null, false],
      [3, 'follower', 0, true],
      [4, 'learner', 40, false],
      [5, 'no answer', null, true],
    ]);
    expect(rows.map(roleText)).toEqual(['leader', 'no answer', 'follower, leaving', 'learner', 'no answer, leaving']);
  });

  test('a deposed leader that still thinks it leads is not believed', () => {
    const group = {
      groupId: 4,
      topic: 'orders',
      partition: 1,
      leader: 2,
      term: 8,
      replicas: [replica(1, 'leader', [progress(2, 50, true)])],
    };
    expect(raftRows([group]).map(({ lag }) => lag)).toEqual([null, null, null]);
  });
});

test('a raft group is named by its id or its partition', () => {
  expect(parseGroupName('7')).toEqual({ groupId: 7 });
  expect(parseGroupName('my.topic-1/12')).toEqual({ topic: 'my.topic-1', partition: 12 });
  for (const text of ['orders', 'orders/', '/1', 'a b/1', 'a/1/2', '-1'])
    expect(() => parseGroupName(text), text).toThrow(expect.objectContaining({ exitCode: 2 }));
});

describe('banner of make start', () => {
  const node = (id: number, port: number) => ({
    id,
    clientAddress: `127.0.0.1:${port}`,
    peerAddress: `127.0.0.1:${port + 10}`,
    httpAddress: `127.0.0.1:${port + 20}`,
  });

  test('shows every address and commands that work as they are', () => {
    const text = banner({ nodes: [node(1, 7070), node(2, 7071)], dir: '.balsa', readyMs: 2340 });
    for (const part of ['2 brokers in 2.3 s', '127.0.0.1:7071', '127.0.0.1:7080', 'http://127.0.0.1:7091', 'npx balsa topic create orders'])
      expect(text).toContain(part);
    expect(text).not.toContain('BALSA_ADDRESS');
  });

  test('on other ports tells the command line where the cluster is', () => {
    expect(banner({ nodes: [node(1, 8070)], dir: 'd', readyMs: 1 })).toMatch(
      /\n {2}export BALSA_ADDRESS=127\.0\.0\.1:8070\n {2}npx balsa topic create/,
    );
  });
});

describe('a move', () => {
  const row = { ...replica(1, 'leader', [progress(2, 0, true), progress(3, 40, true), progress(4, 91, true)]), ...members };

  test('is done when only those vote who shall, nobody learns, and one of them leads', () => {
    expect(isMoved(row, [3, 1, 2])).toBe(true);
    expect(isMoved(row, [1, 2])).toBe(false);
    expect(isMoved(row, [1, 2, 4])).toBe(false);
    expect(isMoved(row, [1, 2, 3, 4])).toBe(false);
    expect(isMoved({ ...row, outgoing: [1, 4] }, [1, 2, 3])).toBe(false);
    expect(isMoved({ ...row, learners: [4] }, [1, 2, 3])).toBe(false);
    expect(isMoved({ ...row, nodeId: 5 }, [1, 2, 3])).toBe(false);
    expect(isMoved(undefined, [1, 2, 3])).toBe(false);
  });

  test('is as far as the newcomer that has least', () => {
    expect(copiedEntries({ ...row, voters: [1, 2], learners: [3, 4] }, [1, 3, 4])).toEqual({ done: 0, total: 91 });
    expect(copiedEntries({ ...row, voters: [1, 2], learners: [3, 4] }, [1, 2, 3])).toEqual({ done: 51, total: 91 });
    expect(copiedEntries(row, [1, 2, 3])).toBeUndefined();
    expect(copiedEntries(undefined, [1, 2, 3])).toBeUndefined();
  });
});
