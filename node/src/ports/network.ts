/**
 * Messages between brokers.
 *
 * Contract: `send` never blocks and never throws. A message arrives once, whole and
 * in order per (peer, channel), or not at all: when a link breaks, what was queued or
 * under way is lost. Queues are bounded in bytes per peer and channel; what does not
 * fit is dropped (and counted), so a slow or dead peer costs only its own lag.
 *
 * `readEntries` stands apart from the messages: it asks one peer for what this node's
 * disk has lost, outside of Raft, and is answered once or rejects with PeerUnavailable.
 */
import type { GroupId, NodeId, RaftIndex } from '../core/ids.ts';
import type { Entry, Snapshot } from '../core/raft/entry.ts';
import type { Message } from '../core/raft/message.ts';

export interface GroupMessage {
  readonly group: GroupId;
  readonly generation: number;
  readonly message: Message<Uint8Array>;
}

/** Entries of a group that a peer shall send from its journal. */
export interface EntriesRequest {
  readonly group: GroupId;
  readonly generation: number;
  /** Both inclusive. */
  readonly first: RaftIndex;
  readonly last: RaftIndex;
  /** Entry bytes after which the answer ends (at least one entry). The peer may have a lower limit. */
  readonly bytesMax: number;
}

export interface EntriesAnswer {
  /** The peer's log starts after this index. */
  readonly logStart: RaftIndex;
  /** Last index (inclusive) that the peer knows to be committed. */
  readonly commit: RaftIndex;
  /** Committed, contiguous from the request's `first`; may be fewer than asked for, or none. */
  readonly entries: readonly Entry<Uint8Array>[];
  /** Start of the peer's log, if the request's `first` is not behind it. */
  readonly snapshot: Snapshot<Uint8Array> | undefined;
}

/** The peer is not there, does not have the group, or answered what cannot be used. */
export class PeerUnavailable extends Error {
  override readonly name: string = 'PeerUnavailable';
}

export interface NetworkHandler {
  /** All messages of one received frame, in order. */
  readonly onMessages: (from: NodeId, messages: readonly GroupMessage[]) => void;
  readonly onPeerUp: (peer: NodeId) => void;
  /** A link closed or was refused: a hint that the peer's process may be gone. */
  readonly onPeerLost: (peer: NodeId) => void;
  /** Undefined if this node does not have the group. */
  readonly onReadEntries: (from: NodeId, request: EntriesRequest) => Promise<EntriesAnswer | undefined>;
}

export interface Network {
  readonly start: (handler: NetworkHandler) => void;
  /** Queues one frame for `to`. Bulk messages (entries, snapshots) travel apart from control messages. */
  readonly send: (to: NodeId, messages: readonly GroupMessage[]) => void;
  /** Rejects with PeerUnavailable only, after a limited time. */
  readonly readEntries: (peer: NodeId, request: EntriesRequest) => Promise<EntriesAnswer>;
  /** Bytes queued for `to` and not yet handed to the operating system, per channel summed. */
  readonly queuedBytes: (to: NodeId) => number;
  readonly isConnected: (peer: NodeId) => boolean;
  readonly stop: () => Promise<void>;
}
