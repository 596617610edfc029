/** What a run plays on: the cluster, the history, and who is told of what happens. */
import type { Balsa } from '@balsa/client';
import type { ChaosCluster } from '../cluster/chaos-cluster.ts';
import type { HardCluster } from '../nemesis/hard-cluster.ts';
import type { HistoryRecorder } from '../history/recorder.ts';
import type { ProbeSample } from '../record/probe-sample.ts';
import type { ClusterFinding } from '../record/run-record.ts';
import type { Scenario } from '../scenario/scenario.ts';
import type { Endings } from './endings.ts';
import type { TimelineKeeper } from './timeline-keeper.ts';

export interface Stage {
  readonly scenario: Scenario;
  /** With links, or of the stronger tier. */
  readonly cluster: ChaosCluster | HardCluster;
  /** A client that looks after the cluster; none of the workload. */
  readonly admin: Balsa;
  readonly history: HistoryRecorder;
  readonly timeline: TimelineKeeper;
  readonly endings: Endings;
  readonly nowNs: () => number;
  readonly nextId: () => number;
  readonly signal: AbortSignal;
  readonly samples: readonly ProbeSample[];
  readonly onSample: (sample: ProbeSample) => void;
  readonly onAcked: (acked: number) => void;
  /** Something that must not happen, whatever the history says. */
  readonly report: (finding: ClusterFinding) => void;
  readonly findings: () => readonly ClusterFinding[];
}
