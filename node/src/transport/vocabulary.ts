/** What the owner of a transport passes in and what it is told. */
import type { NodeId } from '../core/ids.ts';
import type { Clock } from '../ports/clock.ts';
import type { Random } from '../ports/random.ts';
import type { Channel } from './channel.ts';
import type { TransportLimits } from './limits.ts';

export interface PeerAddress {
  readonly nodeId: NodeId;
  /** host:port of the peer's gRPC server. */
  readonly address: string;
}

export interface GrpcNetworkOptions {
  readonly self: NodeId;
  /** Empty until this node has joined a cluster. */
  readonly clusterId: () => string;
  readonly storeId: string;
  readonly peers: readonly PeerAddress[];
  /** 'ok', or why the node must not talk to the holder of this data folder. */
  readonly verifyPeer: (nodeId: NodeId, storeId: string) => string;
  readonly clock: Clock;
  readonly random: Random;
  readonly limits?: Partial<TransportLimits>;
  readonly onEvent: (event: TransportEvent) => void;
}

/** For the log. Events of a continuing condition come once per episode; `stats` has the counts. */
export type TransportEvent =
  | { readonly kind: 'peer-up'; readonly peer: NodeId }
  | { readonly kind: 'peer-lost'; readonly peer: NodeId; readonly reason: string }
  /** By whom the link was refused; `peer` is what the other side says it is. */
  | { readonly kind: 'refused'; readonly peer: NodeId; readonly by: 'self' | 'peer'; readonly reason: string }
  | { readonly kind: 'queue-overflow'; readonly peer: NodeId; readonly channel: Channel; readonly queuedBytes: number }
  /** A message that cannot be sent because of its size, or was received and breaks the protocol. */
  | { readonly kind: 'message-dropped'; readonly peer: NodeId; readonly channel: Channel; readonly reason: string }
  /** The stream is closed after this. */
  | { readonly kind: 'bad-frame'; readonly peer: NodeId; readonly channel: Channel; readonly reason: string };

export interface ChannelStats {
  readonly framesSent: number;
  readonly bytesSent: number;
  /** Did not fit the queue. */
  readonly framesOverflowed: number;
  /** Nobody was subscribed. */
  readonly messagesUnheard: number;
  readonly messagesOversized: number;
  readonly framesReceived: number;
  readonly bytesReceived: number;
  readonly messagesBad: number;
  readonly framesBad: number;
  readonly queuedBytes: number;
}

export interface PeerStats {
  readonly peer: NodeId;
  readonly connected: boolean;
  readonly control: ChannelStats;
  readonly bulk: ChannelStats;
}
