/**
 * Calls to brokers by address (host:port). The client's logic knows nothing below this.
 *
 * Contract
 *  - Methods are entries of the generated service definitions; `path` identifies them.
 *  - Requests are serialized before `unary` and `send` return: the caller may reuse bytes.
 *  - `unary` settles once. It rejects with a BalsaError: CONNECTION_LOST when no answer
 *    came (also when the address cannot be reached), TIMEOUT after `timeoutMs`, ABORTED by
 *    `signal`. Refusals by the broker are answers, not rejections.
 *  - A stream delivers messages in order until it calls `onClosed` exactly once, with the
 *    reason. What was sent before and not answered has an unknown outcome. `close` ends it
 *    without calling `onClosed`.
 *  - Nothing connects before it is needed; a broken connection is made anew at the next call.
 */
import type { BalsaError } from '../errors.ts';

export interface Method<Request, Response> {
  readonly path: string;
  readonly requestSerialize: (value: Request) => Buffer;
  readonly requestDeserialize: (bytes: Buffer) => Request;
  readonly responseSerialize: (value: Response) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => Response;
}

export interface UnaryOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

export interface StreamHandler<Response> {
  readonly onMessage: (message: Response) => void;
  readonly onClosed: (reason: BalsaError) => void;
}

export interface ClientStream<Request> {
  readonly send: (message: Request) => void;
  readonly close: () => void;
}

export interface Transport {
  readonly unary: <Request, Response>(
    address: string,
    method: Method<Request, Response>,
    request: Request,
    options: UnaryOptions,
  ) => Promise<Response>;
  readonly openStream: <Request, Response>(
    address: string,
    method: Method<Request, Response>,
    handler: StreamHandler<Response>,
  ) => ClientStream<Request>;
  /** Ends all calls and connections; later calls fail with CLOSED. */
  readonly close: () => void;
}
