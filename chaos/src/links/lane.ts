/**
 * One direction of one connection, without its sockets: the bytes that have come in and
 * not gone out, and how the connection ended on the side they come from. Pure; time,
 * chance and the impairment come in.
 *
 * Invariants: bytes leave in the order they came; a lane that lost a byte (or the end) of
 * its stream never lets another one out, because a stream with a hole in it is something
 * that no network delivers; `heldBytes` is the sum over `queue`. Bounds: beyond
 * `laneBytesMax` or `laneChunksMax` the lane is full, and its owner stops reading.
 */
import type { Impairment } from './impairment.ts';
import { take, type TokenBucket } from './token-bucket.ts';

/** What one direction of one connection may hold before its source is not read any more. */
export const laneBytesMax = 4 * 1024 * 1024;
/** Small chunks cost more than their bytes. */
export const laneChunksMax = 4096;

interface Held {
  readonly bytes: Buffer;
  readonly arrivedMs: number;
  /** -1..1: this chunk's share of the jitter. */
  readonly jitterShare: number;
}

/** How the source of a lane ended; a reset may follow a fin. */
export type End = 'fin' | 'reset';

export interface Lane {
  readonly queue: Held[];
  heldBytes: number;
  /** Something of the stream was swallowed. */
  holed: boolean;
  end: End | undefined;
  /** When `end` came. */
  endedMs: number;
  /** What of `end` has been passed on. */
  endPassed: End | undefined;
}

export const createLane = (): Lane => ({ queue: [], heldBytes: 0, holed: false, end: undefined, endedMs: 0, endPassed: undefined });

export const isFull = ({ heldBytes, queue }: Lane): boolean => heldBytes >= laneBytesMax || queue.length >= laneChunksMax;

export function arrive(lane: Lane, bytes: Buffer, nowMs: number, jitterShare: number): void {
  lane.queue.push({ bytes, arrivedMs: nowMs, jitterShare });
  lane.heldBytes += bytes.length;
}

export function arriveEnd(lane: Lane, how: End, nowMs: number): void {
  // A reset may follow a fin; the end began with that.
  if (lane.end === undefined) lane.endedMs = nowMs;
  lane.end = how;
}

export type Departure =
  | { readonly kind: 'bytes'; readonly bytes: Buffer }
  | { readonly kind: 'swallowed'; readonly bytes: number }
  | { readonly kind: 'end'; readonly how: End; readonly late: boolean }
  /** Nothing leaves before; undefined: not before the impairment changes or more comes in. */
  | { readonly kind: 'wait'; readonly untilMs: number | undefined };

/** The next thing that leaves the lane now; call it until it says `wait`. */
export function depart(lane: Lane, impairment: Impairment, bucket: TokenBucket, nowMs: number): Departure {
  if (isSwallowing(lane, impairment)) return swallow(lane);
  if (impairment.delivery === 'hold') return { kind: 'wait', untilMs: undefined };
  const [head] = lane.queue;
  if (head === undefined) return passEnd(lane, impairment.endDelayMs, nowMs);
  const dueMs = head.arrivedMs + impairment.delayMs + head.jitterShare * impairment.jitterMs;
  if (dueMs > nowMs) return { kind: 'wait', untilMs: dueMs };
  const grant = take(bucket, impairment.bytesPerSecond, head.bytes.length, nowMs);
  if (grant.kind === 'wait') return grant;
  return { kind: 'bytes', bytes: takeHead(lane, head, grant.bytes) };
}

export const isSwallowing = (lane: Lane, { delivery }: Impairment): boolean => delivery === 'swallow' || lane.holed;

/** Its source has ended and nothing will leave it any more. */
export const isFinished = ({ end, endPassed, holed }: Lane): boolean => end !== undefined && (holed || endPassed === end);

/** The lane can not go on under this impairment: its connection must be reset. */
export function isBroken(lane: Lane, { delivery }: Impairment): boolean {
  return lane.holed && delivery !== 'swallow';
}

function takeHead(lane: Lane, head: Held, bytes: number): Buffer {
  lane.heldBytes -= bytes;
  if (bytes === head.bytes.length) lane.queue.shift();
  else lane.queue[0] = { ...head, bytes: head.bytes.subarray(bytes) };
  return head.bytes.subarray(0, bytes);
}

/** Forgets what the lane holds; how many bytes that was. */
export function drop(lane: Lane): number {
  const bytes = lane.heldBytes;
  lane.queue.length = 0;
  lane.heldBytes = 0;
  return bytes;
}

/** Whatever the lane holds is gone. An end that is swallowed is a hole as well: the other side does not learn of it. */
function swallow(lane: Lane): Departure {
  if (lane.end !== lane.endPassed) lane.holed = true;
  if (lane.queue.length === 0) return { kind: 'wait', untilMs: undefined };
  lane.holed = true;
  return { kind: 'swallowed', bytes: drop(lane) };
}

function passEnd(lane: Lane, endDelayMs: number, nowMs: number): Departure {
  if (lane.end === undefined || lane.end === lane.endPassed) return { kind: 'wait', untilMs: undefined };
  const dueMs = lane.endedMs + endDelayMs;
  if (dueMs > nowMs) return { kind: 'wait', untilMs: dueMs };
  lane.endPassed = lane.end;
  return { kind: 'end', how: lane.end, late: endDelayMs > 0 };
}
