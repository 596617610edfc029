/**
 * The network between clients and brokers (and of brokers' calls to the metadata leader):
 * the twin of gRPC over HTTP/2. Messages are serialized both ways, as on a wire, and arrive
 * in order per stream and direction, whole, or not at all.
 *
 * Faults are per ordered pair of endpoints: a cut swallows one direction silently until it
 * has lasted `noticeMs`, as unanswered pings would show; a reset breaks what is open, with
 * or without the requests that are under way having arrived. What an endpoint hears, it
 * hears in its own time (ProcessClock): a paused process hears nothing.
 */
import { BalsaError, type ClientStream, type Method, type StreamHandler, type Transport } from '@balsa/client';
import type { ProcessClock } from './process-clock.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** Server side of one method; `Method` as generated, with requests as the server reads them. */
export interface ServedUnary {
  readonly method: WireMethod;
  readonly answer: (request: never) => Promise<unknown>;
}
export interface ServedStream {
  readonly method: WireMethod;
  readonly open: (peer: ServerPeer) => ServerStream;
}
type WireMethod = Pick<Method<never, never>, 'path'> & {
  readonly requestDeserialize: (bytes: Buffer) => unknown;
  readonly responseSerialize: (value: never) => Buffer;
};

export interface ServerPeer {
  readonly send: (message: unknown) => void;
}
export interface ServerStream {
  readonly onMessage: (message: unknown) => void;
  readonly onClosed: () => void;
}

export interface Service {
  readonly clock: ProcessClock;
  readonly unary: ReadonlyMap<string, ServedUnary>;
  readonly streams: ReadonlyMap<string, ServedStream>;
}

export interface ClientNetwork {
  readonly serve: (address: string, service: Service) => void;
  /** The process behind the address ends: calls are refused, what is open breaks. */
  readonly stop: (address: string) => void;
  readonly transport: (from: string, clock: ProcessClock) => Transport;
  /** Swallows everything from one endpoint to the other. */
  readonly cut: (from: string, to: string) => void;
  readonly heal: (from: string, to: string) => void;
  readonly healAll: () => void;
  /** Breaks all connections between two endpoints. */
  readonly reset: (one: string, other: string) => void;
  /** Milliseconds that a message takes, drawn for each. */
  latencyMs: () => number;
}

/** After which a silent connection is given up: the ping interval and its time-out. */
const noticeMs = 7000;

/** A stream or a call that is open. */
interface Connection {
  readonly client: string;
  readonly address: string;
  readonly end: (reason: BalsaError) => void;
}

interface Hub {
  readonly clock: VirtualClock;
  readonly services: Map<string, Service>;
  readonly cuts: Set<string>;
  readonly connections: Set<Connection>;
  readonly network: ClientNetwork;
}

const linkName = (from: string, to: string): string => `${from}>${to}`;
const refused = (address: string): BalsaError => new BalsaError('CONNECTION_LOST', { detail: `${address} cannot be reached.` });

export function createClientNetwork(clock: VirtualClock): ClientNetwork {
  const cuts = new Set<string>();
  const network: ClientNetwork = {
    latencyMs: () => 1,
    serve: (address, service) => void hub.services.set(address, service),
    stop: (address) => {
      hub.services.delete(address);
      breakWhere(hub, (connection) => connection.address === address);
    },
    transport: (from, ownClock) => createTransport(hub, from, ownClock),
    cut: (from, to) => {
      cuts.add(linkName(from, to));
      clock.after(noticeMs, () => breakWhere(hub, ({ client, address }) => isCutEitherWay(hub, client, address)));
    },
    heal: (from, to) => void cuts.delete(linkName(from, to)),
    healAll: () => cuts.clear(),
    reset: (one, other) =>
      breakWhere(hub, ({ client, address }) => (client === one && address === other) || (client === other && address === one)),
  };
  const hub: Hub = { clock, services: new Map(), cuts, connections: new Set(), network };
  return network;
}

const isCutEitherWay = ({ cuts }: Hub, client: string, address: string): boolean =>
  cuts.has(linkName(client, address)) || cuts.has(linkName(address, client));

function breakWhere(hub: Hub, matches: (connection: Connection) => boolean): void {
  for (const connection of new Set(hub.connections)) if (matches(connection)) connection.end(refused(connection.address));
}

/** One direction of one stream: nothing overtakes. A message that is swallowed is gone. */
function createLane(hub: Hub, from: string, to: string): (deliver: () => void) => void {
  let lastMs = 0;
  return (deliver) => {
    if (hub.cuts.has(linkName(from, to))) return;
    lastMs = Math.max(lastMs, hub.clock.monotonicMs() + hub.network.latencyMs());
    hub.clock.after(lastMs - hub.clock.monotonicMs(), () => {
      if (!hub.cuts.has(linkName(from, to))) deliver();
    });
  };
}

function createTransport(hub: Hub, from: string, clock: ProcessClock): Transport {
  const own = new Set<Connection>();
  let isClosed = false;
  const register = (address: string, end: (reason: BalsaError) => void): Connection => {
    const connection = { client: from, address, end };
    own.add(connection);
    hub.connections.add(connection);
    // A connection that is begun while the link is cut is given up like one that falls silent.
    if (isCutEitherWay(hub, from, address))
      hub.clock.after(noticeMs, () => isCutEitherWay(hub, from, address) && hub.connections.has(connection) && end(refused(address)));
    return connection;
  };
  const forget = (connection: Connection): void => {
    own.delete(connection);
    hub.connections.delete(connection);
  };
  const checkOpen = (): void => {
    if (isClosed) throw new BalsaError('CLOSED');
  };
  return {
    unary: async (address, method, request, options) => {
      checkOpen();
      return await new Promise((resolve, reject) => {
        const call = { address, bytes: method.requestSerialize(request), from, clock };
        const settle = (finish: () => void): void => {
          if (!own.has(connection)) return;
          forget(connection);
          stopTimeout();
          options.signal?.removeEventListener('abort', abort);
          finish();
        };
        const abort = (): void => settle(() => reject(new BalsaError('ABORTED', { cause: options.signal?.reason })));
        const stopTimeout = clock.after(options.timeoutMs, () => settle(() => reject(new BalsaError('TIMEOUT'))));
        const connection = register(address, (reason) => clock.nextTurn(() => settle(() => reject(reason))));
        if (options.signal?.aborted === true) return abort();
        options.signal?.addEventListener('abort', abort, { once: true });
        callUnary(hub, call, method.path, (answer) => {
          if (answer instanceof BalsaError) settle(() => reject(answer));
          else settle(() => resolve(method.responseDeserialize(answer)));
        });
      });
    },
    openStream: (address, method, handler) => {
      checkOpen();
      return openStream(hub, { from, clock, address, register, forget }, method, handler);
    },
    close: () => {
      isClosed = true;
      for (const connection of new Set(own)) connection.end(new BalsaError('CLOSED', { effect: 'unknown' }));
    },
  };
}

interface UnaryCall {
  readonly from: string;
  readonly clock: ProcessClock;
  readonly address: string;
  readonly bytes: Buffer;
}

function callUnary(
  hub: Hub,
  { from, clock, address, bytes }: UnaryCall,
  path: string,
  onAnswer: (answer: Buffer | BalsaError) => void,
): void {
  const back = createLane(hub, address, from);
  const answer = (value: Buffer | BalsaError): void => back(() => clock.enter(() => onAnswer(value)));
  createLane(
    hub,
    from,
    address,
  )(() => {
    const service = hub.services.get(address);
    if (service === undefined) return answer(refused(address));
    const served = service.unary.get(path);
    if (served === undefined) return answer(new BalsaError('UNSUPPORTED_VERSION'));
    service.clock.enter(() => {
      void served.answer(served.method.requestDeserialize(bytes) as never).then((response) => {
        if (hub.services.get(address) !== service) return;
        answer(response instanceof BalsaError ? response : served.method.responseSerialize(response as never));
      });
    });
  });
}

interface StreamPlace {
  readonly from: string;
  readonly clock: ProcessClock;
  readonly address: string;
  readonly register: (address: string, end: (reason: BalsaError) => void) => Connection;
  readonly forget: (connection: Connection) => void;
}

function openStream<Request, Response>(
  hub: Hub,
  { from, clock, address, register, forget }: StreamPlace,
  method: Method<Request, Response>,
  handler: StreamHandler<Response>,
): ClientStream<Request> {
  let isOpen = true;
  let server: { readonly service: Service; readonly method: WireMethod; readonly stream: ServerStream } | undefined;
  const toServer = createLane(hub, from, address);
  const toClient = createLane(hub, address, from);
  const end = (reason: BalsaError | undefined): void => {
    if (!isOpen) return;
    isOpen = false;
    forget(connection);
    server?.service.clock.nextTurn(() => server?.stream.onClosed());
    if (reason !== undefined) clock.nextTurn(() => handler.onClosed(reason));
  };
  const connection = register(address, end);
  const peer: ServerPeer = {
    send: (message) => {
      const bytes = server?.method.responseSerialize(message as never);
      if (bytes !== undefined) toClient(() => clock.enter(() => isOpen && handler.onMessage(method.responseDeserialize(bytes))));
    },
  };
  toServer(() => {
    const service = hub.services.get(address);
    const served = service?.streams.get(method.path);
    if (service === undefined || served === undefined) return end(refused(address));
    server = { service, method: served.method, stream: served.open(peer) };
  });
  return {
    send: (message) => {
      const bytes = method.requestSerialize(message);
      // What is on its way when the client closes may still arrive.
      toServer(() => server?.service.clock.enter(() => server?.stream.onMessage(server.method.requestDeserialize(bytes))));
    },
    close: () => end(undefined),
  };
}
