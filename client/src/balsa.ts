/** Connecting to a cluster. */
import { parseAddresses } from './address.ts';
import { type Admin, createAdmin } from './admin/admin.ts';
import { withRetries } from './cluster/broker-call.ts';
import { type CallOptions, openScope, withinScope } from './cluster/call-scope.ts';
import { checkOpen, type ClientContext, closeContext, createContext } from './cluster/context.ts';
import { refreshMetadata, tryRefresh } from './cluster/metadata.ts';
import { type Duration, durationMs } from './duration.ts';
import type { Ports } from './ports/ports.ts';
import { systemClock, systemRandom } from './ports/system.ts';
import { createTopic, type Topic, type TopicOptions } from './topic.ts';
import { grpcTransport } from './transport/grpc-transport.ts';

export interface ConnectOptions extends CallOptions {
  /** Names this client in the brokers' logs (default 'balsa-client'). */
  readonly clientId?: string | undefined;
  /** Longest time of one request to one broker, and the default time-out of every call (default 5s). */
  readonly requestTimeout?: Duration | undefined;
  /** Replaces clock, randomness or network, for tests and simulations. */
  readonly ports?: Partial<Ports> | undefined;
}

export interface Balsa extends AsyncDisposable {
  readonly clusterId: string;
  readonly admin: Admin;
  /** A handle for a topic, with bytes for keys and values unless codecs are given. */
  readonly topic: <KeyIn = Uint8Array, ValueIn = Uint8Array, KeyOut = KeyIn, ValueOut = ValueIn>(
    name: string,
    codecs?: TopicOptions<KeyIn, ValueIn, KeyOut, ValueOut>,
  ) => Topic<KeyIn, ValueIn, KeyOut, ValueOut>;
  /** Closes all producers (which flush) and consumers, then the connections. */
  readonly close: (options?: CallOptions) => Promise<void>;
}

const requestTimeoutDefault = '5s';

/** Connects to a cluster: 'balsa://host:port', several as 'balsa://a:7070,b:7070' or as a list. Resolves once a broker has answered. */
export async function connect(addresses: string | readonly string[], options: ConnectOptions = {}): Promise<Balsa> {
  const clientId = options.clientId ?? 'balsa-client';
  const seeds = parseAddresses(addresses);
  const requestTimeoutMs = durationMs(options.requestTimeout ?? requestTimeoutDefault, 'requestTimeout');
  const { clock = systemClock, random = systemRandom, transport = grpcTransport(clientId) } = options.ports ?? {};
  const context = createContext({ ports: { clock, random, transport }, clientId, requestTimeoutMs, seeds });
  context.silence.onSilent = () => void tryRefresh(context);
  const scope = openScope(clock, options, requestTimeoutMs);
  try {
    await withRetries(context, scope, () => withinScope(clock, scope, refreshMetadata(context)));
  } catch (error) {
    await closeContext(context);
    throw error;
  }
  return handle(context);
}

function handle(context: ClientContext): Balsa {
  return {
    clusterId: context.view.clusterId,
    admin: createAdmin(context),
    topic: (name, codecs = {}) => {
      checkOpen(context);
      return createTopic(context, name, codecs);
    },
    close: (options) => closeContext(context, options),
    [Symbol.asyncDispose]: () => closeContext(context),
  };
}
