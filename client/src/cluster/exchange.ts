/**
 * Many requests over one stream, each answered by a message with the same correlation.
 * One stream per broker and kind is shared by all producers (or consumers) of a client:
 * requests keep the order in which they were given.
 *
 * Contract: every request gets exactly one reply call, in a later turn than the request:
 * the answer, or the error that ended the stream. A broken stream is opened anew by the
 * next request.
 */
import { asBalsaError, BalsaError } from '../errors.ts';
import type { ClientStream, Method, Transport } from '../ports/transport.ts';
import type { Clock } from '../ports/clock.ts';

interface Correlated {
  readonly correlation: number;
}

export type Reply<Response> = Response | BalsaError;
type OnReply<Response> = (reply: Reply<Response>) => void;

interface Exchange<Request, Response> {
  readonly stream: ClientStream<Request>;
  readonly waiting: Map<number, OnReply<Response>>;
  lastReplyMs: number;
}

export interface ExchangePool<Request extends Correlated, Response extends Correlated> {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly method: Method<Request, Response>;
  readonly byAddress: Map<string, Exchange<Request, Response>>;
  /** Last correlation given out, over all streams. */
  correlation: number;
}

const correlationMax = 0xffff_ffff;

export function createExchangePool<Request extends Correlated, Response extends Correlated>(
  transport: Transport,
  clock: Clock,
  method: Method<Request, Response>,
): ExchangePool<Request, Response> {
  return { transport, clock, method, byAddress: new Map(), correlation: 0 };
}

/** Sends the request that `build` makes for a correlation. Returns a function that drops interest in the reply. */
export function request<Request extends Correlated, Response extends Correlated>(
  pool: ExchangePool<Request, Response>,
  address: string,
  build: (correlation: number) => Request,
  onReply: OnReply<Response>,
): () => void {
  const correlation = nextCorrelation(pool);
  try {
    const exchange = exchangeTo(pool, address);
    exchange.waiting.set(correlation, onReply);
    exchange.stream.send(build(correlation));
    return () => void exchange.waiting.delete(correlation);
  } catch (thrown) {
    const error = asBalsaError(thrown);
    let wanted = true;
    pool.clock.nextTurn(() => {
      if (wanted) onReply(error);
    });
    return () => {
      wanted = false;
    };
  }
}

function nextCorrelation(pool: { correlation: number }): number {
  pool.correlation = pool.correlation === correlationMax ? 1 : pool.correlation + 1;
  return pool.correlation;
}

function exchangeTo<Request extends Correlated, Response extends Correlated>(
  pool: ExchangePool<Request, Response>,
  address: string,
): Exchange<Request, Response> {
  const known = pool.byAddress.get(address);
  if (known !== undefined) return known;
  const waiting = new Map<number, OnReply<Response>>();
  const stream = pool.transport.openStream(address, pool.method, {
    onMessage: (message) => {
      exchange.lastReplyMs = pool.clock.monotonicMs();
      const onReply = waiting.get(message.correlation);
      waiting.delete(message.correlation);
      onReply?.(message);
    },
    onClosed: (reason) => endExchange(pool, address, exchange, reason),
  });
  const exchange: Exchange<Request, Response> = { stream, waiting, lastReplyMs: pool.clock.monotonicMs() };
  pool.byAddress.set(address, exchange);
  return exchange;
}

function endExchange<Request extends Correlated, Response extends Correlated>(
  pool: ExchangePool<Request, Response>,
  address: string,
  exchange: Exchange<Request, Response>,
  reason: BalsaError,
): void {
  if (pool.byAddress.get(address) === exchange) pool.byAddress.delete(address);
  const replies = [...exchange.waiting.values()];
  exchange.waiting.clear();
  for (const onReply of replies) onReply(reason);
}

/** Breaks the stream to `address` if nothing came over it since `sinceMs`: it is taken for dead. */
export function resetSilentExchange<Request extends Correlated, Response extends Correlated>(
  pool: ExchangePool<Request, Response>,
  address: string,
  sinceMs: number,
): void {
  const exchange = pool.byAddress.get(address);
  if (exchange === undefined || exchange.lastReplyMs > sinceMs) return;
  exchange.stream.close();
  endExchange(pool, address, exchange, new BalsaError('CONNECTION_LOST', { detail: `${address} stopped answering.` }));
}

export function closeExchangePool<Request extends Correlated, Response extends Correlated>(pool: ExchangePool<Request, Response>): void {
  for (const [address, exchange] of pool.byAddress) {
    exchange.stream.close();
    endExchange(pool, address, exchange, new BalsaError('CLOSED', { effect: 'unknown' }));
  }
}
