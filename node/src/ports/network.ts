/**
 * Messages between brokers.
 *
 * Contract: `send` never blocks and never throws. A message arrives once, whole and
 * in order per (peer, channel), or not at all: when a link breaks, what was queued or
 * under way is lost. Queues are bounded in bytes per peer and channel; what does not
 * fit is dropped (and counted), so a slow or dead peer costs only its own lag.
 */
import type { GroupId, NodeId } from '../core/ids.ts';
import type { Message } from '../core/raft/message.ts';

export interface GroupMessage {
  readonly group: GroupId;
  readonly generation: number;
  readonly message: Message<Uint8Array>;
}

export interface NetworkHandler {
  /** All messages of one received frame, in order. */
  readonly onMessages: (from: NodeId, messages: readonly GroupMessage[]) => void;
  readonly onPeerUp: (peer: NodeId) => void;
  /** A link closed or was refused: a hint that the peer's process may be gone. */
  readonly onPeerLost: (peer: NodeId) => void;
}

export interface Network {
  readonly start: (handler: NetworkHandler) => void;
  /** Queues one frame for `to`. Bulk messages (entries, snapshots) travel apart from control messages. */
  readonly send: (to: NodeId, messages: readonly GroupMessage[]) => void;
  /** Bytes queued for `to` and not yet handed to the operating system, per channel summed. */
  readonly queuedBytes: (to: NodeId) => number;
  readonly isConnected: (peer: NodeId) => boolean;
  readonly stop: () => Promise<void>;
}
