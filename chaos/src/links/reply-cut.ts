/**
 * The fault that makes duplicates: the request goes out, the reply never comes back. Pure.
 *
 * Armed, a link waits for the first connection that sends a byte (or completes a message)
 * to its target. That connection is the victim: it may send as much as was agreed and
 * nothing of what comes after, nothing comes back on it from then on, and when the target
 * has answered (or the grace period is over) it is reset. Others are left alone.
 *
 * Where messages are counted, each message that went out is answered by the next one that
 * comes back on its stream, so what other calls of the connection get is not mistaken for
 * it. On a stream with several requests under way the answer to an earlier one is.
 */
import { type MessageScanner, scan } from './grpc-messages.ts';

export interface ReplyCutOptions {
  /** What may still go upstream: bytes, or whole gRPC messages (on a link that carries gRPC). */
  readonly after: { readonly bytes: number } | { readonly messages: number };
  /** Longest wait for the replies after the last of it went out. */
  readonly graceMs?: number;
  /** Longest wait for a victim, and for what it is to send. */
  readonly ttlMs?: number;
}

export interface ReplyCutResult {
  /**
   * `unanswered`: not all replies were seen when the grace period was over, or when the
   * victim ended by itself. `expired`: what was to go out did not, in time. `cancelled`:
   * the link was healed or closed before.
   */
  readonly outcome: 'cut' | 'unanswered' | 'expired' | 'cancelled';
  /** Of the victim, since it was one. */
  readonly forwardedBytes: number;
  readonly swallowedBytes: number;
}

export interface ReplyCut {
  /** `armed` until there is a victim; `sending` until all has gone out; then `waiting` for the replies. */
  phase: 'armed' | 'sending' | 'waiting' | 'answered';
  readonly unit: 'bytes' | 'messages';
  /** In `unit`, upstream. */
  remaining: number;
  /** Messages that must come back, by stream. Where bytes are counted any byte after the last request is a reply. */
  readonly awaited: Map<number, number>;
  forwardedBytes: number;
  swallowedBytes: number;
}

export function createReplyCut({ after }: ReplyCutOptions): ReplyCut {
  const start = { phase: 'armed', awaited: new Map<number, number>(), forwardedBytes: 0, swallowedBytes: 0 } as const;
  return 'bytes' in after ? { ...start, unit: 'bytes', remaining: after.bytes } : { ...start, unit: 'messages', remaining: after.messages };
}

export interface Passage {
  /** The first so many bytes pass; the rest is swallowed. */
  readonly passBytes: number;
  /** gRPC messages that ended within them. */
  readonly messages: number;
}

/**
 * What of `bytes` may go upstream. While the cut is armed this is asked for every
 * connection; if the phase is another one afterwards, the asker is the victim.
 */
export function passRequest(cut: ReplyCut, bytes: Buffer, scanner: MessageScanner | undefined): Passage {
  const limited = cut.unit === 'bytes' ? bytes.subarray(0, cut.remaining) : bytes;
  const read = scanner === undefined ? undefined : scan(scanner, limited, cut.unit === 'messages' ? cut.remaining : undefined);
  const ended = read?.ended ?? [];
  const passBytes = read?.bytes ?? limited.length;
  const progress = cut.unit === 'bytes' ? passBytes : ended.length;
  if (progress > 0 && cut.phase === 'armed') cut.phase = 'sending';
  if (cut.phase !== 'armed') cut.forwardedBytes += passBytes;
  for (const stream of ended) cut.awaited.set(stream, (cut.awaited.get(stream) ?? 0) + 1);
  cut.remaining -= progress;
  if (cut.remaining === 0 && cut.phase === 'sending') cut.phase = 'waiting';
  return { passBytes, messages: ended.length };
}

/** Takes what comes back on the victim. Window updates and pings come back too; they are not replies. */
export function swallowReply(cut: ReplyCut, bytes: Buffer, scanner: MessageScanner | undefined): void {
  cut.swallowedBytes += bytes.length;
  for (const stream of scanner === undefined ? [] : scan(scanner, bytes).ended) {
    const awaited = cut.awaited.get(stream) ?? 0;
    if (awaited > 1) cut.awaited.set(stream, awaited - 1);
    else cut.awaited.delete(stream);
  }
  if (cut.phase === 'waiting' && (cut.unit === 'bytes' || cut.awaited.size === 0)) cut.phase = 'answered';
}
