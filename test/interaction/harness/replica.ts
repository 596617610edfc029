/** One node of the cluster: what survives a crash, and what does not. */
import type { NodeId } from '@balsa/node/core/ids.ts';
import type { RaftConfig } from '@balsa/node/core/raft/config.ts';
import type { OutgoingMessage } from '@balsa/node/core/raft/message.ts';
import type { RaftState } from '@balsa/node/core/raft/state.ts';
import type { LogStore } from './log-store.ts';
import type { Machine } from './machine.ts';

/** A message that may leave once the write with `token` is on disk. */
export interface HeldMessage {
  readonly token: number;
  readonly message: OutgoingMessage;
}

export interface Replica {
  readonly id: NodeId;
  readonly config: RaftConfig;
  readonly store: LogStore;
  /** Undefined while the node is down. */
  raft: RaftState | undefined;
  machine: Machine;
  held: HeldMessage[];
  /** Ticks since the node started. */
  now: number;
  /** Last index (inclusive) that may be applied. */
  committed: number;
}
