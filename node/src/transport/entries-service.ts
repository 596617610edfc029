/** The served half of readEntries: identity first, then the request, then the owner of the journal answers. */
import type { ReadEntriesRequest, ReadEntriesResponse } from '@balsa/proto/peer';
import { type handleUnaryCall, type sendUnaryData, status } from '@grpc/grpc-js';
import { asNodeId } from '../core/ids.ts';
import { BadMessage } from './codec.ts';
import { decodeEntriesRequest, encodeEntriesAnswer } from './entries-codec.ts';
import { askerMismatch, helloOf } from './identity.ts';
import type { NetworkState } from './peer.ts';

type Respond = sendUnaryData<ReadEntriesResponse>;

export function createReadEntriesHandler(state: NetworkState): handleUnaryCall<ReadEntriesRequest, ReadEntriesResponse> {
  const { options, limits } = state;
  let underWay = 0;
  return ({ request }, respond) => {
    const refuse = (code: status, details: string): void => respond({ code, details });
    if (state.handler === undefined) return refuse(status.UNAVAILABLE, 'this node is not ready for its peers');
    const mismatch = askerMismatch(options, request) ?? strangerReason(state, request.nodeId);
    if (mismatch !== undefined) {
      options.onEvent({ kind: 'refused', peer: asNodeId(request.nodeId), by: 'self', reason: mismatch });
      return refuse(status.FAILED_PRECONDITION, mismatch);
    }
    if (underWay >= limits.readEntriesCallsMax) return refuse(status.RESOURCE_EXHAUSTED, 'enough calls of this kind are under way');
    underWay += 1;
    answer(state, request, respond)
      .catch((error: unknown) => refuse(error instanceof BadMessage ? status.INVALID_ARGUMENT : status.INTERNAL, String(error)))
      .finally(() => {
        underWay -= 1;
      });
  };
}

function strangerReason({ peers, options }: NetworkState, nodeId: number): string | undefined {
  return peers.has(asNodeId(nodeId)) ? undefined : `node ${nodeId} is not a known peer of node ${options.self}`;
}

async function answer({ handler, options, limits }: NetworkState, request: ReadEntriesRequest, respond: Respond): Promise<void> {
  const wanted = decodeEntriesRequest(request, limits.readEntriesBytesMax);
  const found = await handler?.onReadEntries(asNodeId(request.nodeId), wanted);
  if (found === undefined) respond({ code: status.NOT_FOUND, details: `node ${options.self} does not have group ${wanted.group}` });
  else respond(null, encodeEntriesAnswer(helloOf(options), found));
}
