/**
 * Time. The core counts ticks, not time: a node that was stopped for a while sees one
 * tick, not hundreds, and first reads the messages that waited for it.
 */
import { assert } from '../assert.ts';
import { noNode } from '../ids.ts';
import type { Draft } from './draft.ts';
import { campaign } from './election.ts';
import { becomeFollower } from './follow.ts';
import type { Leadership } from './leadership.ts';
import { hasQuorum } from './quorum.ts';
import { expireSnapshots, sendHeartbeats } from './replicate.ts';
import { currentMembership, mayCampaign, type RaftState } from './state.ts';
import { tickTransfer } from './transfer.ts';

export function tick<Payload>(state: RaftState, now: number, draft: Draft<Payload>): void {
  const before = state.now ?? now - 1;
  assert(now >= before, 'ticks never go back', { now, before });
  state.now = now;
  if (state.leading !== undefined) tickLeader(state, state.leading, before, now, draft);
  else tickFollower(state, draft);
}

function tickFollower<Payload>(state: RaftState, draft: Draft<Payload>): void {
  state.electionElapsed += 1;
  if (state.electionElapsed < state.electionTicks) return;
  if (mayCampaign(state)) campaign(state, draft);
  else state.leader = noNode;
}

function tickLeader<Payload>(state: RaftState, leading: Leadership, before: number, now: number, draft: Draft<Payload>): void {
  const { heartbeatTicks, electionTicksMin, checkQuorum } = state.config;
  tickTransfer(leading, electionTicksMin);
  leading.quorumTicks += 1;
  if (leading.quorumTicks >= electionTicksMin) {
    if (checkQuorum && !isQuorumActive(state, leading)) {
      becomeFollower(state, draft, state.term, noNode);
      return;
    }
    leading.quorumTicks = 0;
    for (const progress of leading.progress.values()) {
      progress.activeBefore = progress.active;
      progress.active = false;
    }
  }
  if (Math.floor(now / heartbeatTicks) === Math.floor(before / heartbeatTicks)) return;
  expireSnapshots(leading);
  sendHeartbeats(state, leading, draft);
}

function isQuorumActive(state: RaftState, leading: Leadership): boolean {
  const { self } = state.config;
  return hasQuorum(currentMembership(state), (node) => node === self || leading.progress.get(node)?.active === true);
}
