/** One question to every registered broker; those that do not answer are part of the result. */
import type { NodeInfo } from '@balsa/proto/client';
import { accepted, callBroker } from '../cluster/broker-call.ts';
import { boundedMap } from '../cluster/bounded-map.ts';
import { type CallScope, openScope, remainingMs } from '../cluster/call-scope.ts';
import type { ClientContext } from '../cluster/context.ts';
import { asBalsaError, type BalsaError } from '../errors.ts';
import type { Method } from '../ports/transport.ts';
import type { Error as WireError } from '@balsa/proto/client';

export interface NodeAnswer<Response> {
  readonly node: NodeInfo;
  readonly answer: Response | undefined;
  /** Why there is no answer. */
  readonly error: BalsaError | undefined;
}

const concurrencyMax = 32;
/** An unreachable broker must not use up the time of the whole call. */
const nodeTimeoutMs = 2_000;

export function askAll<Request, Response extends { readonly error?: WireError | undefined } | object>(
  context: ClientContext,
  nodes: readonly NodeInfo[],
  method: Method<Request, Response>,
  message: Request,
  scope: CallScope,
): Promise<NodeAnswer<Response>[]> {
  const { clock } = context.ports;
  return boundedMap(nodes, concurrencyMax, async (node) => {
    const nodeScope = openScope(clock, { signal: scope.signal }, Math.min(nodeTimeoutMs, remainingMs(clock, scope)));
    try {
      const answer = accepted(await callBroker(context, node.clientAddress, method, message, nodeScope));
      return { node, answer, error: undefined };
    } catch (thrown) {
      const error = asBalsaError(thrown);
      if (error.code === 'ABORTED' || error.code === 'CLOSED') throw error;
      return { node, answer: undefined, error };
    }
  });
}
