/**
 * Messages between replicas: all in flight until somebody delivers, drops or
 * repeats them. A cut link loses what is sent over it and what was in flight on it.
 */
import type { NodeId } from '@balsa/node/core/ids.ts';
import type { Message } from '@balsa/node/core/raft/message.ts';

export type Sent = Message<string>;

export interface Network {
  /** In the order of sending. */
  inFlight: Sent[];
  /** Directed links that lose everything, as "from>to". */
  readonly cut: Set<string>;
}

export const createNetwork = (): Network => ({ inFlight: [], cut: new Set() });

const link = (from: NodeId, to: NodeId): string => `${from}>${to}`;

export const isCut = (network: Network, message: Sent): boolean => network.cut.has(link(message.from, message.to));

/** Cuts one direction; returns what was lost in flight. */
export function cutLink(network: Network, from: NodeId, to: NodeId): Sent[] {
  network.cut.add(link(from, to));
  return take(network, (message) => message.from === from && message.to === to);
}

export const healLink = (network: Network, from: NodeId, to: NodeId): boolean => network.cut.delete(link(from, to));

/** Removes the messages that match from the network, in order. */
export function take(network: Network, matches: (message: Sent) => boolean): Sent[] {
  const taken = network.inFlight.filter(matches);
  const left = new Set(taken);
  network.inFlight = network.inFlight.filter((message) => !left.has(message));
  return taken;
}
