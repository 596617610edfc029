/**
 * A cluster of Raft cores with the smallest possible host around each: it executes
 * effects in the order that the contract demands and reports all that happens.
 *
 * Nothing happens by itself, unless `autoPersist` (a disk without latency) or
 * `autoApply` (a machine without latency) is on.
 */
import type { NodeId } from '@balsa/node/core/ids.ts';
import type { RaftConfig } from '@balsa/node/core/raft/config.ts';
import type { Effects } from '@balsa/node/core/raft/effects.ts';
import type { Input } from '@balsa/node/core/raft/input.ts';
import type { OutgoingMessage } from '@balsa/node/core/raft/message.ts';
import { createRaft } from '@balsa/node/core/raft/state.ts';
import { step } from '@balsa/node/core/raft/step.ts';
import type { Happening } from './happening.ts';
import { createLogStore, entriesOf, type LogImage, losePending, orderWrite, persistOldest } from './log-store.ts';
import { applyEntry, createMachine } from './machine.ts';
import { createNetwork, isCut, type Network, type Sent } from './network.ts';
import type { Replica } from './replica.ts';

export interface Cluster {
  readonly replicas: Map<NodeId, Replica>;
  readonly network: Network;
  autoPersist: boolean;
  autoApply: boolean;
  readonly observe: (happening: Happening) => void;
}

export function createCluster(observe: (happening: Happening) => void): Cluster {
  return { replicas: new Map(), network: createNetwork(), autoPersist: true, autoApply: true, observe };
}

export function addReplica(cluster: Cluster, config: RaftConfig, image: LogImage): Replica {
  const replica: Replica = {
    id: config.self,
    config,
    store: createLogStore(image),
    raft: undefined,
    machine: createMachine(image.snapshot),
    held: [],
    now: 0,
    committed: 0,
  };
  cluster.replicas.set(replica.id, replica);
  boot(replica);
  return replica;
}

/** Starts the core from what is on disk; the machine is rebuilt from its snapshot. */
function boot(replica: Replica): void {
  const { snapshot, entries, hardState } = replica.store.durable;
  replica.machine = createMachine(snapshot);
  replica.committed = snapshot.index;
  replica.now = 0;
  const { index, term, membership } = snapshot;
  replica.raft = createRaft(replica.config, { hardState, snapshot: { index, term, membership }, entries: [...entries], applied: index });
}

/** Steps one node and executes what comes of it. Returns false if the node is down. */
export function stepNode(cluster: Cluster, replica: Replica, input: Input<string>): boolean {
  if (replica.raft === undefined) return false;
  if (input.type === 'read') cluster.observe({ type: 'asked', node: replica.id, context: input.context });
  const effects = guard(cluster, replica, () => step(replica.raft!, input));
  if (effects === undefined) return false;
  execute(cluster, replica, effects);
  cluster.observe({ type: 'stepped', node: replica.id });
  if (cluster.autoPersist) persistNode(cluster, replica);
  if (cluster.autoApply) applyNode(cluster, replica);
  return true;
}

/** A core that throws stops its node, as in production. */
function guard<Result>(cluster: Cluster, replica: Replica, run: () => Result): Result | undefined {
  try {
    return run();
  } catch (error) {
    cluster.observe({ type: 'broken', node: replica.id, reason: error instanceof Error ? error.message : String(error) });
    stop(replica);
    return undefined;
  }
}

function execute(cluster: Cluster, replica: Replica, effects: Effects<string>): void {
  const { observe } = cluster;
  const node = replica.id;
  if (effects.soft !== undefined) observe({ type: 'role', node, ...effects.soft });
  if (effects.accepted !== undefined) observe({ type: 'accepted', node, ...effects.accepted });
  if (effects.refused !== undefined) observe({ type: 'refused', node, refusal: effects.refused });
  executeWrite(cluster, replica, effects);
  for (const message of effects.send) transmit(cluster, replica, message);
  for (const message of effects.sendAfterWrite) sendWhenDurable(cluster, replica, message);
  if (effects.committed !== undefined) {
    observe({ type: 'committed', node, ...effects.committed });
    replica.committed = effects.committed.last;
  }
  for (const read of effects.reads) observe({ type: 'read', node, ...read });
  for (const read of effects.readsRefused) observe({ type: 'read-refused', node, ...read });
}

function executeWrite(cluster: Cluster, replica: Replica, { write }: Effects<string>): void {
  if (write === undefined) return;
  cluster.observe({ type: 'write', node: replica.id, write });
  orderWrite(replica.store, write);
  if (write.snapshot === undefined) return;
  replica.machine = createMachine(write.snapshot);
  replica.committed = Math.max(replica.committed, write.snapshot.index);
  cluster.observe({ type: 'installed', node: replica.id, snapshot: write.snapshot });
}

/** A message must not overtake the newest write that is not on disk yet. */
function sendWhenDurable(cluster: Cluster, replica: Replica, message: OutgoingMessage): void {
  const token = replica.store.pending.at(-1)?.token;
  if (token === undefined) {
    transmit(cluster, replica, message);
    return;
  }
  replica.held.push({ token, message });
  if (!cluster.autoPersist) cluster.observe({ type: 'held', node: replica.id, token, message });
}

/** Fills in what the message only names, and puts it on the network. */
function transmit(cluster: Cluster, replica: Replica, outgoing: OutgoingMessage): void {
  const message = resolve(replica, outgoing);
  if (message === undefined) {
    cluster.observe({ type: 'unsendable', message: outgoing });
    return;
  }
  const lost = isCut(cluster.network, message);
  cluster.observe({ type: 'sent', message, lost });
  if (!lost) cluster.network.inFlight.push(message);
}

function resolve({ store }: Replica, message: OutgoingMessage): Sent | undefined {
  if (message.kind === 'append-request') {
    const entries = entriesOf(store.view, message.entries);
    return entries === undefined ? undefined : { ...message, entries };
  }
  if (message.kind === 'snapshot-request') {
    const { snapshot } = store.view;
    const same = snapshot.index === message.snapshot.index && snapshot.term === message.snapshot.term;
    return same ? { ...message, snapshot } : undefined;
  }
  return message;
}

/** Brings up to `count` of the writes that are pending now to disk, oldest first; returns how many there were. */
export function persistNode(cluster: Cluster, replica: Replica, count: number = Number.POSITIVE_INFINITY): number {
  const wanted = Math.min(count, replica.store.pending.length);
  let done = 0;
  for (; done < wanted && replica.raft !== undefined; done++) {
    const write = persistOldest(replica.store);
    if (write === undefined) break;
    cluster.observe({ type: 'persisted', node: replica.id, token: write.token });
    const released = replica.held.filter((held) => held.token <= write.token);
    replica.held = replica.held.filter((held) => held.token > write.token);
    for (const { message } of released) transmit(cluster, replica, message);
    stepNode(cluster, replica, { type: 'persisted', token: write.token });
  }
  return done;
}

/** Applies up to `count` committed entries; returns how many there were. */
export function applyNode(cluster: Cluster, replica: Replica, count: number = Number.POSITIVE_INFINITY): number {
  const { machine, store } = replica;
  const first = machine.applied + 1;
  const last = Math.min(replica.committed, machine.applied + count);
  if (last < first || replica.raft === undefined) return 0;
  const entries = store.view.entries.filter((entry) => entry.index >= first && entry.index <= last);
  for (const entry of entries) applyEntry(machine, entry);
  cluster.observe({ type: 'applied', node: replica.id, entries, state: machine.state });
  stepNode(cluster, replica, { type: 'applied', index: machine.applied });
  return entries.length;
}

export function deliver(cluster: Cluster, message: Sent): void {
  const replica = cluster.replicas.get(message.to);
  if (replica?.raft === undefined) {
    cluster.observe({ type: 'undeliverable', message });
    return;
  }
  cluster.observe({ type: 'delivered', message });
  stepNode(cluster, replica, { type: 'message', message });
}

/** Power failure: what is not on disk is gone, and so are the messages that waited for it. */
export function crash(cluster: Cluster, replica: Replica): void {
  stop(replica);
  cluster.observe({ type: 'crashed', node: replica.id, lostWrites: losePending(replica.store) });
}

function stop(replica: Replica): void {
  replica.raft = undefined;
  replica.held = [];
}

export function restart(cluster: Cluster, replica: Replica): void {
  guard(cluster, replica, () => boot(replica));
  if (replica.raft !== undefined) cluster.observe({ type: 'restarted', node: replica.id });
}
