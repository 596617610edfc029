/**
 * A small world for the explorer: three replicas of the real core, their disks with the
 * writes under way, and the messages between them. Worlds are values: an event makes a new
 * one that shares what did not change.
 */
import { asNodeId } from '@balsa/node/core/ids.ts';
import { defaultRaftConfig, type RaftConfig } from '@balsa/node/core/raft/config.ts';
import type { Effects } from '@balsa/node/core/raft/effects.ts';
import type { Input } from '@balsa/node/core/raft/input.ts';
import type { Membership } from '@balsa/node/core/raft/membership.ts';
import type { Message, OutgoingMessage } from '@balsa/node/core/raft/message.ts';
import type { RaftState } from '@balsa/node/core/raft/state.ts';
import { step } from '@balsa/node/core/raft/step.ts';
import { bootNode, bornNode, fillIn, type SimNode, writeImage } from '../property/raft-node.ts';

/** What no single replica knows, kept to check it. */
export interface Ghost {
  /** Leader by term; 0 if there was none. */
  readonly leaders: readonly number[];
  /** Term of the committed entry at each index, and the term in which that was known first. */
  readonly committed: readonly { readonly term: number; readonly in: number }[];
  /** By `voter.term`: who got the vote. */
  readonly votes: Readonly<Record<string, number>>;
}

export interface World {
  readonly nodes: readonly SimNode[];
  readonly network: readonly Message<string>[];
  readonly ghost: Ghost;
  readonly crashes: number;
  readonly elections: number;
  readonly heartbeats: number;
}

/** What an event of a world brought, for the invariants to look at. */
export interface Outcome {
  readonly world: World;
  readonly node: SimNode;
  readonly before: SimNode;
  readonly sent: readonly Message<string>[];
}

const members = [1, 2, 3].map(asNodeId);
const config: Omit<RaftConfig, 'self'> = { ...defaultRaftConfig, preVote: false, checkQuorum: false, seed: 1 };

export function bornWorld(): World {
  const birth: Membership = { voters: members, outgoing: [], learners: [], learnersNext: [], autoLeave: false };
  const nodes = members.map((self) => bornNode({ ...config, self }, birth));
  return { nodes, network: [], ghost: { leaders: [], committed: [], votes: {} }, crashes: 0, elections: 0, heartbeats: 0 };
}

/** Parts of a Raft state that are values: nobody changes them in place. */
const values: ReadonlySet<string> = new Set(['config', 'membership', 'hardState', 'ordered']);

/** A copy that shares nothing that can change. Several times faster than structuredClone, and does not need to know the fields. */
export function copyOf<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(copyOf) as T;
  if (value instanceof Map) return new Map([...value].map(([key, each]) => [key, copyOf(each)])) as T;
  if (value instanceof Set) return new Set(value) as T;
  if (value instanceof Uint32Array) return value.slice() as T;
  const copy: Record<string, unknown> = {};
  for (const key in value) copy[key] = values.has(key) ? value[key] : copyOf(value[key]);
  return copy as T;
}

export const copyRaft = (raft: RaftState): RaftState => copyOf(raft);

function copyNode(node: SimNode): SimNode {
  const { raft, view, disk, pending, held } = node;
  return { ...node, raft: copyRaft(raft!), view: { ...view }, disk: { ...disk }, pending: [...pending], held: [...held] };
}

export const nodeOf = ({ nodes }: World, id: number): SimNode => nodes[id - 1]!;

/** Changes a copy of one node; what it sends goes to the network. */
function change(world: World, id: number, act: (node: SimNode, send: (message: OutgoingMessage) => void) => void): Outcome {
  const before = nodeOf(world, id);
  const node = copyNode(before);
  const sent: Message<string>[] = [];
  act(node, (message) => {
    const full = fillIn(node.view, message);
    if (full !== undefined) sent.push(full);
  });
  const nodes = world.nodes.map((each) => (each === before ? node : each));
  return { world: { ...world, nodes, network: [...world.network, ...sent] }, node, before, sent };
}

function take(node: SimNode, input: Input<string>, send: (message: OutgoingMessage) => void): void {
  const effects: Effects<string> = step(node.raft!, input);
  if (effects.write !== undefined) {
    writeImage(node.view, effects.write);
    node.pending.push(effects.write);
  }
  for (const message of effects.send) send(message);
  for (const message of effects.sendAfterWrite) node.held.push({ token: effects.write!.token, message });
}

/** The election time-out of a node that does not lead is over. */
export const timeOut = (world: World, id: number): Outcome =>
  change({ ...world, elections: world.elections + 1 }, id, (node, send) => {
    node.raft!.electionElapsed = node.raft!.electionTicks;
    take(node, { type: 'tick', now: 0 }, send);
  });

/** Time for the leader's heartbeats. */
export const heartbeat = (world: World, id: number): Outcome =>
  change({ ...world, heartbeats: world.heartbeats + 1 }, id, (node, send) => {
    take(node, { type: 'tick', now: (node.raft!.now ?? 0) + config.heartbeatTicks }, send);
    node.raft!.now = 0;
  });

export const propose = (world: World, id: number): Outcome =>
  change(world, id, (node, send) => take(node, { type: 'propose', commands: [{ payload: '', size: 1 }] }, send));

export function deliver(world: World, message: Message<string>): Outcome {
  const network = world.network.filter((each) => each !== message);
  return change({ ...world, network }, message.to, (node, send) => take(node, { type: 'message', message }, send));
}

/** The oldest write of a node reaches its disk; what waited for it leaves. */
export const persist = (world: World, id: number): Outcome =>
  change(world, id, (node, send) => {
    const write = node.pending.shift()!;
    writeImage(node.disk, write);
    for (const { message } of node.held.filter(({ token }) => token <= write.token)) send(message);
    node.held = node.held.filter(({ token }) => token > write.token);
    take(node, { type: 'persisted', token: write.token }, send);
  });

/** The node crashes and starts again; of its writes under way the first `kept` were done. */
export const crash = (world: World, id: number, kept: number): Outcome =>
  change({ ...world, crashes: world.crashes + 1 }, id, (node) => {
    for (const write of node.pending.slice(0, kept)) writeImage(node.disk, write);
    bootNode(node);
  });
