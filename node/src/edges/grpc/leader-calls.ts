/** Calls of this node to the metadata leader, over the leader's client API. */
import type { AdminServiceClient as AdminClient } from '@balsa/proto/admin';
import { AdminServiceClient } from '@balsa/proto/admin';
import type { Error as WireError } from '@balsa/proto/client';
import { errorFacts } from '@balsa/proto/errors';
import type { ErrorCode } from '@balsa/proto/errors';
import type { ServiceError } from '@grpc/grpc-js';
import { credentials, Metadata } from '@grpc/grpc-js';
import { BrokerError, brokerError } from '../../broker/broker-error.ts';
import type { LeaderCalls } from '../../broker/broker-state.ts';
import type { NodeId } from '../../core/ids.ts';
import { asNodeId, asTerm } from '../../core/ids.ts';

export interface LeaderClients extends LeaderCalls {
  readonly close: () => void;
}

interface Answer {
  readonly error: WireError | undefined;
}

/** `addressOf` gives host:port of a node's client API; undefined if it is not known. */
export function createLeaderCalls(addressOf: (node: NodeId) => string | undefined): LeaderClients {
  const clients = new Map<string, AdminClient>();
  const clientOf = (node: NodeId): AdminClient => {
    const address = addressOf(node);
    if (address === undefined) throw brokerError('CONNECTION_LOST', `The client address of node ${node} is not known here.`);
    const client = clients.get(address) ?? new AdminServiceClient(address, credentials.createInsecure(), { 'grpc.enable_http_proxy': 0 });
    clients.set(address, client);
    return client;
  };
  return {
    registerNode: async (leader, facts, timeoutMs) => {
      await call<Answer>((done) => clientOf(leader).registerNode(facts, new Metadata(), { deadline: Date.now() + timeoutMs }, done));
    },
    allocateProducerIds: async (leader, count, timeoutMs) => {
      const { firstId } = await call<Answer & { readonly firstId: number }>((done) =>
        clientOf(leader).allocateProducerIds({ count }, new Metadata(), { deadline: Date.now() + timeoutMs }, done),
      );
      return firstId;
    },
    close: () => {
      for (const client of clients.values()) client.close();
      clients.clear();
    },
  };
}

async function call<Response extends Answer>(
  send: (done: (error: ServiceError | null, response: Response) => void) => unknown,
): Promise<Response> {
  const response = await new Promise<Response>((resolve, reject) => {
    send((error, answer) => {
      if (error === null) resolve(answer);
      else reject(brokerError('CONNECTION_LOST', `The metadata leader did not answer: ${error.details}.`));
    });
  });
  if (response.error !== undefined && response.error.code !== '') throw fromWire(response.error);
  return response;
}

function fromWire({ code, message, leaderNodeId, leaderTerm }: WireError): BrokerError {
  const known = errorFacts(code) === undefined ? 'INTERNAL' : (code as ErrorCode);
  return new BrokerError(known, message, { leader: asNodeId(leaderNodeId), term: asTerm(leaderTerm) });
}
