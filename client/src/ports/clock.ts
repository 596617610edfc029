/** Time as the client sees it. Monotonic time measures durations, wall time stamps records. */
export interface Clock {
  /** Milliseconds of a monotonic clock, fractional. */
  readonly monotonicMs: () => number;
  /** Unix time in milliseconds, whole. */
  readonly wallMs: () => number;
  /** Runs `callback` once after `delayMs`; the returned function cancels it. */
  readonly after: (delayMs: number, callback: () => void) => () => void;
  /** Runs `callback` in a later turn of the loop, so that calls of one turn can be gathered. */
  readonly nextTurn: (callback: () => void) => void;
}
