/**
 * What happened to a cluster under test, apart from what its clients saw: phases of the run,
 * faults with their proofs, processes, leaders. One NDJSON line per event in `timeline.ndjson`.
 *
 * `tNs` is the clock of the history: nanoseconds since the run began, monotonic, of the harness.
 */
import type { Proof } from '../cluster/proofs.ts';

interface At {
  readonly tNs: number;
}

/** `warmup`, then for every repeat `calm` and `fault`; at the end `settle` (all is healed) and `drain`. */
export type PhaseName = 'start' | 'warmup' | 'calm' | 'fault' | 'settle' | 'drain' | 'end';

export interface PhaseBegan extends At {
  readonly kind: 'phase';
  readonly phase: PhaseName;
  /** Counted from 1; 0 outside of repeats. */
  readonly repeat: number;
}

/** A fault is about to begin. It counts from here: what it disturbs may be seen before it is proven. */
export interface FaultBegan extends At {
  readonly kind: 'fault-began';
  /** Unique within the run. */
  readonly fault: number;
  readonly repeat: number;
  /** Name in the catalogue, for example `kill`. */
  readonly name: string;
  /** For a person: "kill -9 of node 2, leader of orders/0". */
  readonly what: string;
  readonly nodes: readonly number[];
  /** Partitions whose leader was among the nodes when it began. */
  readonly partitionsLed: readonly PartitionRef[];
}

export interface FaultProven extends At {
  readonly kind: 'fault-proven';
  readonly fault: number;
  readonly proofs: readonly Proof[];
}

/** It is over: healed, or ended by its time limit. */
export interface FaultEnded extends At {
  readonly kind: 'fault-ended';
  readonly fault: number;
  /** Why it ended: the schedule, its own time limit, or the final heal. */
  readonly by: 'schedule' | 'ttl' | 'final-heal';
}

export interface NodeChanged extends At {
  readonly kind: 'node';
  readonly node: number;
  readonly state: 'started' | 'ready' | 'ended' | 'paused' | 'resumed';
  /** Of an ended process: exit code or signal, and whether the harness had asked for it. */
  readonly exit?: { readonly code: number | null; readonly signal: string | null; readonly expected: boolean };
}

/** As a broker knew it, seen by asking; so late by up to the period of asking. */
export interface LeaderChanged extends At {
  readonly kind: 'leader';
  readonly topic: string;
  readonly partition: number;
  /** Undefined: nobody who answers knows one. */
  readonly leader: number | undefined;
  readonly term: number;
}

/** All replicas of all partitions had caught up again after the fault ended. */
export interface FullyReplicated extends At {
  readonly kind: 'fully-replicated';
  readonly repeat: number;
}

export interface Remark extends At {
  readonly kind: 'remark';
  readonly text: string;
}

export interface PartitionRef {
  readonly topic: string;
  readonly partition: number;
}

export type TimelineEvent = PhaseBegan | FaultBegan | FaultProven | FaultEnded | NodeChanged | LeaderChanged | FullyReplicated | Remark;
