/**
 * A link: one listening port on this machine that forwards to one target, and can be told
 * to be bad at it. One link stands for one path of a network, for example from the clients
 * to node 2; whoever is given its address instead of the target's is under its power. No
 * rights are needed, and the faults end with this process.
 *
 * Faults are layers: each is ended by what its call returned (further calls of that do
 * nothing), and `heal` ends all. A connection that a cut left a hole in is reset when
 * no cut is left; the others go on.
 *
 * What it does not do: drop, repeat or reorder single packets (TCP would hide that), or
 * refuse a connection before accepting it (it accepts and resets, and keeps its port).
 */
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { assert } from '@balsa/node/core/assert.ts';
import {
  type Connection,
  destroyConnection,
  interrupt,
  openConnection,
  resetConnection,
  resetSocket,
  resetTarget,
  reviewConnection,
} from './connection.ts';
import { createCounters, type LinkCounts } from './counters.ts';
import { combined, type Direction, directions, healthy, type Impairment, impaired, type LinkState, unimpaired } from './impairment.ts';
import type { Interruption } from './interruption.ts';
import type { LinkRuntime, LinkTarget } from './link-runtime.ts';
import type { ReplyCutOptions, ReplyCutResult } from './reply-cut.ts';
import { createReplyCutting } from './reply-cutting.ts';
import { createTokenBucket } from './token-bucket.ts';

const host = '127.0.0.1';
/** Connections through one link at a time; more are reset on arrival. */
export const connectionsMax = 1024;
/** Faults of one link at a time. */
const layersMax = 256;

export interface LinkOptions {
  /** For messages and proofs. */
  readonly name: string;
  /** host:port */
  readonly target: string;
  /** `grpc`: messages are counted too. */
  readonly protocol?: 'grpc' | 'bytes';
  /** 0 (inclusive) to 1 (exclusive), for jitter. */
  readonly random?: () => number;
}

export type Where = Direction | 'both';
/** Ends one fault; further calls do nothing. */
export type Undo = () => void;

export interface Link extends AsyncDisposable {
  readonly name: string;
  /** host:port to give to those who shall come through this link. */
  readonly address: string;
  readonly target: string;
  readonly state: () => LinkState;
  readonly counts: () => LinkCounts;
  /** Ends every fault. */
  readonly heal: () => void;
  /** New connections are reset at once. */
  readonly refuse: () => Undo;
  readonly impair: (impairment: Partial<Impairment>, where?: Where) => Undo;
  /** Resets all connections now; new ones are admitted as before. How many there were. */
  readonly reset: () => number;
  /** Resets the target's side of all connections now; the other side learns of it as the link lets it. How many there were. */
  readonly resetTarget: () => number;
  /** Strikes the next bytes of each connection in this direction, once. The returned function spares those that are still to be struck. */
  readonly interrupt: (interruption: Interruption, direction: Direction) => Undo;
  /** Lets a request out and cuts before its reply is back. One at a time; settles when it is over. */
  readonly cutReply: (options: ReplyCutOptions) => Promise<ReplyCutResult>;
  /** Ends every connection with a reset and frees the port. */
  readonly close: () => Promise<void>;
}

export async function openLink(options: LinkOptions): Promise<Link> {
  const { random = Math.random } = options;
  const runtime: LinkRuntime = {
    target: parseTarget(options.target),
    protocol: options.protocol ?? 'bytes',
    connections: new Set(),
    counters: createCounters(),
    buckets: { upstream: createTokenBucket(), downstream: createTokenBucket() },
    layers: new Set(),
    state: healthy,
    replyCut: undefined,
    nowMs: () => performance.now(),
    jitterShare: () => 2 * random() - 1,
  };
  const server = createServer({ allowHalfOpen: true }, (socket) => onConnection(runtime, socket));
  const port = await listen(server);
  return linkOf(options, runtime, server, `${host}:${port}`);
}

function linkOf({ name, target }: LinkOptions, runtime: LinkRuntime, server: Server, address: string): Link {
  const replyCutting = createReplyCutting(runtime);
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closed ??= closeLink(runtime, server, replyCutting.cancel);
    return closed;
  };
  return {
    name,
    address,
    target,
    state: () => runtime.state,
    counts: () => countsOf(runtime),
    heal: () => {
      replyCutting.cancel();
      for (const direction of directions) onAll(runtime, (connection) => interrupt(connection, direction, undefined));
      runtime.layers.clear();
      review(runtime);
    },
    refuse: () => addLayer(runtime, { ...healthy, admission: 'refuse' }),
    impair: (impairment, where = 'both') => addLayer(runtime, impairedState(impaired(impairment), where)),
    reset: () => onAll(runtime, resetConnection),
    resetTarget: () => onAll(runtime, resetTarget),
    interrupt: (interruption, direction) => {
      onAll(runtime, (connection) => interrupt(connection, direction, interruption));
      return () => void onAll(runtime, (connection) => interrupt(connection, direction, undefined));
    },
    cutReply: replyCutting.arm,
    close,
    [Symbol.asyncDispose]: close,
  };
}

function parseTarget(address: string): LinkTarget {
  const [, targetHost = '', port = ''] = /^(.+):(\d+)$/.exec(address) ?? [];
  assert(targetHost !== '' && Number(port) > 0, 'the target of a link is host:port', { address });
  return { host: targetHost, port: Number(port) };
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port: 0 }, () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

function onConnection(runtime: LinkRuntime, socket: Socket): void {
  if (runtime.state.admission === 'accept' && runtime.connections.size < connectionsMax) {
    runtime.counters.connections += 1;
    openConnection(runtime, socket);
    return;
  }
  runtime.counters.refused += 1;
  socket.on('error', () => undefined);
  resetSocket(socket);
}

function impairedState(impairment: Impairment, where: Where): LinkState {
  const of = (direction: Direction): Impairment => (where === 'both' || where === direction ? impairment : unimpaired);
  return { admission: 'accept', upstream: of('upstream'), downstream: of('downstream') };
}

function addLayer(runtime: LinkRuntime, layer: LinkState): Undo {
  assert(runtime.layers.size < layersMax, `a link has at most ${layersMax} faults at a time`);
  runtime.layers.add(layer);
  review(runtime);
  return () => {
    if (runtime.layers.delete(layer)) review(runtime);
  };
}

function review(runtime: LinkRuntime): void {
  runtime.state = combined(runtime.layers);
  for (const connection of runtime.connections) reviewConnection(connection);
}

function onAll(runtime: LinkRuntime, action: (connection: Connection) => void): number {
  const all = [...runtime.connections];
  for (const connection of all) action(connection);
  return all.length;
}

function countsOf({ counters, connections }: LinkRuntime): LinkCounts {
  const held = (direction: Direction): number => [...connections].reduce((sum, each) => sum + each[direction].lane.heldBytes, 0);
  const [upstream, downstream] = directions.map((direction) => ({ ...counters[direction], heldBytes: held(direction) }));
  assert(upstream !== undefined && downstream !== undefined, 'a link has two directions');
  return { ...counters, upstream, downstream, open: connections.size };
}

async function closeLink(runtime: LinkRuntime, server: Server, cancelReplyCut: () => void): Promise<void> {
  const closing = new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  cancelReplyCut();
  for (const connection of runtime.connections) destroyConnection(connection);
  await closing;
}
