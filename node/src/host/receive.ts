/** Messages from peers to their groups; what this node must not or cannot take is dropped here, which Raft survives. */
import type { NodeId } from '../core/ids.ts';
import type { GroupMessage } from '../ports/network.ts';
import { claimRoom } from './disk-space.ts';
import type { GroupState, HostState } from './state.ts';
import { enqueue } from './schedule.ts';

export function receive(host: HostState, from: NodeId, messages: readonly GroupMessage[]): void {
  for (const item of messages) {
    const group = host.groups.get(item.group);
    const dropped = dropReason(host, group, from, item);
    if (dropped !== undefined) host.options.observer?.onDropped?.(dropped, 1);
    else if (group !== undefined) enqueue(host, group, { input: { type: 'message', message: item.message } });
  }
}

type DropReason = 'unknown-group' | 'old-generation' | 'faulty' | 'disk-full' | 'unsynced-bytes';

function dropReason(
  host: HostState,
  group: GroupState | undefined,
  from: NodeId,
  { generation, message }: GroupMessage,
): DropReason | undefined {
  if (group === undefined || message.from !== from || message.to !== host.options.self) return 'unknown-group';
  if (group.key.generation !== generation) return 'old-generation';
  if (group.faulty) return 'faulty';
  if (message.kind === 'snapshot-request') return claimRoom(host, message.snapshot.state.byteLength) ? undefined : 'disk-full';
  if (message.kind !== 'append-request' || message.entries.length === 0) return undefined;
  if (host.unsyncedBytes > host.limits.unsyncedBytesMax) return 'unsynced-bytes';
  // The first entry of a new leader must always be taken: without it nobody could read either.
  const bytes = message.entries.reduce((sum, { kind, size }) => sum + (kind === 'command' ? size : 0), 0);
  return bytes === 0 || claimRoom(host, bytes) ? undefined : 'disk-full';
}

/** A peer's process may be gone: every group hears of it as a hint. */
export function peerLost(host: HostState, peer: NodeId): void {
  for (const group of host.groups.values()) {
    enqueue(host, group, { input: { type: 'peer-lost', node: peer } });
  }
}
