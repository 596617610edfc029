/** What the network knows of one peer: plain records, and how they begin. */
import type { NodeId } from '../core/ids.ts';
import type { NetworkHandler } from '../ports/network.ts';
import type { Channel } from './channel.ts';
import type { TransportLimits } from './limits.ts';
import type { Link } from './link.ts';
import { createOutbox, type Outbox } from './outbox.ts';
import type { ChannelStats, GrpcNetworkOptions, PeerAddress, PeerStats } from './vocabulary.ts';

export interface ChannelState {
  readonly outbox: Outbox;
  messagesUnheard: number;
  messagesOversized: number;
  framesReceived: number;
  bytesReceived: number;
  messagesBad: number;
  framesBad: number;
}

export interface Peer {
  readonly address: PeerAddress;
  readonly channels: Readonly<Record<Channel, ChannelState>>;
  link: Link | undefined;
  /** Cancel the calls of readEntries under way. */
  readonly calls: Set<() => void>;
  /** What the handler was told last. */
  standing: 'new' | 'up' | 'lost';
}

export interface NetworkState {
  readonly options: GrpcNetworkOptions;
  readonly limits: TransportLimits;
  readonly peers: Map<NodeId, Peer>;
  /** Set from `start` to `stop`. */
  handler: NetworkHandler | undefined;
}

export function createPeer(limits: TransportLimits, address: PeerAddress): Peer {
  const { writingBytesMax, controlQueueBytesMax, bulkQueueBytesMax } = limits;
  const channel = (queueBytesMax: number): ChannelState => {
    const counts = { messagesUnheard: 0, messagesOversized: 0, framesReceived: 0, bytesReceived: 0, messagesBad: 0, framesBad: 0 };
    return { ...counts, outbox: createOutbox({ queueBytesMax, writingBytesMax }) };
  };
  return {
    address,
    channels: { control: channel(controlQueueBytesMax), bulk: channel(bulkQueueBytesMax) },
    link: undefined,
    calls: new Set(),
    standing: 'new',
  };
}

export function queuedBytes(peer: Peer | undefined): number {
  return peer === undefined ? 0 : peer.channels.control.outbox.queuedBytes + peer.channels.bulk.outbox.queuedBytes;
}

export function peerStats(peer: Peer): PeerStats {
  const { control, bulk } = peer.channels;
  return { peer: peer.address.nodeId, connected: peer.standing === 'up', control: channelStats(control), bulk: channelStats(bulk) };
}

function channelStats({ outbox, ...counts }: ChannelState): ChannelStats {
  const { framesSent, bytesSent, framesOverflowed, queuedBytes: queued } = outbox;
  return { ...counts, framesSent, bytesSent, framesOverflowed, queuedBytes: queued };
}
