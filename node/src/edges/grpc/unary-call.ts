/**
 * Single calls: bounded in number, answered always. Failures of the broker travel inside
 * the response, so that a client finds every error in the same place.
 */
import type { Error as WireError } from '@balsa/proto/client';
import type { handleUnaryCall } from '@grpc/grpc-js';
import { status } from '@grpc/grpc-js';
import { brokerError } from '../../broker/broker-error.ts';
import type { EdgeOptions } from './edge-options.ts';
import { toWireError } from './wire-error.ts';

export interface UnaryGate {
  readonly options: EdgeOptions;
  inflight: number;
}

/** `failed` makes the response of a call that was refused; without it the call fails with a gRPC status that names the code. */
export function unary<Request, Response>(
  gate: UnaryGate,
  method: string,
  answer: (request: Request) => Promise<NoInfer<Response>> | NoInfer<Response>,
  failed?: (error: WireError) => NoInfer<Response>,
): handleUnaryCall<Request, Response> {
  return (call, callback) => {
    void serve(gate, method, () => answer(call.request)).then((outcome) => {
      if ('response' in outcome) callback(null, outcome.response);
      else if (failed === undefined)
        callback({ code: statusOf(outcome.error), details: `${outcome.error.code}: ${outcome.error.message}` });
      else callback(null, failed(outcome.error));
    });
  };
}

type Outcome<Response> = { readonly response: Response } | { readonly error: WireError };

async function serve<Response>(gate: UnaryGate, method: string, answer: () => Promise<Response> | Response): Promise<Outcome<Response>> {
  const { limits, observer } = gate.options;
  observer.onRequest(method);
  gate.inflight += 1;
  try {
    if (gate.inflight > limits.unaryInflightMax) {
      throw brokerError('OVERLOADED', `The limit limits.unaryInflightMax (${limits.unaryInflightMax}) of this broker is reached.`);
    }
    return { response: await answer() };
  } catch (error) {
    return { error: toWireError(error, observer) };
  } finally {
    gate.inflight -= 1;
  }
}

const statusOf = ({ code }: WireError): status => (code === 'OVERLOADED' ? status.RESOURCE_EXHAUSTED : status.INTERNAL);
