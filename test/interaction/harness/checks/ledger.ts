/**
 * Everything that must stay true for the whole life of a cluster, crashes included,
 * written down as it is first seen. A check compares each later observation with it.
 */
import type { NodeId, RaftIndex, Term } from '@balsa/node/core/ids.ts';
import type { Role } from '@balsa/node/core/raft/effects.ts';
import type { Entry } from '@balsa/node/core/raft/entry.ts';
import { statusOf } from '@balsa/node/core/raft/status.ts';
import type { Cluster } from '../cluster.ts';

export interface SeenEntry {
  readonly previousTerm: Term | undefined;
  readonly content: string;
}

/** What a node said of itself after its last step. */
export interface NodeMemory {
  role: Role;
  term: Term;
  commit: RaftIndex;
  applied: RaftIndex;
}

export interface Ledger {
  readonly cluster: Cluster;
  readonly violations: string[];
  readonly leaderOfTerm: Map<Term, NodeId>;
  /** By "index@term", which must fix the entry and the term of the one before. */
  readonly entries: Map<string, SeenEntry>;
  /** The one committed sequence. `decidedIn` is the term of the leader that committed the entry. */
  readonly committed: Map<RaftIndex, { readonly entry: Entry<string>; readonly decidedIn: Term }>;
  /** Machine state after each index. */
  readonly states: Map<RaftIndex, string>;
  /** Candidate that got the vote, by "voter@term". */
  readonly votes: Map<string, NodeId>;
  /** Highest index that was committed anywhere when a read arrived, by "node/context". */
  readonly readFloors: Map<string, number>;
  readonly nodes: Map<NodeId, NodeMemory>;
}

export function createLedger(cluster: Cluster): Ledger {
  return {
    cluster,
    violations: [],
    leaderOfTerm: new Map(),
    entries: new Map(),
    committed: new Map(),
    states: new Map(),
    votes: new Map(),
    readFloors: new Map(),
    nodes: new Map(),
  };
}

export function expectThat(ledger: Ledger, condition: boolean, invariant: string, says: string): void {
  if (!condition) ledger.violations.push(`${invariant} ${says}`);
}

/** Whether the node leads, or led until the step that is under way (a leader may commit its own end). */
export function leads(ledger: Ledger, node: NodeId): boolean {
  const { raft } = ledger.cluster.replicas.get(node)!;
  return ledger.nodes.get(node)?.role === 'leader' || (raft !== undefined && statusOf(raft).role === 'leader');
}

/** Remembers a value that must be the same whenever it is seen again. */
export function sameAsBefore<Key, Value>(seen: Map<Key, Value>, key: Key, value: Value): Value {
  const before = seen.get(key);
  if (before === undefined) seen.set(key, value);
  return before ?? value;
}
