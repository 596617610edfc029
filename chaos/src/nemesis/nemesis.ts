/** What does the steps of a scenario to a cluster: the surface that a run uses. */
import type { Proof } from '../cluster/proofs.ts';
import type { TimelineEvent } from '../record/timeline.ts';
import type { Step } from '../scenario/step.ts';
import type { FaultContext } from './fault.ts';

export interface NemesisOptions extends Omit<FaultContext, 'ttlMs' | 'onNode'> {
  /** The clock of the history: nanoseconds since the run began. */
  readonly nowNs: () => number;
  readonly timeline: (event: TimelineEvent) => void;
  /** Records acknowledged so far. */
  readonly acked: () => number;
  /** Whether all nodes became ready and all replicas caught up within the time. */
  readonly untilCalm: (withinMs: number, signal: AbortSignal) => Promise<boolean>;
  /** Ends the steps early; everything is healed then too. */
  readonly signal?: AbortSignal;
}

export interface PlayedFault {
  /** As in the timeline. */
  readonly fault: number;
  readonly name: string;
  /** One that does not hold says what was wrong: the fault had no effect, or could not begin or be healed. */
  readonly proofs: readonly Proof[];
}

export interface Nemesis {
  /**
   * Runs the steps of one repeat, then ends what still lasts, also if a step fails or the
   * signal ends them early; then it rejects.
   */
  readonly play: (steps: readonly Step[], repeat: number) => Promise<readonly PlayedFault[]>;
  /** Ends every fault that lasts. */
  readonly healAll: () => Promise<void>;
}
