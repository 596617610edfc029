/** What the host is built from, and its limits. Every queue of the host is bounded by one of these. */
import type { NodeId, RaftIndex } from '../core/ids.ts';
import type { RaftConfig } from '../core/raft/config.ts';
import type { Clock } from '../ports/clock.ts';
import type { Network } from '../ports/network.ts';
import type { Random } from '../ports/random.ts';
import type { StateStore } from '../ports/state-store.ts';
import type { RepairableJournal } from '../storage/journal/open.ts';
import type { GroupKey } from '../storage/journal/vocabulary.ts';
import type { RecoveredEvent, StepEvent } from './trace.ts';

export interface HostLimits {
  /** Bytes of proposals that wait for their outcome, over all groups. */
  readonly proposalBytesMax: number;
  /** Bytes handed to the journal and not yet durable; beyond it incoming entries are dropped and sent again later. */
  readonly unsyncedBytesMax: number;
  /** Linearizable reads waiting in one group. */
  readonly readsMax: number;
  /** Entry bytes applied between two checkpoints of a machine. */
  readonly checkpointBytes: number;
  /** Commands applied between two checkpoints of a machine. */
  readonly checkpointCommands: number;
  /** Checkpoints kept per group besides the newest; older ones are thinned out. */
  readonly checkpointsMax: number;
  /** Entry bytes read at once when a machine catches up from disk. */
  readonly applyBytesMax: number;
  /** Rate at which the scrub reads. */
  readonly scrubBytesPerSecond: number;
  /** Pause before each pass of the scrub. */
  readonly scrubPassMs: number;
}

export const defaultHostLimits: HostLimits = {
  proposalBytesMax: 64 * 1024 * 1024,
  unsyncedBytesMax: 128 * 1024 * 1024,
  readsMax: 10_000,
  checkpointBytes: 16 * 1024 * 1024,
  checkpointCommands: 10_000,
  checkpointsMax: 256,
  applyBytesMax: 4 * 1024 * 1024,
  scrubBytesPerSecond: 8 * 1024 * 1024,
  scrubPassMs: 60 * 60 * 1000,
};

/** What the host tells whoever measures it. All calls are synchronous and must not throw. */
export interface HostObserver {
  readonly onTurn?: (durationMs: number, groups: number) => void;
  /** From proposal to outcome. */
  readonly onCommit?: (latencyMs: number, bytes: number) => void;
  readonly onDropped?: (what: 'unknown-group' | 'old-generation' | 'faulty' | 'disk-full' | 'unsynced-bytes', messages: number) => void;
  readonly onSnapshot?: (what: 'sent' | 'installed', bytes: number) => void;
  readonly onRepair?: (event: RepairEvent) => void;
  /** A pass of the scrub has read everything. */
  readonly onScrubbed?: (bytes: number, durationMs: number) => void;
  /** A replica starts, with this state; see trace.ts. */
  readonly onRecovered?: (event: RecoveredEvent) => void;
  /** After every step of every group; see trace.ts. Costs nothing if absent. */
  readonly onStep?: (event: StepEvent<Uint8Array>) => void;
}

/** The repair of a damaged group on this node; see repair.ts. */
export type RepairEvent = GroupKey &
  (
    | { readonly type: 'begun'; readonly first: RaftIndex | undefined; readonly last: RaftIndex | undefined; readonly why: string }
    /** Tried and did not get on; told once per reason, the attempts go on. */
    | { readonly type: 'stalled'; readonly reason: string }
    | { readonly type: 'ended'; readonly durationMs: number }
  );

export interface HostOptions {
  readonly self: NodeId;
  readonly journal: RepairableJournal;
  readonly network: Network;
  readonly stateStore: StateStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly raft: Omit<RaftConfig, 'self' | 'seed'>;
  readonly tickMs: number;
  readonly limits?: Partial<HostLimits>;
  readonly observer?: HostObserver;
  /** An impossible state or a failed effect: the node must stop loudly. Called once. */
  readonly onFatal: (error: unknown) => void;
}
