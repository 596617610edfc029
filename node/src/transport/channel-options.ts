/** gRPC options of both ends of a subscription, and why each is set. */
import type { ChannelOptions } from '@grpc/grpc-js';
import type { Channel } from './channel.ts';
import { defaultLimits, type TransportLimits } from './limits.ts';

/** Bytes that a frame may have besides the message that makes it large. */
const frameSlackBytes = 1024 * 1024;
const serverPingIntervalMs = 5_000;
const serverPingTimeoutMs = 10_000;

export function subscriptionOptions(limits: TransportLimits, channel: Channel): ChannelOptions {
  return {
    'grpc-node.flow_control_window': limits.windowBytes,
    'grpc.max_receive_message_length': limits.messageBytesMax + limits.frameBytes + frameSlackBytes,
    'grpc.keepalive_time_ms': limits.pingIntervalMs,
    'grpc.keepalive_timeout_ms': channel === 'control' ? limits.controlPingTimeoutMs : limits.bulkPingTimeoutMs,
    // One connection per subscription: control must not share a socket with bulk.
    'grpc.use_local_subchannel_pool': 1,
    // Reconnecting is the link's business, and peers are not behind the site's web proxy.
    'grpc.enable_retries': 0,
    'grpc.enable_http_proxy': 0,
    'grpc.service_config_disable_resolution': 1,
    'grpc.enable_channelz': 0,
  };
}

/** For a call of readEntries, which has a connection of its own: an answer holds one log start at most. */
export const entriesCallOptions = (limits: TransportLimits): ChannelOptions => subscriptionOptions(limits, 'bulk');

/** For the grpc.Server that serves `register`: connections of vanished peers are closed, slower than the peers notice it. */
export function peerServerOptions(limits: TransportLimits = defaultLimits): ChannelOptions {
  return {
    'grpc.keepalive_time_ms': serverPingIntervalMs,
    'grpc.keepalive_timeout_ms': serverPingTimeoutMs,
    'grpc.max_receive_message_length': limits.messageBytesMax,
  };
}
