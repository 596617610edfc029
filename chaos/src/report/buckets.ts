/** Events in time counted into equal stretches. Pure; times in seconds since the run began. */
import { percentile } from '../availability/distribution.ts';

const bucketsMax = 600;
const bucketSecondsMin = 0.1;

/** Width of a bucket, so that a run has neither too many nor too fine ones. */
export function bucketSeconds(endSeconds: number): number {
  return Math.max(bucketSecondsMin, Math.ceil((endSeconds / bucketsMax) * 10) / 10);
}

export interface Weighted {
  readonly at: number;
  readonly weight: number;
}

/** [middle of the bucket, weight per second] */
export function ratePerSecond(events: readonly Weighted[], endSeconds: number, width: number): readonly (readonly [number, number])[] {
  const sums = new Float64Array(Math.max(1, Math.ceil(endSeconds / width)));
  for (const { at, weight } of events) {
    const bucket = Math.floor(at / width);
    if (bucket >= 0 && bucket < sums.length) sums[bucket] = (sums[bucket] ?? 0) + weight;
  }
  return Array.from(sums, (sum, i) => [(i + 0.5) * width, sum / width]);
}

/** [middle of the bucket, the value at `share`]; null where nothing was, so that a line has a hole there. */
export function percentilePerBucket(
  values: readonly { readonly at: number; readonly value: number }[],
  endSeconds: number,
  width: number,
  share: number,
): readonly (readonly [number, number | null])[] {
  const buckets = Map.groupBy(values, ({ at }) => Math.floor(at / width));
  return Array.from({ length: Math.max(1, Math.ceil(endSeconds / width)) }, (_, i) => {
    const sorted = (buckets.get(i) ?? []).map(({ value }) => value).toSorted((a, b) => a - b);
    return [(i + 0.5) * width, sorted.length === 0 ? null : percentile(sorted, share)];
  });
}
