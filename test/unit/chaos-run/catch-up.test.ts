/** When all replicas have caught up with where the log was when the question was asked. */
import type { RaftGroup } from '@balsa/client';
import { isReached } from '@balsa/chaos/run/catch-up.ts';
import { expect, test } from 'vitest';

const goals = new Map([[7, { index: 10, nodes: [1, 2] }]]);
const group = (...replicas: readonly { readonly nodeId: number; readonly applied: number; readonly faulty?: boolean }[]): RaftGroup =>
  ({ groupId: 7, replicas: replicas.map((replica) => ({ faulty: false, ...replica })) }) as unknown as RaftGroup;

test.each([
  ['all have applied it', [group({ nodeId: 1, applied: 10 }, { nodeId: 2, applied: 12 })], true],
  ['one is behind', [group({ nodeId: 1, applied: 10 }, { nodeId: 2, applied: 9 })], false],
  ['one does not answer', [group({ nodeId: 1, applied: 10 })], false],
  ['one is damaged', [group({ nodeId: 1, applied: 10 }, { nodeId: 2, applied: 10, faulty: true })], false],
  [
    'one who holds no replica by now is no concern',
    [group({ nodeId: 1, applied: 10 }, { nodeId: 2, applied: 10 }, { nodeId: 3, applied: 0 })],
    true,
  ],
  ['nobody answers for the group', [], false],
])('%s: %#', (_, groups, reached) => {
  expect(isReached(goals, groups)).toBe(reached);
});
