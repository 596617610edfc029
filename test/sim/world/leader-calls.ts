/** A node's calls to the metadata leader over the network twin. */
import { BrokerError, brokerError } from '@balsa/node/broker/broker-error.ts';
import type { LeaderCalls } from '@balsa/node/broker/broker-state.ts';
import { asNodeId, asTerm } from '@balsa/node/core/ids.ts';
import type { Method, Transport } from '@balsa/client';
import { AdminServiceService } from '@balsa/proto/admin';
import type { Error as WireError } from '@balsa/proto/client';
import type { ErrorCode } from '@balsa/proto/errors';
import { clientAddressOf } from './node-config.ts';

export function simLeaderCalls(transport: Transport): LeaderCalls {
  const call = async <Request, Response extends { readonly error: WireError | undefined }>(
    leader: number,
    method: Method<Request, Response>,
    request: Request,
    timeoutMs: number,
  ): Promise<Response> => {
    const response = await transport.unary(clientAddressOf(leader), method, request, { timeoutMs }).catch((cause: unknown) => {
      throw brokerError('CONNECTION_LOST', `The metadata leader did not answer: ${String(cause)}.`);
    });
    const { error } = response;
    if (error === undefined || error.code === '') return response;
    const hint = { leader: asNodeId(error.leaderNodeId), term: asTerm(error.leaderTerm) };
    throw new BrokerError(error.code as ErrorCode, error.message, hint);
  };
  return {
    registerNode: async (leader, facts, timeoutMs) => {
      await call(leader, AdminServiceService.registerNode, facts, timeoutMs);
    },
    allocateProducerIds: async (leader, count, timeoutMs) => {
      const { firstId } = await call(leader, AdminServiceService.allocateProducerIds, { count }, timeoutMs);
      return firstId;
    },
  };
}
