/** Figures of a bench run as lines for people; JSON has the same as numbers. */
import { formatCount, formatDuration } from '../format/quantity.ts';
import type { LatencySummary } from './latencies.ts';

export type Facts = readonly (readonly [string, string])[];

export interface Throughput {
  readonly records: number;
  readonly bytes: number;
  readonly elapsedMs: number;
}

export function throughputFacts({ records, bytes, elapsedMs }: Throughput): Facts {
  const perSecond = elapsedMs > 0 ? 1000 / elapsedMs : 0;
  return [
    ['records', formatCount(records)],
    ['time', formatDuration(elapsedMs)],
    ['records/s', formatCount(records * perSecond)],
    ['MB/s', ((bytes / 1e6) * perSecond).toFixed(1)],
  ];
}

export function latencyFacts(name: string, { p50Ms, p95Ms, p99Ms, maxMs }: LatencySummary): Facts {
  const values = [
    ['p50', p50Ms],
    ['p95', p95Ms],
    ['p99', p99Ms],
    ['max', maxMs],
  ] as const;
  return values.map(([percentile, ms]) => [`${name} ${percentile}`, `${ms.toFixed(ms < 100 ? 1 : 0)} ms`] as const);
}

export function throughputJson({ records, bytes, elapsedMs }: Throughput): Record<string, number> {
  const perSecond = elapsedMs > 0 ? 1000 / elapsedMs : 0;
  return { records, bytes, elapsedMs, recordsPerSecond: records * perSecond, megabytesPerSecond: (bytes / 1e6) * perSecond };
}
