/** What a leader says of its replicas. */
import { defaultRaftConfig } from '@balsa/node/core/raft/config.ts';
import { statusOf } from '@balsa/node/core/raft/status.ts';
import { expect, test } from 'vitest';
import { lead, receive, replicaOf, ticks } from './replica.ts';

/** A leader of three, of whom 2 answers every heartbeat and 3 is silent; who is active as each tick ends. */
function activity(tickCount: number): { readonly two: boolean; readonly three: boolean }[] {
  const raft = lead(replicaOf());
  let asked = false;
  return Array.from({ length: tickCount }, () => {
    // The answer to the heartbeat of the last tick is still under way when this one begins.
    const [effects] = ticks(raft, 1);
    const active = new Map(statusOf(raft).replicas.map((replica) => [replica.node as number, replica.active]));
    if (asked) receive(raft, 'heartbeat-response', 2, raft.term);
    asked = effects?.send.some(({ kind, to }) => kind === 'heartbeat-request' && to === 2) === true;
    return { two: active.get(2) === true, three: active.get(3) === true };
  });
}

test('a replica that answers is active at every moment, also right after a quorum check', () => {
  const seen = activity(6 * defaultRaftConfig.electionTicksMax);
  expect(seen.every(({ two }) => two)).toBe(true);
});

test('a silent replica is inactive after two periods of the quorum check', () => {
  const seen = activity(2 * defaultRaftConfig.electionTicksMax + 2);
  expect(seen.at(-1)?.three).toBe(false);
});
