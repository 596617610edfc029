/**
 * In-memory twin of the gRPC network, for tests and simulation: a hub that connects the
 * nodes of one process and can break the links between them.
 *
 * Deterministic: everything a handler hears is scheduled through the Clock, and a lane
 * (one direction, one channel) delivers in the order of sending whatever its delay.
 * Messages pass through the wire codec, so that sizes and checks are those of the real
 * transport; payloads are shared, not copied.
 *
 * Faults: `crash` closes a node's links at once, as the end of a process does.
 * `disconnect` closes one link. `cut` loses messages of one direction silently, and the
 * link closes when that has lasted `noticeMs`, as unanswered pings would. `delay` and
 * `hold` keep messages back.
 */
import { assert } from '../core/assert.ts';
import type { NodeId } from '../core/ids.ts';
import type { Clock } from '../ports/clock.ts';
import {
  type EntriesAnswer,
  type EntriesRequest,
  type GroupMessage,
  type Network,
  type NetworkHandler,
  PeerUnavailable,
} from '../ports/network.ts';
import { type Channel, channelOf, channels } from './channel.ts';
import { decodeMessage, encodeMessage } from './codec.ts';
import { decodeEntriesAnswer, decodeEntriesRequest, encodeEntriesAnswer, encodeEntriesRequest } from './entries-codec.ts';
import { sizeMessage } from './frame-encoder.ts';
import { protocolVersion } from './identity.ts';
import { defaultLimits } from './limits.ts';

export interface MemoryHubOptions {
  readonly clock: Clock;
  readonly nodes: readonly NodeId[];
  /** After which an uninterrupted cut closes the link. */
  readonly noticeMs?: number;
  readonly controlQueueBytesMax?: number;
  readonly bulkQueueBytesMax?: number;
}

export interface MemoryHub {
  /** The network of a node whose process starts; once per life. */
  readonly attach: (self: NodeId) => Network;
  readonly crash: (node: NodeId) => void;
  readonly disconnect: (one: NodeId, other: NodeId) => void;
  readonly connect: (one: NodeId, other: NodeId) => void;
  readonly cut: (from: NodeId, to: NodeId) => void;
  readonly heal: (from: NodeId, to: NodeId) => void;
  /** Applies to messages sent from now on. */
  readonly delay: (from: NodeId, to: NodeId, delayMs: number, only?: Channel) => void;
  readonly hold: (from: NodeId, to: NodeId) => void;
  readonly release: (from: NodeId, to: NodeId) => void;
  /** Frames that did not fit a queue. */
  readonly overflowed: () => number;
}

interface Parcel {
  readonly messages: readonly GroupMessage[];
  readonly bytes: number;
}

interface Lane {
  readonly queueBytesMax: number;
  delayMs: number;
  /** When the newest parcel arrives; later ones never arrive before it. */
  lastDueMs: number;
  /** Under way, in order; every parcel that is not held has one timer. */
  parcels: Parcel[];
  /** Parcels at the end of the queue that have no timer. */
  held: number;
  queuedBytes: number;
}

interface Direction {
  readonly from: NodeId;
  readonly to: NodeId;
  readonly lanes: Record<Channel, Lane>;
  cut: boolean;
  /** How often it was cut, so that the timer of an earlier cut does nothing. */
  cuts: number;
  holding: boolean;
}

interface Link {
  readonly ends: readonly [NodeId, NodeId];
  readonly directions: readonly [Direction, Direction];
  established: boolean;
  disconnected: boolean;
  /** Raised when the link closes; timers of an earlier epoch do nothing. */
  epoch: number;
}

interface Endpoint {
  readonly handler: NetworkHandler;
  readonly standing: Map<NodeId, 'up' | 'lost'>;
}

interface Hub {
  readonly clock: Clock;
  readonly nodes: readonly NodeId[];
  readonly noticeMs: number;
  readonly links: ReadonlyMap<string, Link>;
  /** Started nodes. */
  readonly endpoints: Map<NodeId, Endpoint>;
  overflowed: number;
}

export function createMemoryHub(options: MemoryHubOptions): MemoryHub {
  const { clock, nodes, noticeMs = defaultLimits.pingIntervalMs + defaultLimits.controlPingTimeoutMs } = options;
  const hub: Hub = { clock, nodes, noticeMs, links: createLinks(options), endpoints: new Map(), overflowed: 0 };
  return {
    attach: (self) => createNetwork(hub, self),
    crash: (node) => stop(hub, node),
    disconnect: (one, other) => {
      linkOf(hub, one, other).disconnected = true;
      breakLink(hub, linkOf(hub, one, other));
    },
    connect: (one, other) => {
      linkOf(hub, one, other).disconnected = false;
      establish(hub, linkOf(hub, one, other));
    },
    cut: (from, to) => cut(hub, from, to),
    heal: (from, to) => {
      directionOf(hub, from, to).cut = false;
      establish(hub, linkOf(hub, from, to));
    },
    delay: (from, to, delayMs, only) => {
      for (const channel of only === undefined ? channels : [only]) directionOf(hub, from, to).lanes[channel].delayMs = delayMs;
    },
    hold: (from, to) => {
      directionOf(hub, from, to).holding = true;
    },
    release: (from, to) => release(hub, from, to),
    overflowed: () => hub.overflowed,
  };
}

function createNetwork(hub: Hub, self: NodeId): Network {
  assert(hub.nodes.includes(self), 'node is not on this hub', { self });
  let own: Endpoint | undefined;
  const isOwn = (): boolean => own !== undefined && hub.endpoints.get(self) === own;
  return {
    start: (handler) => {
      assert(own === undefined && !hub.endpoints.has(self), 'network is started already', { self });
      own = { handler, standing: new Map() };
      hub.endpoints.set(self, own);
      for (const link of linksOf(hub, self)) start(hub, link, self);
    },
    send: (to, messages) => {
      if (isOwn() && to !== self && hub.nodes.includes(to)) send(hub, directionOf(hub, self, to), messages);
    },
    readEntries: (peer, request) =>
      isOwn() && own?.standing.get(peer) === 'up'
        ? readEntries(hub, self, peer, request).catch((cause: unknown) =>
            Promise.reject(cause instanceof PeerUnavailable ? cause : unavailable(peer, cause)),
          )
        : Promise.reject(unavailable(peer)),
    queuedBytes: (to) => (to === self || !hub.nodes.includes(to) ? 0 : queuedBytes(directionOf(hub, self, to))),
    isConnected: (peer) => isOwn() && own?.standing.get(peer) === 'up',
    stop: async () => {
      if (isOwn()) stop(hub, self);
    },
  };
}

function start(hub: Hub, link: Link, self: NodeId): void {
  establish(hub, link);
  // The first attempt to reach a peer that is not there is refused.
  if (!link.established) tell(hub, self, otherEnd(link, self), 'lost');
}

function stop(hub: Hub, node: NodeId): void {
  hub.endpoints.delete(node);
  for (const link of linksOf(hub, node)) breakLink(hub, link);
}

function establish(hub: Hub, link: Link): void {
  const possible = !link.disconnected && link.ends.every((end) => hub.endpoints.has(end)) && link.directions.every((each) => !each.cut);
  if (!possible || link.established) return;
  link.established = true;
  for (const end of link.ends) tell(hub, end, otherEnd(link, end), 'up');
}

/** Closes the link; what is under way is lost. */
function breakLink(hub: Hub, link: Link): void {
  if (!link.established) return;
  link.established = false;
  link.epoch++;
  for (const { lanes } of link.directions) {
    for (const channel of channels) Object.assign(lanes[channel], { parcels: [], held: 0, queuedBytes: 0 });
  }
  for (const end of link.ends) tell(hub, end, otherEnd(link, end), 'lost');
}

/** Handlers hear of their peers in a turn of their own. */
function tell(hub: Hub, node: NodeId, peer: NodeId, standing: 'up' | 'lost'): void {
  const endpoint = hub.endpoints.get(node);
  if (endpoint === undefined) return;
  hub.clock.nextTurn(() => {
    if (hub.endpoints.get(node) !== endpoint || endpoint.standing.get(peer) === standing) return;
    endpoint.standing.set(peer, standing);
    if (standing === 'up') endpoint.handler.onPeerUp(peer);
    else endpoint.handler.onPeerLost(peer);
  });
}

function cut(hub: Hub, from: NodeId, to: NodeId): void {
  const direction = directionOf(hub, from, to);
  if (direction.cut) return;
  direction.cut = true;
  const own = ++direction.cuts;
  hub.clock.after(hub.noticeMs, () => {
    if (direction.cut && direction.cuts === own) breakLink(hub, linkOf(hub, from, to));
  });
}

function send(hub: Hub, direction: Direction, messages: readonly GroupMessage[]): void {
  if (!linkOf(hub, direction.from, direction.to).established || direction.cut) return;
  for (const channel of channels) {
    const own = messages.filter((message) => channelOf(message) === channel);
    if (own.length > 0) sendOn(hub, direction, channel, own);
  }
}

function sendOn(hub: Hub, direction: Direction, channel: Channel, messages: readonly GroupMessage[]): void {
  const lane = direction.lanes[channel];
  const wire = messages.map(encodeMessage);
  const bytes = wire.reduce((sum, message) => sum + sizeMessage(message).frameBytes, 0);
  if (lane.queuedBytes > 0 && lane.queuedBytes + bytes > lane.queueBytesMax) {
    hub.overflowed++;
    return;
  }
  lane.parcels.push({ messages: wire.map((message) => decodeMessage(message, direction.from, direction.to)), bytes });
  lane.queuedBytes += bytes;
  if (direction.holding) lane.held++;
  else scheduleDelivery(hub, direction, lane);
}

const unavailable = (peer: NodeId, cause?: unknown): PeerUnavailable =>
  new PeerUnavailable(
    `node ${peer} does not answer${cause === undefined ? '' : `: ${cause instanceof Error ? cause.message : 'unknown'}`}`,
    { cause },
  );

/** Asks and answers travel with the delay of bulk; what is lost on the way is given up when a cut link would be. */
async function readEntries(hub: Hub, from: NodeId, to: NodeId, request: EntriesRequest): Promise<EntriesAnswer> {
  const link = linkOf(hub, from, to);
  const { epoch } = link;
  const travel = async (direction: Direction): Promise<void> => {
    const lost = direction.cut || direction.holding;
    await new Promise<void>((resolve) => {
      hub.clock.after(lost ? hub.noticeMs : direction.lanes.bulk.delayMs, resolve);
    });
    if (lost || link.epoch !== epoch) throw unavailable(to);
  };
  await travel(directionOf(hub, from, to));
  const asker = { clusterId: '', nodeId: from, storeId: '', expectedNodeId: to, protocolVersion };
  const asked = decodeEntriesRequest(encodeEntriesRequest(asker, request), defaultLimits.readEntriesBytesMax);
  const answer = await hub.endpoints
    .get(to)
    ?.handler.onReadEntries(from, asked)
    .catch((cause: unknown) => {
      throw unavailable(to, cause);
    });
  await travel(directionOf(hub, to, from));
  if (answer === undefined) throw unavailable(to);
  return decodeEntriesAnswer(encodeEntriesAnswer(undefined, answer), asked);
}

function release(hub: Hub, from: NodeId, to: NodeId): void {
  const direction = directionOf(hub, from, to);
  direction.holding = false;
  for (const channel of channels) {
    const lane = direction.lanes[channel];
    for (; lane.held > 0; lane.held--) scheduleDelivery(hub, direction, lane);
  }
}

/** Each timer delivers the parcel that is first then, so order does not depend on the order of timers. */
function scheduleDelivery(hub: Hub, direction: Direction, lane: Lane): void {
  const link = linkOf(hub, direction.from, direction.to);
  const { epoch } = link;
  const nowMs = hub.clock.monotonicMs();
  lane.lastDueMs = Math.max(nowMs + lane.delayMs, lane.lastDueMs);
  hub.clock.after(lane.lastDueMs - nowMs, () => {
    if (link.epoch === epoch) deliver(hub, direction, lane);
  });
}

function deliver(hub: Hub, { from, to, cut: lost }: Direction, lane: Lane): void {
  const parcel = lane.parcels.shift();
  assert(parcel !== undefined, 'delivery without a parcel', { from, to });
  lane.queuedBytes -= parcel.bytes;
  if (!lost) hub.endpoints.get(to)?.handler.onMessages(from, parcel.messages);
}

function queuedBytes({ lanes }: Direction): number {
  return lanes.control.queuedBytes + lanes.bulk.queuedBytes;
}

function createLinks(options: MemoryHubOptions): Map<string, Link> {
  const { nodes, controlQueueBytesMax, bulkQueueBytesMax } = { ...defaultLimits, ...options };
  const lane = (queueBytesMax: number): Lane => ({ queueBytesMax, delayMs: 0, lastDueMs: 0, parcels: [], held: 0, queuedBytes: 0 });
  const direction = (from: NodeId, to: NodeId): Direction => {
    return { from, to, lanes: { control: lane(controlQueueBytesMax), bulk: lane(bulkQueueBytesMax) }, cut: false, cuts: 0, holding: false };
  };
  const links = new Map<string, Link>();
  for (const one of nodes) {
    for (const other of nodes.filter((node) => node > one)) {
      const directions = [direction(one, other), direction(other, one)] as const;
      links.set(linkName(one, other), { ends: [one, other], directions, established: false, disconnected: false, epoch: 0 });
    }
  }
  return links;
}

function linkOf(hub: Hub, one: NodeId, other: NodeId): Link {
  const link = hub.links.get(linkName(one, other));
  assert(link !== undefined, 'no link between these nodes', { one, other });
  return link;
}

function directionOf(hub: Hub, from: NodeId, to: NodeId): Direction {
  const [there, back] = linkOf(hub, from, to).directions;
  return there.from === from ? there : back;
}

function linksOf(hub: Hub, node: NodeId): Link[] {
  return [...hub.links.values()].filter(({ ends }) => ends.includes(node));
}

const otherEnd = ({ ends: [one, other] }: Link, end: NodeId): NodeId => (end === one ? other : one);
const linkName = (one: NodeId, other: NodeId): string => `${Math.min(one, other)}-${Math.max(one, other)}`;
