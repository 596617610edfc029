/**
 * Handing leadership over: accept nothing new, bring the target up to date, tell it
 * to campaign. If it does not lead within an election time-out, go on as leader.
 */
import { asRaftIndex, type NodeId } from '../ids.ts';
import type { Draft } from './draft.ts';
import type { Leadership } from './leadership.ts';
import { lastIndex } from './log.ts';
import { replicateTo } from './replicate.ts';
import { currentMembership, type RaftState } from './state.ts';

export function startTransfer<Payload>(state: RaftState, leading: Leadership, target: NodeId, draft: Draft<Payload>): void {
  const isEligible = target !== state.config.self && currentMembership(state).voters.includes(target);
  if (!isEligible) {
    draft.refused = 'invalid-target';
    return;
  }
  if (leading.transfer !== undefined && leading.transfer.target !== target) {
    draft.refused = 'transferring';
    return;
  }
  leading.transfer ??= { target, ticks: 0 };
  const last = lastIndex(state.log);
  draft.accepted = { term: state.term, first: asRaftIndex(last + 1), last };
  const progress = leading.progress.get(target);
  // What is in flight to the target may be lost; a probe finds out at once instead of at the next heartbeat.
  if (progress !== undefined) replicateTo(state, progress, draft, progress.match < last);
  continueTransfer(state, leading, target, draft);
}

/** Tells the target to campaign once it has everything; called whenever `node` has answered. */
export function continueTransfer<Payload>(state: RaftState, leading: Leadership, node: NodeId, draft: Draft<Payload>): void {
  if (leading.transfer?.target !== node || leading.progress.get(node)?.match !== lastIndex(state.log)) return;
  draft.send.push({ kind: 'timeout-now', from: state.config.self, to: node, term: state.term });
}

export function tickTransfer(leading: Leadership, ticksMax: number): void {
  if (leading.transfer === undefined) return;
  leading.transfer.ticks += 1;
  if (leading.transfer.ticks >= ticksMax) leading.transfer = undefined;
}
