/**
 * A snapshot from the leader replaces this replica's machine and log start: the
 * replica was further behind than the leader's log reaches.
 */
import type { Snapshot } from '../core/raft/entry.ts';
import { checkpointFamily, checkpointRange } from './checkpoint-codec.ts';
import type { GroupState, HostState } from './state.ts';
import { failHost } from './schedule.ts';

/** Called while the write that makes the snapshot durable is being gathered; entries after it are applied later in order. */
export function installSnapshot(host: HostState, group: GroupState, snapshot: Snapshot<Uint8Array>): void {
  group.epoch += 1;
  group.applied = snapshot.index;
  group.committed = snapshot.index;
  group.checkpoints = [];
  group.bytesSinceCheckpoint = 0;
  group.commandsSinceCheckpoint = 0;
  group.machine.restore(snapshot.state);
  host.options.observer?.onSnapshot?.('installed', snapshot.state.byteLength);
  host.options.stateStore
    .write([{ op: 'delete-range', family: checkpointFamily, ...checkpointRange(group.key) }])
    .catch((error: unknown) => failHost(host, error));
}
