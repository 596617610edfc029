/**
 * Figures that are reported and never fail a run: how often consumers got a value again, and how
 * old answers were at least. An answer that ends at offset n is as old as the moment at which
 * n was first known to exist, if that lies before the poll was invoked.
 */
import type { PollOperation } from './operations.ts';
import { isPoll } from './operations.ts';
import type { Known, TimedOperation } from './checks/known-before.ts';

/** Ascending: from `tNs` on, every offset below `end` was known to exist. */
type KnownEnds = { readonly end: number; readonly tNs: number }[];

export interface AgeGauge {
  readonly ends: KnownEnds;
  /** The largest lower bound of the age of a client's answer, in nanoseconds. */
  staleNsMax: number;
}

export const createAgeGauge = (): AgeGauge => ({ ends: [], staleNsMax: 0 });

/** For one operation of a sweep (checks/known-before.ts). */
export function gaugeAge(gauge: AgeGauge, operation: TimedOperation, { acked, end }: Known): void {
  const { tNs } = operation.invoke;
  const highest = Math.max(acked.offset, end.offset);
  if (highest > (gauge.ends.at(-1)?.end ?? 0)) gauge.ends.push({ end: highest, tNs });
  if (!isPoll(operation) || operation.invoke.source === 'replica') return;
  const last = operation.ok?.records.at(-1);
  if (last === undefined || highest <= last.offset + 1) return;
  gauge.staleNsMax = Math.max(gauge.staleNsMax, tNs - (firstKnown(gauge.ends, last.offset + 1) ?? tNs));
}

/** When the offset was first known to exist. */
function firstKnown(known: KnownEnds, offset: number): number | undefined {
  let low = 0;
  let high = known.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((known[middle]?.end ?? Infinity) > offset) high = middle;
    else low = middle + 1;
  }
  return known[low]?.tNs;
}

/** How often a process of the workload was given a value that it had been given before. */
export function redeliveries(polls: readonly PollOperation[]): number {
  const seen = new Map<string, Set<number>>();
  let again = 0;
  for (const { invoke, ok } of polls) {
    if ((invoke.source ?? 'client') !== 'client') continue;
    let ids = seen.get(invoke.process);
    if (ids === undefined) {
      ids = new Set();
      seen.set(invoke.process, ids);
    }
    for (const { id } of ok?.records ?? []) {
      if (ids.has(id)) again += 1;
      ids.add(id);
    }
  }
  return again;
}
