/**
 * Append messages on the way to one follower, bounded by count and by bytes.
 *
 * Invariant: messages ascend in `last`; `bytes` is their sum. One message is always
 * allowed, however large, so that a single big entry cannot block for ever.
 */
import type { RaftIndex } from '../ids.ts';

interface InflightMessage {
  /** Last entry in the message (inclusive). */
  readonly last: RaftIndex;
  readonly bytes: number;
}

export interface InflightWindow {
  messages: InflightMessage[];
  bytes: number;
}

export interface InflightLimits {
  readonly inflightMessagesMax: number;
  readonly inflightBytesMax: number;
}

export const createInflightWindow = (): InflightWindow => ({ messages: [], bytes: 0 });

export const isWindowFull = (window: InflightWindow, limits: InflightLimits): boolean =>
  window.messages.length >= limits.inflightMessagesMax || (window.messages.length > 0 && window.bytes >= limits.inflightBytesMax);

export function addInflight(window: InflightWindow, last: RaftIndex, bytes: number): void {
  window.messages.push({ last, bytes });
  window.bytes += bytes;
}

/** Frees every message that ends at or before `index`. */
export function freeInflight(window: InflightWindow, index: RaftIndex): void {
  let answered = 0;
  for (const message of window.messages) {
    if (message.last > index) break;
    window.bytes -= message.bytes;
    answered += 1;
  }
  if (answered > 0) window.messages.splice(0, answered);
}

/** Frees the oldest message without an answer: it, or its answer, may have been lost. */
export function freeOldestInflight(window: InflightWindow): void {
  const oldest = window.messages.shift();
  if (oldest !== undefined) window.bytes -= oldest.bytes;
}
