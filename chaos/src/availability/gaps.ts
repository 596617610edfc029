/**
 * Gaps between the successes of one probe of one partition, within a window of time.
 * Times are nanoseconds since the run began.
 */
import type { ProbeSample } from '../record/probe-sample.ts';

export interface Window {
  /** Inclusive. */
  readonly fromNs: number;
  /** Exclusive. */
  readonly toNs: number;
}

export interface Gap {
  readonly fromNs: number;
  readonly toNs: number;
}

/** One probe of one partition. */
export interface Series {
  readonly probe: ProbeSample['probe'];
  readonly topic: string;
  readonly partition: number;
  /** When its successes came; rising. */
  readonly successesNs: readonly number[];
  /** By when they were due. */
  readonly samples: readonly ProbeSample[];
}

export const isSuccess = (sample: ProbeSample): sample is ProbeSample & { readonly doneNs: number } =>
  sample.doneNs !== undefined && sample.error === undefined;

export function seriesOf(samples: readonly ProbeSample[]): readonly Series[] {
  const groups = Map.groupBy(samples, ({ probe, topic, partition }) => `${probe} ${topic} ${partition}`);
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const { probe, topic, partition } = first;
    const successesNs = group
      .filter(isSuccess)
      .map(({ doneNs }) => doneNs)
      .toSorted((a, b) => a - b);
    return [{ probe, topic, partition, successesNs, samples: group.toSorted((a, b) => a.dueNs - b.dueNs) }];
  });
}

/** Gaps that overlap the window, in order. Before the first success the window's beginning bounds a gap, after the last one its end. */
export function gapsWithin({ successesNs }: Series, { fromNs, toNs }: Window): readonly Gap[] {
  const first = firstAfter(successesNs, fromNs);
  const gaps: Gap[] = [];
  let before = successesNs[first - 1] ?? fromNs;
  for (let at = first; before < toNs; at += 1) {
    const next = successesNs[at] ?? Math.max(before, toNs);
    if (next > before) gaps.push({ fromNs: before, toNs: next });
    if (at >= successesNs.length) break;
    before = next;
  }
  return gaps;
}

/** Position of the first value above `bound`. `sorted` rises. */
function firstAfter(sorted: readonly number[], bound: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? Infinity) > bound) high = middle;
    else low = middle + 1;
  }
  return low;
}
