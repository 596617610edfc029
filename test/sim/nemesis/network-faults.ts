/** Faults of links between nodes, and between clients and nodes. Each returns how to heal it. */
import type { NodeId } from '@balsa/node/core/ids.ts';
import type { RunState } from '../run/run-state.ts';
import { clientAddressOf } from '../world/node-config.ts';
import type { SimNode } from '../world/sim-node.ts';

export type Heal = () => void;

/** Ordered pairs from a node of one list to one of the other. */
function pairs(from: readonly SimNode[], to: readonly SimNode[]): (readonly [NodeId, NodeId])[] {
  return from.flatMap((one) => to.filter((other) => other !== one).map((other) => [one.id, other.id] as const));
}

function cutPairs({ world }: RunState, cut: readonly (readonly [NodeId, NodeId])[]): Heal {
  for (const [from, to] of cut) {
    world.hub.cut(from, to);
    world.clients.cut(clientAddressOf(from), clientAddressOf(to));
  }
  return () => {
    for (const [from, to] of cut) {
      world.hub.heal(from, to);
      world.clients.heal(clientAddressOf(from), clientAddressOf(to));
    }
  };
}

const others = ({ world }: RunState, node: SimNode): readonly SimNode[] => world.nodes.filter((each) => each !== node);

export function isolate(run: RunState, node: SimNode): Heal {
  return cutPairs(run, [...pairs([node], others(run, node)), ...pairs(others(run, node), [node])]);
}

/** The node hears nobody, or nobody hears it. */
export function cutOneWay(run: RunState, node: SimNode, inbound: boolean): Heal {
  return cutPairs(run, inbound ? pairs(others(run, node), [node]) : pairs([node], others(run, node)));
}

/** Two sides that do not hear each other. */
export function split(run: RunState, side: readonly SimNode[]): Heal {
  const rest = run.world.nodes.filter((node) => !side.includes(node));
  return cutPairs(run, [...pairs(side, rest), ...pairs(rest, side)]);
}

/** Two sides that share one node. */
export function bridge(run: RunState, middle: SimNode, side: readonly SimNode[]): Heal {
  const one = side.filter((node) => node !== middle);
  const rest = run.world.nodes.filter((node) => node !== middle && !one.includes(node));
  return cutPairs(run, [...pairs(one, rest), ...pairs(rest, one)]);
}

export function disconnect({ world }: RunState, one: SimNode, other: SimNode): Heal {
  world.hub.disconnect(one.id, other.id);
  world.clients.reset(clientAddressOf(one.id), clientAddressOf(other.id));
  return () => world.hub.connect(one.id, other.id);
}

/** Messages of one direction wait, and come all at once, in order. */
export function clog({ world }: RunState, from: SimNode, to: SimNode): Heal {
  world.hub.hold(from.id, to.id);
  return () => world.hub.release(from.id, to.id);
}

export function delay({ world }: RunState, from: SimNode, to: SimNode, delayMs: number): Heal {
  world.hub.delay(from.id, to.id, delayMs);
  return () => world.hub.delay(from.id, to.id, 0);
}

/** A client's requests, or the answers to it, are swallowed. */
export function cutClient({ world }: RunState, client: string, node: SimNode, answers: boolean): Heal {
  const address = clientAddressOf(node.id);
  const [from, to] = answers ? [address, client] : [client, address];
  world.clients.cut(from, to);
  return () => world.clients.heal(from, to);
}

/** Requests arrive, then the connection breaks before the answers do. */
export function resetClient({ world }: RunState, client: string, node: SimNode): Heal {
  world.clients.reset(client, clientAddressOf(node.id));
  return () => {};
}
