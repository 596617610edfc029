/**
 * The in-memory twin of the client's transport: services by address, latency by a clock,
 * and connections that can be cut. Messages are serialized both ways, as on a wire, so no
 * bytes are shared between client and server.
 */
import { BalsaError, type ClientStream, type Clock, type Method, type StreamHandler, type Transport } from '@balsa/client';

/** Server side of one stream. */
export interface ServerStream {
  readonly onMessage: (message: unknown) => void;
  readonly onClosed: () => void;
}

export interface ServerPeer {
  readonly send: (message: unknown) => void;
  /** Ends the stream; the client sees a lost connection. */
  readonly close: () => void;
}

export interface Service {
  readonly unary: ReadonlyMap<string, (request: unknown) => Promise<unknown>>;
  readonly streams: ReadonlyMap<string, (peer: ServerPeer) => ServerStream>;
}

export interface MemoryNetwork {
  readonly serve: (address: string, service: Service) => void;
  /** Refuses new calls to `address` and cuts its streams, or lets them through again. */
  readonly setUp: (address: string, isUp: boolean) => void;
  /** Swallows everything to and from `address` without closing anything. */
  readonly setSilent: (address: string, isSilent: boolean) => void;
  readonly transport: Transport;
  readonly openStreams: () => number;
}

interface Link {
  readonly address: string;
  readonly cut: (reason: BalsaError) => void;
}

export function createMemoryNetwork(clock: Clock, latencyMs: () => number = () => 1): MemoryNetwork {
  const services = new Map<string, Service>();
  const down = new Set<string>();
  const silent = new Set<string>();
  const links = new Set<Link>();
  let closed = false;

  const isCut = (address: string) => down.has(address) || !services.has(address);
  /** Delivers in order: a message never overtakes an earlier one of the same direction. */
  const lane = (address: string) => {
    let lastMs = 0;
    return (deliver: () => void) => {
      lastMs = Math.max(lastMs, clock.monotonicMs() + latencyMs());
      clock.after(lastMs - clock.monotonicMs(), () => {
        if (!silent.has(address)) deliver();
      });
    };
  };

  const unary: Transport['unary'] = (address, method, request, options) =>
    new Promise((resolve, reject) => {
      if (closed) return reject(new BalsaError('CLOSED'));
      const bytes = method.requestSerialize(request);
      const finish = (settle: () => void) => {
        cancelTimeout();
        links.delete(link);
        options.signal?.removeEventListener('abort', abort);
        settle();
      };
      const abort = () => finish(() => reject(new BalsaError('ABORTED', { cause: options.signal?.reason })));
      const cancelTimeout = clock.after(options.timeoutMs, () => finish(() => reject(new BalsaError('TIMEOUT'))));
      const link: Link = { address, cut: (reason) => finish(() => reject(reason)) };
      links.add(link);
      if (options.signal?.aborted === true) return abort();
      options.signal?.addEventListener('abort', abort, { once: true });
      lane(address)(() => {
        const handler = services.get(address)?.unary.get(method.path);
        if (isCut(address)) return link.cut(refused(address));
        if (handler === undefined) return finish(() => reject(new BalsaError('UNSUPPORTED_VERSION')));
        void handler(method.requestDeserialize(bytes)).then((response) => {
          const answer = method.responseSerialize(response as never);
          lane(address)(() => finish(() => resolve(method.responseDeserialize(answer))));
        });
      });
    });

  const openStream = <Request, Response>(
    address: string,
    method: Method<Request, Response>,
    handler: StreamHandler<Response>,
  ): ClientStream<Request> => {
    if (closed) throw new BalsaError('CLOSED');
    let isOpen = true;
    let server: ServerStream | undefined;
    const toServer = lane(address);
    const toClient = lane(address);
    const end = (reason: BalsaError | undefined) => {
      if (!isOpen) return;
      isOpen = false;
      links.delete(link);
      clock.nextTurn(() => server?.onClosed());
      if (reason !== undefined) handler.onClosed(reason);
    };
    const link: Link = { address, cut: (reason) => clock.nextTurn(() => end(reason)) };
    links.add(link);
    const peer: ServerPeer = {
      send: (message) => {
        const bytes = method.responseSerialize(message as Response);
        toClient(() => isOpen && handler.onMessage(method.responseDeserialize(bytes)));
      },
      close: () => toClient(() => end(refused(address))),
    };
    toServer(() => {
      if (isCut(address)) return end(refused(address));
      server = services.get(address)?.streams.get(method.path)?.(peer);
    });
    return {
      send: (message) => {
        const bytes = method.requestSerialize(message);
        // What is on its way when the client closes may still arrive.
        toServer(() => server?.onMessage(method.requestDeserialize(bytes)));
      },
      close: () => end(undefined),
    };
  };

  return {
    serve: (address, service) => void services.set(address, service),
    setUp: (address, isUp) => {
      if (isUp) down.delete(address);
      else down.add(address);
      if (!isUp) for (const link of new Set(links)) if (link.address === address) link.cut(refused(address));
    },
    setSilent: (address, isSilent) => {
      if (isSilent) silent.add(address);
      else silent.delete(address);
    },
    transport: {
      unary,
      openStream,
      close: () => {
        closed = true;
        for (const link of new Set(links)) link.cut(new BalsaError('CLOSED', { effect: 'unknown' }));
      },
    },
    openStreams: () => links.size,
  };
}

function refused(address: string): BalsaError {
  return new BalsaError('CONNECTION_LOST', { detail: `${address} cannot be reached.` });
}
