/**
 * Asking one peer for entries: a unary call on a connection of its own that is closed
 * afterwards, because it is rare and must not delay what the subscriptions carry.
 */
import { PeerServiceService, ReadEntriesResponse } from '@balsa/proto/peer';
import { Client, credentials } from '@grpc/grpc-js';
import type { NodeId } from '../core/ids.ts';
import { type EntriesAnswer, type EntriesRequest, PeerUnavailable } from '../ports/network.ts';
import { entriesCallOptions } from './channel-options.ts';
import { decodeEntriesAnswer, encodeEntriesRequest } from './entries-codec.ts';
import { askerOf, helloMismatch } from './identity.ts';
import type { NetworkState, Peer } from './peer.ts';

export function readEntries(state: NetworkState, to: NodeId, request: EntriesRequest): Promise<EntriesAnswer> {
  const peer = state.peers.get(to);
  if (state.handler === undefined || peer?.standing !== 'up') return Promise.reject(new PeerUnavailable(`node ${to} is not connected`));
  return new Promise((resolve, reject) => {
    call(state, peer, request, (response) => {
      try {
        if (response instanceof Error) throw response;
        resolve(decode(state, to, request, response));
      } catch (cause) {
        reject(new PeerUnavailable(`node ${to}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause }));
      }
    });
  });
}

function call(state: NetworkState, peer: Peer, request: EntriesRequest, onEnd: (response: Uint8Array | Error) => void): void {
  const { options, limits } = state;
  const { path, requestSerialize } = PeerServiceService.readEntries;
  const client = new Client(peer.address.address, credentials.createInsecure(), entriesCallOptions(limits));
  const wire = encodeEntriesRequest(askerOf(options, peer.address.nodeId), request);
  const asPlainBytes = (bytes: Buffer): Uint8Array => new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const started = client.makeUnaryRequest(path, requestSerialize, asPlainBytes, wire, (error, response) => {
    cancelTimeout();
    peer.calls.delete(cancel);
    client.close();
    onEnd(error ?? response ?? new Error('no answer'));
  });
  const cancel = (): void => started.cancel();
  const cancelTimeout = options.clock.after(limits.readEntriesTimeoutMs, cancel);
  peer.calls.add(cancel);
}

function decode({ options }: NetworkState, from: NodeId, request: EntriesRequest, bytes: Uint8Array): EntriesAnswer {
  const response = ReadEntriesResponse.decode(bytes);
  const mismatch = response.hello === undefined ? 'answer without a hello' : helloMismatch(options, from, response.hello);
  if (mismatch !== undefined) throw new Error(mismatch);
  return decodeEntriesAnswer(response, request);
}
