/**
 * One connection through a link: the socket that was accepted, the one to the target, and
 * a lane for each direction between them.
 *
 * Ends travel through the lanes like bytes: a fin or a reset comes out on the other side
 * when everything before it has, late if the lane is slow, never if it is cut. When both
 * sides have ended and nothing can be delivered any more, what is left is reset.
 */
import { connect, type Socket } from 'node:net';
import { createMessageScanner, type MessageScanner, scan } from './grpc-messages.ts';
import { type Direction, directions } from './impairment.ts';
import { type Interruption, slippedIn, truncated } from './interruption.ts';
import { arrive, arriveEnd, createLane, depart, drop, type End, isBroken, isFinished, isFull, isSwallowing, type Lane } from './lane.ts';
import type { LinkRuntime } from './link-runtime.ts';
import { passRequest, swallowReply } from './reply-cut.ts';

export interface Flow {
  readonly direction: Direction;
  readonly source: Socket;
  readonly sink: Socket;
  readonly lane: Lane;
  readonly scanner: MessageScanner | undefined;
  /** The sink takes no more until it has drained. */
  sinkFull: boolean;
  /** Waits for bytes that it can strike. */
  interruption: Interruption | undefined;
  timer: NodeJS.Timeout | undefined;
}

export interface Connection extends Readonly<Record<Direction, Flow>> {
  readonly link: LinkRuntime;
}

export function openConnection(link: LinkRuntime, accepted: Socket): Connection {
  const target = connect({ ...link.target, allowHalfOpen: true, noDelay: true });
  accepted.setNoDelay(true);
  const onDialFailed = (): void => {
    link.counters.dialsFailed += 1;
  };
  target.once('error', onDialFailed);
  target.once('connect', () => target.off('error', onDialFailed));
  const connection: Connection = {
    link,
    upstream: createFlow(link, 'upstream', accepted, target),
    downstream: createFlow(link, 'downstream', target, accepted),
  };
  link.connections.add(connection);
  for (const direction of directions) listen(connection, connection[direction]);
  return connection;
}

function createFlow({ protocol }: LinkRuntime, direction: Direction, source: Socket, sink: Socket): Flow {
  const scanner = protocol === 'grpc' ? createMessageScanner(direction) : undefined;
  return { direction, source, sink, lane: createLane(), scanner, sinkFull: false, interruption: undefined, timer: undefined };
}

function listen(connection: Connection, flow: Flow): void {
  const { source, sink } = flow;
  source.on('data', (bytes: Buffer) => onData(connection, flow, bytes));
  source.once('end', () => onEnd(connection, flow, 'fin'));
  // An error is always followed by a close.
  source.on('error', () => onEnd(connection, flow, 'reset'));
  source.once('close', () => onClosed(connection));
  const onRoom = (): void => {
    flow.sinkFull = false;
    pump(connection, flow);
  };
  sink.on('drain', onRoom);
  // Nobody will read what is left; it must not stay in the way of the source's end.
  sink.once('close', onRoom);
}

function onData(connection: Connection, flow: Flow, bytes: Buffer): void {
  const { link } = connection;
  const counters = link.counters[flow.direction];
  counters.receivedBytes += bytes.length;
  const heldBefore = flow.lane.heldBytes;
  arrive(flow.lane, bytes, link.nowMs(), link.jitterShare());
  pump(connection, flow);
  counters.delayedBytes += Math.max(0, flow.lane.heldBytes - heldBefore);
  if (isFull(flow.lane)) flow.source.pause();
}

function onEnd(connection: Connection, flow: Flow, how: End): void {
  arriveEnd(flow.lane, how, connection.link.nowMs());
  pump(connection, flow);
  if (!directions.every((direction) => isFinished(connection[direction].lane))) return;
  for (const direction of directions) {
    const { lane, sink } = connection[direction];
    if (lane.holed) resetSocket(sink);
  }
}

function onClosed(connection: Connection): void {
  if (directions.every((direction) => connection[direction].source.destroyed)) destroyConnection(connection);
}

/** Lets out of both lanes what may leave now; a connection that a cut left a hole in is reset when the cut is over. */
export function reviewConnection(connection: Connection): void {
  const { state } = connection.link;
  if (directions.some((direction) => isBroken(connection[direction].lane, state[direction]))) return resetConnection(connection);
  for (const direction of directions) pump(connection, connection[direction]);
}

function pump(connection: Connection, flow: Flow): void {
  const { link } = connection;
  const { lane, direction } = flow;
  clearTimeout(flow.timer);
  flow.timer = undefined;
  while (link.connections.has(connection) && (!flow.sinkFull || isSwallowing(lane, link.state[direction]))) {
    const next = depart(lane, link.state[direction], link.buckets[direction], link.nowMs());
    if (next.kind === 'bytes') deliver(connection, flow, next.bytes);
    else if (next.kind === 'swallowed') link.counters[direction].swallowedBytes += next.bytes;
    else if (next.kind === 'end') passEnd(link, flow, next);
    else {
      if (next.untilMs !== undefined) wakeAt(connection, flow, next.untilMs);
      break;
    }
  }
  if (flow.source.isPaused() && !isFull(lane)) flow.source.resume();
}

function wakeAt(connection: Connection, flow: Flow, untilMs: number): void {
  flow.timer = setTimeout(() => pump(connection, flow), Math.max(1, untilMs - connection.link.nowMs()));
}

function passEnd({ counters }: LinkRuntime, { sink }: Flow, { how, late }: { readonly how: End; readonly late: boolean }): void {
  if (late) counters.lateEnds += 1;
  if (how === 'fin') sink.end();
  else resetSocket(sink);
}

function deliver(connection: Connection, flow: Flow, bytes: Buffer): void {
  const { link } = connection;
  const counters = link.counters[flow.direction];
  const cut = link.replyCut;
  const concerned = cut !== undefined && (cut.victim === connection || (cut.victim === undefined && flow.direction === 'upstream'));
  if (!concerned) {
    const passBytes = truncated(flow.interruption, bytes.length);
    if (passBytes !== undefined) return truncate(link, flow, bytes, passBytes);
    if (flow.scanner !== undefined) counters.forwardedMessages += scan(flow.scanner, bytes).ended.length;
    write(flow, counters, bytes);
    return slipIn(link, flow);
  }
  if (flow.direction === 'downstream') {
    swallowReply(cut.cut, bytes, flow.scanner);
    counters.swallowedBytes += bytes.length;
  } else {
    const { passBytes, messages } = passRequest(cut.cut, bytes, flow.scanner);
    if (cut.cut.phase !== 'armed') cut.victim ??= connection;
    counters.forwardedMessages += messages;
    counters.swallowedBytes += bytes.length - passBytes;
    write(flow, counters, bytes.subarray(0, passBytes));
  }
  cut.review();
}

function write(flow: Flow, counters: { forwardedBytes: number; undeliverableBytes: number }, bytes: Buffer): void {
  if (bytes.length === 0) return;
  if (!flow.sink.writable) {
    counters.undeliverableBytes += bytes.length;
    return;
  }
  counters.forwardedBytes += bytes.length;
  flow.sinkFull = !flow.sink.write(bytes);
}

/** Strikes at the next occasion; replaces what waits for one. Undefined: nothing waits any more. */
export function interrupt(connection: Connection, direction: Direction, interruption: Interruption | undefined): void {
  const flow = connection[direction];
  flow.interruption = interruption;
  slipIn(connection.link, flow);
}

/** The rest of the stream is lost, and its source is told at once. */
function truncate({ counters }: LinkRuntime, flow: Flow, bytes: Buffer, passBytes: number): void {
  flow.interruption = undefined;
  counters.truncations += 1;
  write(flow, counters[flow.direction], bytes.subarray(0, passBytes));
  counters[flow.direction].undeliverableBytes += bytes.length - passBytes + drop(flow.lane);
  arriveEnd(flow.lane, 'fin', 0);
  resetSocket(flow.source);
}

function slipIn({ counters }: LinkRuntime, flow: Flow): void {
  const frame = slippedIn(flow.interruption, flow.scanner);
  if (frame === undefined || !flow.sink.writable) return;
  flow.interruption = undefined;
  counters.goAways += 1;
  flow.sinkFull = !flow.sink.write(frame);
}

/** Ends the side of the target with a reset; the other one learns of it as the link lets it. */
export function resetTarget(connection: Connection): void {
  const { upstream, downstream } = connection;
  if (upstream.sink.destroyed) return;
  resetSocket(upstream.sink);
  onEnd(connection, downstream, 'reset');
}

/** Ends both sides with a reset. */
export function resetConnection(connection: Connection): void {
  if (connection.link.connections.has(connection)) connection.link.counters.resets += 1;
  destroyConnection(connection);
}

export function destroyConnection(connection: Connection): void {
  const { link } = connection;
  if (!link.connections.delete(connection)) return;
  for (const direction of directions) {
    const { timer, source, lane } = connection[direction];
    clearTimeout(timer);
    link.counters[direction].undeliverableBytes += lane.heldBytes;
    resetSocket(source);
  }
  if (link.replyCut?.victim === connection) link.replyCut.review();
}

/** A socket that is still connecting has nobody to reset; one whose end is on its way cannot be (uv_tcp_close_reset), and would stay open. */
export function resetSocket(socket: Socket): void {
  if (socket.connecting || socket.writableEnded) socket.destroy();
  else if (!socket.destroyed) socket.resetAndDestroy();
}
