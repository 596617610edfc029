/** How values of a sample are spread. */

/** Of a sample; nearest rank. Milliseconds unless the name says otherwise. */
export interface Distribution {
  readonly n: number;
  readonly min: number;
  readonly p50: number;
  readonly p95: number;
  readonly max: number;
}

/** The value below or at which `share` (0..1) of the values lie; nearest rank. NaN of nothing. `sorted` rises. */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

export const ascending = (values: readonly number[]): readonly number[] => values.toSorted((a, b) => a - b);

/** Undefined of nothing. */
export function distributionOf(values: readonly number[]): Distribution | undefined {
  if (values.length === 0) return undefined;
  const sorted = ascending(values);
  const [min, p50, p95, max] = [percentile(sorted, 0), percentile(sorted, 0.5), percentile(sorted, 0.95), percentile(sorted, 1)];
  return { n: sorted.length, min, p50, p95, max };
}
