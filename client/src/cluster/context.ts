/** What all parts of one client share: ports, settings, the view of the cluster and the streams to brokers. */
import { DataServiceService, type FetchRequest, type FetchResponse, type ProduceRequest, type ProduceResponse } from '@balsa/proto/client';
import { BalsaError } from '../errors.ts';
import type { Ports } from '../ports/ports.ts';
import { produceMethod } from '../transport/produce-encoding.ts';
import type { CallOptions } from './call-scope.ts';
import { type ClusterView, createClusterView } from './cluster-view.ts';
import { closeSilenceWatch, createSilenceWatch, type SilenceWatch } from './silence.ts';
import { closeExchangePool, createExchangePool, type ExchangePool } from './exchange.ts';

export interface ClientContext {
  readonly ports: Ports;
  readonly clientId: string;
  /** Longest time of one request to one broker, and the default time-out of calls. */
  readonly requestTimeoutMs: number;
  /** Addresses that the caller gave: asked when no known broker answers. */
  readonly seeds: readonly string[];
  readonly view: ClusterView;
  readonly lookup: MetadataLookup;
  readonly silence: SilenceWatch;
  readonly produceStreams: ExchangePool<ProduceRequest, ProduceResponse>;
  readonly fetchStreams: ExchangePool<FetchRequest, FetchResponse>;
  /** Closes every open producer and consumer. */
  readonly openHandles: Set<(options?: CallOptions) => Promise<void>>;
  /** Told after each change of the view. */
  readonly onViewChanged: Set<() => void>;
  closed: boolean;
}

export interface MetadataLookup {
  /** Topics that somebody uses: every refresh asks for all of them. */
  readonly topics: Set<string>;
  running: { readonly topics: readonly string[]; readonly done: Promise<boolean> } | undefined;
  /** Where the next refresh starts in the list of brokers. */
  rotation: number;
}

export interface ContextOptions {
  readonly ports: Ports;
  readonly clientId: string;
  readonly requestTimeoutMs: number;
  readonly seeds: readonly string[];
}

export function createContext(options: ContextOptions): ClientContext {
  const { transport, clock, random } = options.ports;
  return {
    ...options,
    view: createClusterView(),
    lookup: { topics: new Set(), running: undefined, rotation: random.below(options.seeds.length) },
    silence: createSilenceWatch(clock),
    produceStreams: createExchangePool(transport, clock, produceMethod),
    fetchStreams: createExchangePool(transport, clock, DataServiceService.fetch),
    openHandles: new Set(),
    onViewChanged: new Set(),
    closed: false,
  };
}

export function checkOpen(context: ClientContext): void {
  if (context.closed) throw new BalsaError('CLOSED', { detail: 'The client is closed.' });
}

/** Closes producers (which flush) and consumers, then the connections. */
export async function closeContext(context: ClientContext, options: CallOptions = {}): Promise<void> {
  if (context.closed) return;
  const results = await Promise.allSettled([...context.openHandles].map((close) => close(options)));
  context.closed = true;
  closeSilenceWatch(context.silence);
  closeExchangePool(context.produceStreams);
  closeExchangePool(context.fetchStreams);
  context.ports.transport.close();
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}
