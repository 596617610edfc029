/** Figures of a set of measurements, as one line. */

/** The value below which `share` (0..1) of the values lie; nearest rank. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

export function summarise(gapsMs: readonly number[]): string {
  const [min, p50, p95, max] = [0, 0.5, 0.95, 1].map((share) => percentile(gapsMs, share).toFixed(0));
  return `longest gap in acks: n ${gapsMs.length}, min ${min} ms, p50 ${p50} ms, p95 ${p95} ms, max ${max} ms`;
}
