/** A group that stays joint, as one that was recovered from such a log does. */
import { asNodeId } from '@balsa/node/core/ids.ts';
import { expect, test } from 'vitest';
import { lead, membershipOf, replicaOf, take } from './replica.ts';

test('no second change while the group is joint, although nothing is uncommitted', () => {
  const joint = membershipOf([1, 2, 3], { outgoing: [1, 2, 4].map(asNodeId), autoLeave: false });
  const raft = lead(replicaOf({ membership: joint }));
  expect(raft.commit).toBe(1);
  const change = take(raft, { type: 'change-membership', target: { voters: [1, 2].map(asNodeId), learners: [] } });
  expect(change.refused).toBe('membership-change-pending');
  expect(change.write).toBeUndefined();
});
