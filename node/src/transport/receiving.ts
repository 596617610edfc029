/** From a received frame to checked messages; what breaks the protocol is dropped and counted. */
import type { RaftMessage } from '@balsa/proto/peer';
import type { GroupMessage } from '../ports/network.ts';
import type { Channel } from './channel.ts';
import { BadMessage, decodeMessage } from './codec.ts';
import type { NetworkState, Peer } from './peer.ts';

export function receive(state: NetworkState, peer: Peer, channel: Channel, messages: readonly RaftMessage[], frameBytes: number): void {
  const of = peer.channels[channel];
  of.framesReceived++;
  of.bytesReceived += frameBytes;
  const good: GroupMessage[] = [];
  for (const message of messages) {
    const decoded = decodeOrDrop(state, peer, channel, message);
    if (decoded !== undefined) good.push(decoded);
  }
  if (good.length > 0) state.handler?.onMessages(peer.address.nodeId, good);
}

function decodeOrDrop(state: NetworkState, peer: Peer, channel: Channel, message: RaftMessage): GroupMessage | undefined {
  const { nodeId } = peer.address;
  try {
    return decodeMessage(message, nodeId, state.options.self);
  } catch (cause) {
    if (!(cause instanceof BadMessage)) throw cause;
    peer.channels[channel].messagesBad++;
    state.options.onEvent({ kind: 'message-dropped', peer: nodeId, channel, reason: cause.message });
    return undefined;
  }
}
