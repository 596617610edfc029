/** Calls that the metadata leader must answer: admin writes and producer ids. */
import type { Error as WireError } from '@balsa/proto/client';
import { BalsaError } from '../errors.ts';
import type { Method } from '../ports/transport.ts';
import { accepted, callBroker, type RetryPolicy, withRetries } from './broker-call.ts';
import type { CallScope } from './call-scope.ts';
import type { ClientContext } from './context.ts';
import { brokersInTurn, tryRefresh } from './metadata.ts';

export async function callController<Request, Response extends { readonly error?: WireError | undefined }>(
  context: ClientContext,
  method: Method<Request, Response>,
  message: Request,
  scope: CallScope,
  policy: RetryPolicy = {},
): Promise<Response> {
  let asked = 0;
  const attempt = async () => {
    asked = context.view.controllerNodeId;
    const address = context.view.addresses.get(asked) ?? brokersInTurn(context)[0];
    if (address === undefined) throw new BalsaError('LEADER_NOT_AVAILABLE', { detail: 'No broker is known.' });
    return accepted(await callBroker(context, address, method, message, scope));
  };
  const onFailure = async (error: BalsaError, failures: number) => {
    await policy.onFailure?.(error, failures);
    const hinted = error.leader?.nodeId ?? 0;
    // Whoever failed is not asked again at once; without a hint any broker may know more.
    if (hinted !== 0) context.view.controllerNodeId = hinted;
    else if (context.view.controllerNodeId === asked) context.view.controllerNodeId = 0;
    // A client that connected before the brokers had registered knows no address of the leader.
    if (hinted !== 0 && !context.view.addresses.has(hinted)) await tryRefresh(context);
    return hinted !== 0 && hinted !== asked;
  };
  return await withRetries(context, scope, attempt, { ...policy, onFailure });
}
