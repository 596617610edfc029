/**
 * What has ever happened in a simulated group, and the rules that it must obey. Names
 * of the rules are those of the Raft paper; each check throws with the facts.
 */
import type { NodeId, Term } from '@balsa/node/core/ids.ts';
import type { Entry } from '@balsa/node/core/raft/entry.ts';
import type { Membership } from '@balsa/node/core/raft/membership.ts';
import { statusOf } from '@balsa/node/core/raft/status.ts';
import { entryOf, type SimNode, termIn } from './raft-node.ts';

export interface Ledger {
  readonly leaders: Map<number, NodeId>;
  /** By index: the committed entry, and the term of the node that reported it first. */
  readonly committed: Map<number, { readonly print: string; readonly term: number; readonly reportedIn: number }>;
  committedLast: number;
  /** Largest index that a leader knows to be committed. */
  knownLast: number;
  readonly readFloor: Map<number, number>;
  counts: {
    elections: number;
    commits: number;
    reads: number;
    crashes: number;
    memberships: number;
    snapshots: number;
    truncations: number;
    replays: number;
  };
}

export const createLedger = (): Ledger => ({
  leaders: new Map(),
  committed: new Map(),
  committedLast: 0,
  knownLast: 0,
  readFloor: new Map(),
  counts: { elections: 0, commits: 0, reads: 0, crashes: 0, memberships: 0, snapshots: 0, truncations: 0, replays: 0 },
});

export function expectThat(condition: boolean, rule: string, facts: unknown): asserts condition {
  if (!condition) throw new Error(`${rule}: ${JSON.stringify(facts)}`);
}

const print = (entry: Entry<string>): string =>
  JSON.stringify([entry.term, entry.kind, entry.kind === 'command' ? entry.payload : entry.kind === 'membership' ? entry.membership : 0]);

/** Election safety and leader completeness, at the moment of the election. */
export function noteLeader(ledger: Ledger, node: SimNode, term: Term): void {
  const other = ledger.leaders.get(term);
  expectThat(other === undefined || other === node.id, 'election safety', { term, other, node: node.id });
  if (other !== undefined) return;
  ledger.leaders.set(term, node.id);
  ledger.counts.elections += 1;
  for (const [index, { term: entryTerm, reportedIn }] of ledger.committed) {
    if (reportedIn >= term || index < node.view.snapshot.index) continue;
    expectThat(termIn(node.view, index) === entryTerm, 'leader completeness', { node: node.id, term, index, entryTerm });
  }
}

/** State machine safety: the same entry at the same index everywhere, in order, once. */
export function noteCommitted(ledger: Ledger, node: SimNode, range: { readonly first: number; readonly last: number }): void {
  expectThat(range.first === node.handed + 1, 'committed entries are handed over in order', { node: node.id, range, handed: node.handed });
  node.handed = range.last;
  for (let index = range.first; index <= range.last; index++) {
    const entry = entryOf(node.view, index);
    expectThat(entry !== undefined, 'committed entries are in the log', { node: node.id, index });
    const known = ledger.committed.get(index);
    expectThat(known === undefined || known.print === print(entry), 'state machine safety', { node: node.id, index, known, entry });
    if (known !== undefined) continue;
    ledger.committed.set(index, { print: print(entry), term: entry.term, reportedIn: node.raft!.term });
    ledger.committedLast = Math.max(ledger.committedLast, index);
    ledger.counts.commits += 1;
  }
}

/** Every commit of a leader is on the disks of a majority of each half of its membership. */
export function checkLeaderCommit(ledger: Ledger, node: SimNode, nodes: readonly SimNode[]): void {
  const { role, commit, membership } = statusOf(node.raft!);
  if (role !== 'leader' || commit <= ledger.knownLast) return;
  const term = termIn(node.view, commit);
  const holds = (id: NodeId): boolean => {
    const { disk } = nodes.find((each) => each.id === id)!;
    return disk.snapshot.index >= commit || termIn(disk, commit) === term;
  };
  for (const half of halvesOf(membership)) {
    const copies = half.filter(holds);
    expectThat(copies.length * 2 > half.length, 'a commit is durable on a majority', { node: node.id, commit, half, copies });
  }
  ledger.knownLast = commit;
}

const halvesOf = ({ voters, outgoing }: Membership): readonly (readonly NodeId[])[] =>
  outgoing.length > 0 ? [voters, outgoing] : [voters];

/** Log matching: equal (index, term) means equal entries up to there. */
export function checkLogMatching(nodes: readonly SimNode[]): void {
  const [reference, ...others] = nodes.map(({ view }) => view);
  for (const left of [reference!, ...others]) {
    for (const right of others) {
      let mustMatch = false;
      const end = Math.min(left.snapshot.index + left.entries.length, right.snapshot.index + right.entries.length);
      for (let index = end; index > Math.max(left.snapshot.index, right.snapshot.index); index--) {
        const [a, b] = [entryOf(left, index)!, entryOf(right, index)!];
        mustMatch ||= a.term === b.term;
        expectThat(!mustMatch || print(a) === print(b), 'log matching', { index, a, b });
      }
    }
  }
}
