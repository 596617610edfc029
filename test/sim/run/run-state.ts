/** What the parts of one run share. */
import type { CommitChain } from '../checks/commit-chain.ts';
import type { ReplicaChecks } from '../checks/replica-checks.ts';
import type { SwarmOptions } from '../nemesis/swarm.ts';
import type { FaultAtlas } from '../world/disk/fault-atlas.ts';
import type { Crew } from '../workload/worker.ts';
import type { World } from '../world/world.ts';

/** What the network is like right now; faults change it. */
export interface Weather {
  latencyMsMax: number;
}

export interface RunState {
  readonly options: SwarmOptions;
  readonly world: World;
  readonly crew: Crew;
  readonly weather: Weather;
  readonly chain: CommitChain;
  readonly checks: ReplicaChecks;
  /** Counts something that happened: for coverage and the trace hash. */
  readonly note: (what: string, facts?: string) => void;
  readonly atlas: FaultAtlas<number>;
  /** In which life (SimNode.lives) each node's disk was damaged last. */
  readonly damagedInLife: Map<number, number>;
  /** Nodes that cannot start with the disk that they have: an operator must replace it. */
  readonly refused: Set<number>;
  /** Nodes whose process may end itself, or refuse to start, because of what was done to them. */
  readonly excused: Set<number>;
  /** The first thing that went wrong outside of a call that could have thrown it. */
  failure: unknown;
}
