/**
 * What a fault costs those who use the cluster, in figures. Measured at the clients, by probes
 * that do not wait for each other; one sample per repeat of the fault.
 *
 * A *gap* is the time between two successes of probes of one partition that followed each other;
 * one that was still open when the repeat ended counts up to there. The *longest gap* of a repeat
 * is the longest that overlaps the time from the beginning of its first fault to its end.
 */

import type { Distribution } from './distribution.ts';

/** Latency from when a probe was due; one that was not answered well counts as the deadline. */
export interface LatencyFigures {
  readonly n: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  /** Share (0..1) of the probes that were not answered well within the deadline. */
  readonly missedShare: number;
}

export interface ProbeFigures {
  /** From the beginning of the fault to the first success of a probe that was due after it, worst partition. */
  readonly firstSuccessMs: Distribution;
  /** Longest gap, worst partition. */
  readonly longestGapMs: Distribution;
  /** Sum over a partition's gaps of what exceeds `outageMs`, worst partition. */
  readonly unavailableMs: Distribution;
  readonly latency: { readonly before: LatencyFigures; readonly during: LatencyFigures; readonly after: LatencyFigures };
}

/** Where one repeat stands in the time of the run, and its own figures. */
export interface RepeatFigures {
  readonly repeat: number;
  readonly faultBeganNs: number;
  readonly faultEndedNs: number;
  /** Missing kinds were not probed. */
  readonly longestGapMs: Readonly<Partial<Record<'write' | 'read' | 'consume', number>>>;
  readonly leaderChanges: number;
  /** From the beginning of the fault to the first change of leader of a partition concerned; undefined: none. */
  readonly leaderChangeMs: number | undefined;
  /** From the end of the fault until every replica had caught up; undefined: it did not. */
  readonly fullReplicationMs: number | undefined;
  /** Share (0..1) of the partitions with a gap of writes above one second. */
  readonly blastRadius: number;
}

export interface AvailabilityFigures {
  readonly repeats: readonly RepeatFigures[];
  readonly write: ProbeFigures | undefined;
  readonly read: ProbeFigures | undefined;
  readonly consume: ProbeFigures | undefined;
  readonly fullReplicationMs: Distribution | undefined;
  readonly leaderChanges: number;
  readonly blastRadiusMax: number;
}
