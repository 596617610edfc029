/** Latencies of a bench run: a histogram with three significant digits and constant memory. */
import { createHistogram } from 'node:perf_hooks';

export interface LatencySummary {
  readonly count: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

const microsMax = 3_600_000_000;

export class Latencies {
  readonly #micros = createHistogram({ lowest: 1, highest: microsMax, figures: 3 });

  /** The histogram counts whole microseconds from 1; shorter times count as 1. */
  record(durationMs: number): void {
    this.#micros.record(Math.min(microsMax, Math.max(1, Math.round(durationMs * 1000))));
  }

  get count(): number {
    return this.#micros.count;
  }

  summary(): LatencySummary {
    const { count } = this.#micros;
    const at = (percentile: number): number => (count === 0 ? 0 : this.#micros.percentile(percentile) / 1000);
    return { count, p50Ms: at(50), p95Ms: at(95), p99Ms: at(99), maxMs: at(100) };
  }
}
