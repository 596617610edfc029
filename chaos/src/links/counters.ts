/** What a link has done, counted; the proof that a fault took effect is read from here. */
import type { Direction } from './impairment.ts';

export interface DirectionCounters {
  /** Came in from the side that sends. */
  receivedBytes: number;
  forwardedBytes: number;
  swallowedBytes: number;
  /** Could not leave at once: a delay, a rate, a clog, or a receiver that does not read. */
  delayedBytes: number;
  /** Had nowhere to go: the receiving side, or the connection, was gone. */
  undeliverableBytes: number;
  /** gRPC messages that left completely; counted on links that carry gRPC. */
  forwardedMessages: number;
}

export interface LinkCounters extends Record<Direction, DirectionCounters> {
  /** Accepted so far. */
  connections: number;
  /** Reset on arrival, by command or because there were too many. */
  refused: number;
  /** Existing connections that this link reset: by command, or because a cut had left a hole in them. */
  resets: number;
  /** Ends of connections that the other side learned of late. */
  lateEnds: number;
  /** Streams that broke off in the middle of a chunk, with an orderly end. */
  truncations: number;
  /** GOAWAY frames that were slipped into what a target sends. */
  goAways: number;
  /** The target did not take a connection. */
  dialsFailed: number;
}

/** The counters at one moment. */
export type LinkCounts = Readonly<Omit<LinkCounters, Direction>> & Readonly<Record<Direction, DirectionCounts>> & OpenCounts;
export type DirectionCounts = Readonly<DirectionCounters> & {
  /** Inside the link now. */
  readonly heldBytes: number;
};
interface OpenCounts {
  /** Connections now. */
  readonly open: number;
}

const ofDirection = (): DirectionCounters => ({
  receivedBytes: 0,
  forwardedBytes: 0,
  swallowedBytes: 0,
  delayedBytes: 0,
  undeliverableBytes: 0,
  forwardedMessages: 0,
});

export function createCounters(): LinkCounters {
  const ofLink = { connections: 0, refused: 0, resets: 0, lateEnds: 0, truncations: 0, goAways: 0, dialsFailed: 0 };
  return { ...ofLink, upstream: ofDirection(), downstream: ofDirection() };
}
