/**
 * One turn of the host: every group that has something to do is stepped, then all
 * their writes go to the journal as one append and all messages leave as one frame
 * per peer. A turn is synchronous; whatever takes time comes back as an input.
 *
 * Order inside a turn: journal first (it makes the new entries readable from its
 * cache), then the messages that need no durability, then committed entries.
 * Invariant: `sendAfterWrite` messages leave only after the append of their turn
 * resolved, which the journal does in the order of the calls.
 */
import type { Effects } from '../core/raft/effects.ts';
import type { Input } from '../core/raft/input.ts';
import type { OutgoingMessage } from '../core/raft/message.ts';
import { assert } from '../core/assert.ts';
import { step } from '../core/raft/step.ts';
import { advanceApply } from './apply.ts';
import { noticeLeader } from './leadership.ts';
import { createOutbox, flushOutbox, type Outbox, queueMessage } from './outbox.ts';
import { answerLeaderDurable, answerProposals, appendProposals } from './propose.ts';
import { askReads, refuseReads, takeReadStates } from './reads.ts';
import { installSnapshot } from './snapshot.ts';
import { failHost } from './schedule.ts';
import type { GroupState, HostState } from './state.ts';
import { stepEvent } from './trace.ts';
import { createWriteSet, submitWrites, type WriteSet, addWrite } from './write.ts';

/** Everything a turn gathers before it lets anything out. */
interface Turn {
  readonly writes: WriteSet;
  readonly outbox: Outbox;
  readonly sends: { readonly group: GroupState; readonly message: OutgoingMessage }[];
}

export function runTurn(host: HostState): void {
  host.turnScheduled = false;
  if (host.failed) return;
  const startedMs = host.options.clock.monotonicMs();
  const groups = host.dirty;
  host.dirty = [];
  try {
    const turn: Turn = { writes: createWriteSet(), outbox: createOutbox(), sends: [] };
    for (const group of groups) stepGroup(host, group, turn);
    submitWrites(host, turn.writes);
    for (const { group, message } of turn.sends) queueMessage(host, group, message, turn.outbox);
    flushOutbox(host, turn.outbox);
    for (const group of groups) advanceApply(host, group);
  } catch (error) {
    failHost(host, error);
  }
  host.options.observer?.onTurn?.(host.options.clock.monotonicMs() - startedMs, groups.length);
}

function stepGroup(host: HostState, group: GroupState, turn: Turn): void {
  group.queued = false;
  if (group.removed || group.faulty) return;
  const inbox = group.inbox;
  group.inbox = [];
  for (const item of inbox) {
    const effects = stepCore(host, group, item.input);
    gather(host, group, effects, turn);
    item.onAnswer?.(effects.refused, effects.accepted?.last);
  }
  if (group.pending.size > 0 && inbox.some(({ input }) => input.type === 'persisted')) {
    answerLeaderDurable(host, group, group.raft.durability.durable);
  }
  const batch = appendProposals(group);
  if (batch !== undefined) {
    const effects = stepCore(host, group, batch.input);
    gather(host, group, effects, turn);
    answerProposals(host, group, batch, effects);
  }
  const read = askReads(group);
  if (read !== undefined) gather(host, group, stepCore(host, group, read), turn);
}

/** The only call of the core: whoever observes the host sees every transition of every group. */
function stepCore({ options }: HostState, group: GroupState, input: Input<Uint8Array>): Effects<Uint8Array> {
  const effects = step(group.raft, input);
  options.observer?.onStep?.(stepEvent(group.key, group.raft, input, effects));
  return effects;
}

function gather(host: HostState, group: GroupState, effects: Effects<Uint8Array>, turn: Turn): void {
  if (effects.write?.snapshot !== undefined) installSnapshot(host, group, effects.write.snapshot);
  assert(effects.write !== undefined || effects.sendAfterWrite.length === 0, 'what waits for the disk comes with a write', {
    ...group.key,
  });
  if (effects.write !== undefined) addWrite(turn.writes, group, effects.write, effects.sendAfterWrite);
  for (const message of effects.send) turn.sends.push({ group, message });
  if (effects.committed !== undefined) group.committed = effects.committed.last;
  if (effects.reads.length > 0) takeReadStates(group, effects.reads);
  if (effects.readsRefused.length > 0) refuseReads(group, effects.readsRefused);
  if (effects.soft !== undefined) noticeLeader(host, group, effects.soft);
}
