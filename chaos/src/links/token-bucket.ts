/** Token bucket of one direction of a link: bytes that may pass now. Pure; time comes in. */

/** What may pass at once after a silence: so much time's worth of the rate, and never less than the smallest burst. */
const burstMs = 50;
const burstBytesMin = 64;
const msPerSecond = 1000;

export interface TokenBucket {
  tokens: number;
  /** When `tokens` was true; undefined before the first use. */
  filledMs: number | undefined;
}

export const createTokenBucket = (): TokenBucket => ({ tokens: 0, filledMs: undefined });

export type Grant =
  | { readonly kind: 'granted'; readonly bytes: number }
  /** Nothing may pass before. */
  | { readonly kind: 'wait'; readonly untilMs: number };

/** Takes up to `wantedBytes` (above zero). Waits for a whole burst or all that is wanted, so that chunks do not crumble. */
export function take(bucket: TokenBucket, bytesPerSecond: number, wantedBytes: number, nowMs: number): Grant {
  if (bytesPerSecond === Number.POSITIVE_INFINITY) return { kind: 'granted', bytes: wantedBytes };
  const burstBytes = Math.max(burstBytesMin, Math.floor((bytesPerSecond * burstMs) / msPerSecond));
  refill(bucket, bytesPerSecond, burstBytes, nowMs);
  const bytes = Math.min(wantedBytes, burstBytes);
  if (bucket.tokens < bytes) return { kind: 'wait', untilMs: nowMs + ((bytes - bucket.tokens) / bytesPerSecond) * msPerSecond };
  bucket.tokens -= bytes;
  return { kind: 'granted', bytes };
}

function refill(bucket: TokenBucket, bytesPerSecond: number, burstBytes: number, nowMs: number): void {
  const earned = bucket.filledMs === undefined ? burstBytes : ((nowMs - bucket.filledMs) / msPerSecond) * bytesPerSecond;
  bucket.tokens = Math.min(burstBytes, bucket.tokens + earned);
  bucket.filledMs = nowMs;
}
