/**
 * From messages to frames: per channel, cut between messages, encoded once. Nothing is
 * encoded that nobody hears or that does not fit the queue.
 */
import { assert } from '../core/assert.ts';
import type { NodeId } from '../core/ids.ts';
import type { GroupMessage } from '../ports/network.ts';
import { type Channel, channelOf, channels } from './channel.ts';
import { encodeMessage } from './codec.ts';
import { encodeFrame, type SizedMessage, sizeMessage } from './frame-encoder.ts';
import { enqueue, makeRoom } from './outbox.ts';
import type { NetworkState, Peer } from './peer.ts';

export function send(state: NetworkState, to: NodeId, messages: readonly GroupMessage[]): void {
  const peer = state.peers.get(to);
  if (peer === undefined || state.handler === undefined) return;
  for (const channel of channels) {
    const own = messages.filter((message) => channelOf(message) === channel);
    if (own.length > 0) sendOn(state, peer, channel, own);
  }
}

function sendOn(state: NetworkState, peer: Peer, channel: Channel, messages: readonly GroupMessage[]): void {
  const of = peer.channels[channel];
  if (of.outbox.stream === undefined) {
    of.messagesUnheard += messages.length;
    return;
  }
  const sized: SizedMessage[] = [];
  for (const message of messages) {
    assert(message.message.from === state.options.self, 'message of another node', { from: message.message.from });
    assert(message.message.to === peer.address.nodeId, 'message for another peer', { to: message.message.to });
    const one = sizeMessage(encodeMessage(message));
    if (one.frameBytes <= state.limits.messageBytesMax) sized.push(one);
    else dropOversized(state, peer, channel, one.frameBytes);
  }
  for (const frame of cutFrames(sized, state.limits.frameBytes)) offer(state, peer, channel, frame);
}

function dropOversized(state: NetworkState, peer: Peer, channel: Channel, bytes: number): void {
  const reason = `message of ${bytes} bytes is above the limit of ${state.limits.messageBytesMax}`;
  peer.channels[channel].messagesOversized++;
  state.options.onEvent({ kind: 'message-dropped', peer: peer.address.nodeId, channel, reason });
}

/** Consecutive messages, as many per frame as fit `frameBytes`, at least one. */
function cutFrames(messages: readonly SizedMessage[], frameBytes: number): SizedMessage[][] {
  const frames: SizedMessage[][] = [];
  let room = 0;
  for (const message of messages) {
    const open = frames.at(-1);
    if (open === undefined || message.frameBytes > room) {
      frames.push([message]);
      room = frameBytes - message.frameBytes;
    } else {
      open.push(message);
      room -= message.frameBytes;
    }
  }
  return frames;
}

function offer(state: NetworkState, peer: Peer, channel: Channel, messages: readonly SizedMessage[]): void {
  const { outbox } = peer.channels[channel];
  const overflowed = outbox.overflowing;
  const bytes = messages.reduce((sum, { frameBytes }) => sum + frameBytes, 0);
  if (makeRoom(outbox, bytes)) enqueue(outbox, encodeFrame(messages));
  else if (!overflowed) {
    state.options.onEvent({ kind: 'queue-overflow', peer: peer.address.nodeId, channel, queuedBytes: outbox.queuedBytes });
  }
}
