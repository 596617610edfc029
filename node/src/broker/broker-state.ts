/** Plain state of a broker. Role files (produce, fetch, topics, ...) work on it. */
import type { GroupId, NodeId, RaftIndex, Term } from '../core/ids.ts';
import type { RunningHost } from '../host/host.ts';
import type { LeaderChange } from '../host/vocabulary.ts';
import type { Clock } from '../ports/clock.ts';
import type { Random } from '../ports/random.ts';
import type { StateStore } from '../ports/state-store.ts';
import type { ByteBudget } from './byte-budget.ts';
import { createByteBudget } from './byte-budget.ts';
import type { MetadataReplica } from './metadata-replica.ts';
import { createMetadataReplica } from './metadata-replica.ts';
import type { BrokerObserver } from './observer.ts';
import type { PartitionReplica } from './partition-replica.ts';

/** Bounds of one broker; together they bound its memory (docs/operations.md, "Memory"). */
export interface BrokerLimits {
  /** Batch bytes of produce requests that are not answered yet. */
  readonly produceBytesInflightMax: number;
  /** Bytes read for fetch answers that have not left yet. */
  readonly fetchBytesInflightMax: number;
  /** Largest answer to one fetch (but always one whole batch). */
  readonly fetchBytesMax: number;
  readonly fetchWaitMsMax: number;
  /** Time for a request that names none, and the longest that one may name. */
  readonly requestTimeoutMs: number;
  readonly requestTimeoutMsMax: number;
}

export interface TopicDefaults {
  readonly partitions: number;
  /** 0: three, or all nodes if there are fewer. */
  readonly replicationFactor: number;
}

export interface MaintenanceTimes {
  readonly retentionCheckMs: number;
  readonly balanceCheckMs: number;
  readonly balanceStableMs: number;
}

/** What this node tells the cluster about itself. */
export interface NodeFacts {
  readonly nodeId: NodeId;
  readonly storeId: string;
  readonly clientAddress: string;
  readonly peerAddress: string;
  readonly httpAddress: string;
  readonly zone: string;
}

/** Calls to the metadata leader on another node. They reject with BrokerError. */
export interface LeaderCalls {
  readonly registerNode: (leader: NodeId, facts: NodeFacts, timeoutMs: number) => Promise<void>;
  /** Resolves to the first id of a block of `count`. */
  readonly allocateProducerIds: (leader: NodeId, count: number, timeoutMs: number) => Promise<number>;
}

export interface BrokerOptions {
  readonly host: RunningHost;
  readonly stateStore: StateStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly facts: NodeFacts;
  /** Ids of all static members, this node included. */
  readonly members: readonly NodeId[];
  readonly leaderCalls: LeaderCalls;
  readonly limits: BrokerLimits;
  readonly topicDefaults: TopicDefaults;
  readonly maintenance: MaintenanceTimes;
  readonly observer: BrokerObserver;
}

/** Producer ids of this node's current block: next .. end - 1. */
export interface ProducerIdBlock {
  next: number;
  /** Exclusive. */
  end: number;
  /** A block is being fetched; requests share it. */
  pending: Promise<void> | undefined;
}

export interface BrokerState extends BrokerOptions {
  readonly metadata: MetadataReplica;
  /** Partition replicas that are open on this node. */
  readonly replicas: Map<GroupId, PartitionReplica>;
  /** Role and leader of every open group as last announced by the host. */
  readonly leaders: Map<GroupId, LeaderChange>;
  /** Replicas proven to be removed from their groups, as they were then (Raft index of the log's end, inclusive). */
  readonly leftBehind: Map<GroupId, { readonly term: Term; readonly last: RaftIndex }>;
  readonly produceBudget: ByteBudget;
  readonly fetchBudget: ByteBudget;
  readonly producerIds: ProducerIdBlock;
  /** Undoes timers and listeners at the stop. */
  readonly cleanups: (() => void)[];
  /** End of the metadata's log (Raft index, inclusive) when this process opened it, or had repaired it; see reconcile.ts. */
  metadataLastAtOpen: RaftIndex | undefined;
  /** This node's registration is committed. */
  registered: boolean;
  stopping: boolean;
}

export function createBrokerState(options: BrokerOptions): BrokerState {
  return {
    ...options,
    metadata: createMetadataReplica(),
    replicas: new Map(),
    leaders: new Map(),
    leftBehind: new Map(),
    produceBudget: createByteBudget(options.limits.produceBytesInflightMax),
    fetchBudget: createByteBudget(options.limits.fetchBytesInflightMax),
    producerIds: { next: 0, end: 0, pending: undefined },
    cleanups: [],
    metadataLastAtOpen: undefined,
    registered: false,
    stopping: false,
  };
}
