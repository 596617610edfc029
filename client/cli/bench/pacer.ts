/**
 * An open-loop schedule: record n is due at start + n / rate, whatever became of the
 * records before it. Latency is measured from the due time, so a stall of the system is
 * charged to every record that had to wait, not only to the one that met it.
 */
export interface Pacer {
  /** When record `n` (from 0) is due. */
  readonly dueMs: (n: number) => number;
  /** How many records are due at `nowMs`. */
  readonly dueCount: (nowMs: number) => number;
}

export function createPacer(startMs: number, recordsPerSecond: number): Pacer {
  return {
    dueMs: (n) => startMs + (n / recordsPerSecond) * 1000,
    dueCount: (nowMs) => (nowMs < startMs ? 0 : Math.floor(((nowMs - startMs) * recordsPerSecond) / 1000) + 1),
  };
}
