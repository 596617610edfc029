/**
 * The two channels of a link. Votes, heartbeats and acknowledgements never wait behind
 * entries: they travel on a connection of their own.
 */
import { PeerChannel } from '@balsa/proto/peer';
import type { GroupMessage } from '../ports/network.ts';

export type Channel = 'control' | 'bulk';
export const channels: readonly Channel[] = ['control', 'bulk'];

export function channelOf({ message }: GroupMessage): Channel {
  if (message.kind === 'snapshot-request') return 'bulk';
  return message.kind === 'append-request' && message.entries.length > 0 ? 'bulk' : 'control';
}

export const wireChannel = {
  control: PeerChannel.PEER_CHANNEL_CONTROL,
  bulk: PeerChannel.PEER_CHANNEL_BULK,
} as const satisfies Record<Channel, PeerChannel>;

export function channelFrom(wire: PeerChannel): Channel | undefined {
  return channels.find((channel) => wireChannel[channel] === wire);
}
