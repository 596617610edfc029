/** Time as the broker sees it. Monotonic time measures durations, wall time stamps records. */
export interface Clock {
  /** Milliseconds of a monotonic clock, fractional. */
  readonly monotonicMs: () => number;
  /** Unix time in milliseconds. */
  readonly wallMs: () => number;
  /** Runs `callback` once after `delayMs`; the returned function cancels it. */
  readonly after: (delayMs: number, callback: () => void) => () => void;
  /** Runs `callback` every `periodMs`; the returned function stops it. */
  readonly every: (periodMs: number, callback: () => void) => () => void;
  /** Runs `callback` in a later turn of the loop, after the I/O that is already ready. */
  readonly nextTurn: (callback: () => void) => void;
}
