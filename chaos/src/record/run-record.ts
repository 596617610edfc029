/**
 * The folder that a run leaves behind, from which everything else (check, report, study) is made:
 *
 *   run.json         what was run, where, and how to repeat it        RunDescription
 *   history.ndjson   what the clients asked and were told             HistoryEvent per line
 *   timeline.ndjson  what happened to the cluster                     TimelineEvent per line
 *   probes.ndjson    availability probes                              ProbeSample per line
 *   outcome.json     verdict, gates, figures                          RunOutcome
 *   report.html      the same for a person
 *   logs/node-N.log  what the brokers wrote
 */
import type { AvailabilityFigures } from '../availability/figures.ts';
import type { Verdict } from '../history/check-history.ts';
import type { Scenario } from '../scenario/scenario.ts';

export const files = {
  run: 'run.json',
  history: 'history.ndjson',
  timeline: 'timeline.ndjson',
  probes: 'probes.ndjson',
  outcome: 'outcome.json',
  report: 'report.html',
  logs: 'logs',
} as const;

export interface Environment {
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly nodeVersion: string;
  readonly platform: string;
  readonly cpuModel: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  /** Of the folder of the data: a write of 1 KiB and fdatasync, in milliseconds. */
  readonly fsyncMs: { readonly p50: number; readonly p99: number };
  /** Load average over one minute when the run began. */
  readonly loadBefore: number;
  /** Of the sources, if they are in a git checkout; ends in `+` with uncommitted changes. */
  readonly commit: string | undefined;
}

export interface RunDescription {
  readonly format: 1;
  readonly scenario: Scenario;
  readonly seed: number;
  /** The command that does it again. */
  readonly command: string;
  readonly environment: Environment;
}

/** Reasons for which a run proves nothing: too little was done, or a fault had no effect. */
export interface Gate {
  readonly gate: string;
  readonly detail: string;
}

/** What the cluster itself did wrong, whatever its clients saw: it ended unasked, wrote of a broken invariant. */
export interface ClusterFinding {
  readonly node: number;
  readonly what: string;
}

/** `unavailable`: every promise of safety was kept, but a bar of the scenario on availability was not. */
export type Result = 'pass' | 'fail' | 'vacuous' | 'unavailable';

export interface RunOutcome {
  readonly result: Result;
  readonly verdict: Verdict;
  readonly vacuous: readonly Gate[];
  readonly cluster: readonly ClusterFinding[];
  readonly availability: AvailabilityFigures;
  /** Bars of the scenario that were missed. */
  readonly missed: readonly Gate[];
}
