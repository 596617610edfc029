/**
 * A client's world in which fc.scheduler chooses what happens next: the delivery of any
 * message that is under way, or the passing of a little time. So answers, losses,
 * leader changes and time-outs meet in every order, and a message may be late beyond measure.
 *
 * What stays as it is: a stream keeps the order of its messages in each direction, and time
 * never goes backwards. A cut stream tells the client, while what the client had sent may still
 * arrive; a black-holed one swallows everything and tells nobody.
 */
import { BalsaError, type ClientStream, type Clock, type Method, type StreamHandler, type Transport } from '@balsa/client';
import type fc from 'fast-check';
import { createFakeCluster, type FakeCluster, fakeService } from '../unit/client/fake-broker.ts';
import type { ServerPeer, ServerStream, Service } from '../unit/client/memory-transport.ts';

export interface ScheduledWorld {
  readonly clock: Clock;
  readonly cluster: FakeCluster;
  readonly transport: Transport;
  /** Something that happens when the scheduler picks it. */
  readonly event: (label: string, action: () => void) => void;
  /** Lets things happen until `work` settles; rejects if nothing is left to happen or after `stepsMax` events. */
  readonly run: <T>(work: Promise<T>, stepsMax: number) => Promise<T>;
  /** Called before each event with its number, from 1. */
  onStep: (step: number) => void;
  /** Called for each message that the client sends over a stream. */
  onSent: (path: string, message: unknown) => void;
  /** Breaks all connections to the node. What was sent over them still arrives unless `losesSent`. */
  readonly cut: (nodeId: number, losesSent: boolean) => void;
  /** Connections to the node swallow everything from now on. */
  readonly blackHole: (nodeId: number) => void;
  /** New calls and streams to a node that is down end as lost connections. */
  readonly setUp: (nodeId: number, isUp: boolean) => void;
  readonly openLinks: () => number;
  readonly pendingTimers: () => number;
}

interface Link {
  readonly address: string;
  /** Nothing passes any more, and nobody is told. */
  isDead: boolean;
  readonly cut: (losesSent: boolean) => void;
}

/** Everything that the parts of a world share. */
interface Core {
  readonly event: ScheduledWorld['event'];
  readonly clock: Clock;
  readonly services: Map<string, Service>;
  readonly down: Set<string>;
  readonly links: Set<Link>;
  readonly onSent: (path: string, message: unknown) => void;
  closed: boolean;
}

const lost = (address: string): BalsaError => new BalsaError('CONNECTION_LOST', { detail: `${address} cannot be reached.` });

/** Time that passes at one event at most: while nothing else is under way a time-out comes soon, else rarely. */
const strideMs = 50;

function createScheduledClock(event: ScheduledWorld['event']): { readonly clock: Clock; readonly pendingTimers: () => number } {
  const timers = new Set<{ readonly atMs: number; readonly order: number; readonly callback: () => void }>();
  let nowMs = 1_000;
  let order = 0;
  let isArmed = false;
  const arm = (): void => {
    if (isArmed || timers.size === 0) return;
    isArmed = true;
    event('time', () => {
      isArmed = false;
      const [next] = [...timers].sort((a, b) => a.atMs - b.atMs || a.order - b.order);
      if (next !== undefined && next.atMs <= nowMs + strideMs) {
        timers.delete(next);
        nowMs = Math.max(nowMs, next.atMs);
        next.callback();
      } else nowMs += strideMs;
      arm();
    });
  };
  const after = (delayMs: number, callback: () => void): (() => void) => {
    const timer = { atMs: nowMs + Math.max(0, delayMs), order: order++, callback };
    timers.add(timer);
    arm();
    return () => void timers.delete(timer);
  };
  const clock: Clock = {
    monotonicMs: () => nowMs,
    wallMs: () => 1_700_000_000_000 + Math.floor(nowMs),
    after,
    nextTurn: (callback) => void after(0, callback),
  };
  return { clock, pendingTimers: () => timers.size };
}

/** Messages of one direction of one link, delivered in order whichever of their events comes. */
function laneOf({ event }: Core, label: string): (deliver: () => void) => void {
  const queue: (() => void)[] = [];
  return (deliver) => {
    queue.push(deliver);
    event(label, () => queue.shift()?.());
  };
}

const serviceAt = ({ services, down }: Core, address: string): Service | undefined =>
  down.has(address) ? undefined : services.get(address);

function unaryOf(core: Core): Transport['unary'] {
  return (address, method, request, options) =>
    new Promise((resolve, reject) => {
      if (core.closed) return reject(new BalsaError('CLOSED'));
      const bytes = method.requestSerialize(request);
      const finish = (settle: () => void): void => {
        cancelTimeout();
        core.links.delete(link);
        options.signal?.removeEventListener('abort', abort);
        settle();
      };
      const abort = (): void => finish(() => reject(new BalsaError('ABORTED', { cause: options.signal?.reason })));
      const cancelTimeout = core.clock.after(options.timeoutMs, () => finish(() => reject(new BalsaError('TIMEOUT'))));
      const link: Link = { address, isDead: false, cut: () => finish(() => reject(lost(address))) };
      core.links.add(link);
      if (options.signal?.aborted === true) return abort();
      options.signal?.addEventListener('abort', abort, { once: true });
      core.event(`call ${method.path}`, () => {
        if (link.isDead) return;
        const handler = serviceAt(core, address)?.unary.get(method.path);
        if (handler === undefined) return link.cut(true);
        void handler(method.requestDeserialize(bytes)).then((response) => {
          const answer = method.responseSerialize(response as never);
          core.event(`answer ${method.path}`, () => {
            if (!link.isDead) finish(() => resolve(method.responseDeserialize(answer)));
          });
        });
      });
    });
}

function openStreamOf(core: Core): Transport['openStream'] {
  return <Request, Response>(
    address: string,
    method: Method<Request, Response>,
    handler: StreamHandler<Response>,
  ): ClientStream<Request> => {
    if (core.closed) throw new BalsaError('CLOSED');
    let isOpen = true;
    let losesSent = false;
    let server: ServerStream | undefined;
    const toServer = laneOf(core, `to ${address}`);
    const toClient = laneOf(core, `from ${address}`);
    const end = (reason: BalsaError | undefined): void => {
      if (!isOpen) return;
      isOpen = false;
      core.links.delete(link);
      toServer(() => server?.onClosed());
      if (reason !== undefined) handler.onClosed(reason);
    };
    const link: Link = {
      address,
      isDead: false,
      cut: (loses) => {
        losesSent = loses;
        core.event(`cut ${address}`, () => end(lost(address)));
      },
    };
    core.links.add(link);
    const peer: ServerPeer = {
      send: (message) => {
        const bytes = method.responseSerialize(message as Response);
        toClient(() => isOpen && !link.isDead && handler.onMessage(method.responseDeserialize(bytes)));
      },
      close: () => toClient(() => !link.isDead && end(lost(address))),
    };
    toServer(() => {
      const service = serviceAt(core, address);
      if (link.isDead) return;
      if (service === undefined) return end(lost(address));
      server = service.streams.get(method.path)?.(peer);
    });
    return {
      send: (message) => {
        core.onSent(method.path, message);
        const bytes = method.requestSerialize(message);
        toServer(() => {
          if (!link.isDead && !losesSent) server?.onMessage(method.requestDeserialize(bytes));
        });
      },
      close: () => end(undefined),
    };
  };
}

export function createScheduledWorld(scheduler: fc.Scheduler, nodes = 3): ScheduledWorld {
  let pending = 0;
  let steps = 0;
  const event: ScheduledWorld['event'] = (label, action) => {
    pending++;
    void scheduler.schedule(Promise.resolve(), label).then(() => {
      pending--;
      action();
    });
  };
  const { clock, pendingTimers } = createScheduledClock(event);
  const cluster = createFakeCluster(clock, nodes);
  const core: Core = {
    event,
    clock,
    services: new Map([...cluster.nodes.values()].map(({ address, nodeId }) => [address, fakeService(cluster, nodeId)])),
    down: new Set(),
    links: new Set(),
    onSent: (path, message) => world.onSent(path, message),
    closed: false,
  };
  const linksTo = (nodeId: number): Link[] => [...core.links].filter(({ address }) => address === `node${nodeId}:7070`);
  const world: ScheduledWorld = {
    clock,
    cluster,
    event,
    pendingTimers,
    onStep: () => undefined,
    onSent: () => undefined,
    openLinks: () => core.links.size,
    cut: (nodeId, losesSent) => linksTo(nodeId).forEach((link) => link.cut(losesSent)),
    blackHole: (nodeId) => {
      for (const link of linksTo(nodeId)) link.isDead = true;
    },
    setUp: (nodeId, isUp) => void (isUp ? core.down.delete(`node${nodeId}:7070`) : core.down.add(`node${nodeId}:7070`)),
    transport: {
      unary: unaryOf(core),
      openStream: openStreamOf(core),
      close: () => {
        core.closed = true;
        for (const link of core.links) link.cut(true);
      },
    },
    run: async (work, stepsMax) => {
      let settled = false;
      const watched = work.finally(() => {
        settled = true;
      });
      watched.catch(() => undefined);
      for (const last = steps + stepsMax; ; ) {
        await new Promise((resolve) => setImmediate(resolve));
        if (settled) return watched;
        if (pending === 0) throw new Error('nothing is left that could settle the work');
        if (steps === last) throw new Error(`not settled after ${stepsMax} events`);
        steps++;
        world.onStep(steps);
        await scheduler.waitNext(1);
      }
    },
  };
  return world;
}
