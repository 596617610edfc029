/**
 * The transport over gRPC: one channel (one HTTP/2 connection) per broker address, made
 * at the first call and kept. The channel reconnects by itself; its own back-off is kept
 * below the client's, which decides when to try again.
 */
import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { BalsaError } from '../errors.ts';
import type { ClientStream, Method, StreamHandler, Transport, UnaryOptions } from '../ports/transport.ts';

/** Largest message either way; a fetch answer may exceed its bytes limit by one batch. */
const messageBytesMax = 128 * 1024 * 1024;
/** HTTP/2 window for answers: the default of 64 KiB would cap a fetch stream at a fraction of the link. */
const flowControlWindowBytes = 16 * 1024 * 1024;

const channelOptions = {
  'grpc-node.flow_control_window': flowControlWindowBytes,
  'grpc.max_receive_message_length': messageBytesMax,
  'grpc.max_send_message_length': messageBytesMax,
  'grpc.keepalive_time_ms': 5_000,
  'grpc.keepalive_timeout_ms': 2_000,
  'grpc.initial_reconnect_backoff_ms': 20,
  'grpc.max_reconnect_backoff_ms': 500,
  'grpc.enable_retries': 0,
  'grpc.service_config_disable_resolution': 1,
  // Each client owns its connections, so that closing one never disturbs another.
  'grpc.use_local_subchannel_pool': 1,
};

interface Channels {
  readonly clientId: string;
  readonly byAddress: Map<string, Client>;
  closed: boolean;
}

/** What `connect` uses by itself. For those who put something in front of it, by `ports`; `clientId` is what brokers see. */
export function grpcTransport(clientId: string): Transport {
  const channels: Channels = { clientId, byAddress: new Map(), closed: false };
  return {
    unary: (address, method, request, options) => callUnary(channels, address, method, request, options),
    openStream: (address, method, handler) => openStream(channels, address, method, handler),
    close: () => closeAll(channels),
  };
}

function channelTo(channels: Channels, address: string): Client {
  if (channels.closed) throw new BalsaError('CLOSED');
  const known = channels.byAddress.get(address);
  if (known !== undefined) return known;
  const options = { ...channelOptions, 'grpc.primary_user_agent': `balsa-client/${channels.clientId}` };
  const channel = new Client(address, credentials.createInsecure(), options);
  channels.byAddress.set(address, channel);
  return channel;
}

function callUnary<Request, Response>(
  channels: Channels,
  address: string,
  method: Method<Request, Response>,
  request: Request,
  options: UnaryOptions,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    const { signal } = options;
    if (signal?.aborted === true) {
      reject(new BalsaError('ABORTED', { cause: signal.reason, effect: 'none' }));
      return;
    }
    const deadline = new Date(Date.now() + options.timeoutMs);
    const settle = (error: ServiceError | null, response?: Response) => {
      signal?.removeEventListener('abort', abort);
      if (error === null && response !== undefined) resolve(response);
      else reject(signal?.aborted === true ? new BalsaError('ABORTED', { cause: signal.reason }) : fromStatus(address, error));
    };
    const channel = channelTo(channels, address);
    const { path, requestSerialize, responseDeserialize } = method;
    const call = channel.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, new Metadata(), { deadline }, settle);
    const abort = () => call.cancel();
    signal?.addEventListener('abort', abort, { once: true });
  });
}

function openStream<Request, Response>(
  channels: Channels,
  address: string,
  method: Method<Request, Response>,
  handler: StreamHandler<Response>,
): ClientStream<Request> {
  const channel = channelTo(channels, address);
  // Messages are serialized by `send` itself: gRPC would do it later when its buffer is full.
  const call = channel.makeBidiStreamRequest(method.path, asIs, method.responseDeserialize, new Metadata());
  let open = true;
  const closeOnce = (reason: BalsaError) => {
    if (!open) return;
    open = false;
    handler.onClosed(reason);
  };
  call.on('data', (message: Response) => {
    if (open) handler.onMessage(message);
  });
  call.on('error', (error: ServiceError) => closeOnce(fromStatus(address, error)));
  call.on('end', () => closeOnce(new BalsaError('CONNECTION_LOST', { detail: `${address} ended the stream.` })));
  return {
    send: (message) => {
      if (open) call.write(method.requestSerialize(message));
    },
    close: () => {
      open = false;
      call.cancel();
    },
  };
}

function asIs(serialized: Buffer): Buffer {
  return serialized;
}

/** A gRPC status as our error: anything but a time-out means that no answer came. */
function fromStatus(address: string, error: ServiceError | null): BalsaError {
  const detail = `${address}: ${error?.details ?? 'no answer'}.`;
  switch (error?.code) {
    case status.DEADLINE_EXCEEDED:
      return new BalsaError('TIMEOUT', { detail, cause: error });
    case status.UNIMPLEMENTED:
      return new BalsaError('UNSUPPORTED_VERSION', { detail, cause: error });
    case status.INTERNAL:
    case status.UNKNOWN:
    case status.RESOURCE_EXHAUSTED:
      return new BalsaError('INTERNAL', { detail, cause: error });
    default:
      return new BalsaError('CONNECTION_LOST', { detail, cause: error ?? undefined });
  }
}

function closeAll(channels: Channels): void {
  channels.closed = true;
  for (const channel of channels.byAddress.values()) channel.close();
  channels.byAddress.clear();
}
