/**
 * Messages of one turn, one frame per peer. Entry ranges are resolved here: from the
 * journal's cache at once, from disk in a lane per (group, peer) that keeps the order.
 *
 * A message that cannot be resolved any more (log cut, leadership lost meanwhile) is
 * dropped: Raft treats that as a lost message. A leader that finds its log damaged here falls
 * silent and is repaired (repair.ts): it could never bring that follower further, another may.
 */
import type { NodeId } from '../core/ids.ts';
import type { Entry } from '../core/raft/entry.ts';
import type { AppendRequestRange, Message, OutgoingMessage, SnapshotRequestRef } from '../core/raft/message.ts';
import type { GroupMessage } from '../ports/network.ts';
import { JournalCorrupt } from '../storage/journal/vocabulary.ts';
import { becomeFaulty } from './repair.ts';
import type { GroupState, HostState } from './state.ts';
import { enqueue } from './schedule.ts';

export type Outbox = Map<NodeId, GroupMessage[]>;

export const createOutbox = (): Outbox => new Map();

export function flushOutbox(host: HostState, outbox: Outbox): void {
  for (const [peer, messages] of outbox) host.options.network.send(peer, messages);
}

/** Puts a message into the outbox, or into a lane if its entries must be read first. */
export function queueMessage(host: HostState, group: GroupState, message: OutgoingMessage, outbox: Outbox): void {
  if (message.kind === 'append-request') return queueAppend(host, group, message, outbox);
  if (message.kind === 'snapshot-request') return queueSnapshot(host, group, message, outbox);
  put(outbox, group, message);
}

function put(outbox: Outbox, group: GroupState, message: Message<Uint8Array>): void {
  const queued = outbox.get(message.to);
  const entry: GroupMessage = { ...group.key, message };
  if (queued === undefined) outbox.set(message.to, [entry]);
  else queued.push(entry);
}

function queueAppend(host: HostState, group: GroupState, message: AppendRequestRange, outbox: Outbox): void {
  // The next leader may have replaced these entries in this very turn.
  if (group.term !== message.term) return;
  const { first, last } = message.entries;
  const lane = group.lanes.get(message.to);
  if (lane === undefined) {
    const entries = last < first ? [] : host.options.journal.cached(group.key, first, last);
    if (entries !== undefined) return put(outbox, group, { ...message, entries });
  }
  const next = (lane ?? Promise.resolve()).then(() => sendFromDisk(host, group, message));
  group.lanes.set(message.to, next);
  void next.finally(() => {
    if (group.lanes.get(message.to) === next) group.lanes.delete(message.to);
  });
}

async function sendFromDisk(host: HostState, group: GroupState, message: AppendRequestRange): Promise<void> {
  const entries = await readRange(host, group, message);
  if (entries === undefined || group.removed || group.faulty || host.failed || group.term !== message.term) return;
  host.options.network.send(message.to, [{ ...group.key, message: { ...message, entries } }]);
}

async function readRange(
  host: HostState,
  group: GroupState,
  message: AppendRequestRange,
): Promise<readonly Entry<Uint8Array>[] | undefined> {
  const { first, last } = message.entries;
  if (last < first) return [];
  try {
    return await host.options.journal.read(group.key, first, last, Number.POSITIVE_INFINITY);
  } catch (error) {
    // The range was cut or is damaged: the follower's next answer makes the leader probe again.
    if (error instanceof JournalCorrupt) becomeFaulty(host, group, error);
    return undefined;
  }
}

function queueSnapshot(host: HostState, group: GroupState, message: SnapshotRequestRef, outbox: Outbox): void {
  const snapshot = host.options.journal.snapshot(group.key);
  if (snapshot === undefined || snapshot.index < message.snapshot.index) {
    enqueue(host, group, { input: { type: 'snapshot-failed', node: message.to } });
    return;
  }
  host.options.observer?.onSnapshot?.('sent', snapshot.state.byteLength);
  put(outbox, group, { ...message, snapshot });
}
