/**
 * Every node is damaged, and yet nothing is lost: the regions do not meet.
 *
 * Journals of different nodes hold the same entries at different places, so a region is a
 * set of entries, not of bytes: stripes of the Raft index, dealt to the nodes in turn. An
 * entry is damaged on one node at most, and only where another node has a whole copy and
 * knows from its own disk that it is committed: what nobody knows to be committed
 * nobody can give back.
 *
 * Only payloads are struck: the heads that stay whole say what was lost.
 */
import type { Random } from '@balsa/node/ports/random.ts';
import { assert } from '@balsa/node/core/assert.ts';
import { flipBitAt } from './byte-damage.ts';
import { type Damage, pick } from './damage.ts';
import { type EntryPlace, entryKey, type JournalEntries, readJournalEntries } from './journal-entries.ts';

export interface HelixDamage extends Damage {
  /** Place of the node's folder in the list that was given. */
  readonly node: number;
  /** `group/generation` */
  readonly group: string;
  readonly index: number;
}

export interface HelixOptions {
  readonly random: Pick<Random, 'below'>;
  /** Entries to damage on each node; fewer if there are not so many. */
  readonly hitsPerNode: number;
  /** Neighbours that belong to the same region. */
  readonly stripeEntries?: number;
}

const stripeEntriesDefault = 4;

/** By the data folders of all nodes of the cluster, all stopped. Every one of them is struck at least once. */
export function damageInHelix(dataDirs: readonly string[], options: HelixOptions): readonly HelixDamage[] {
  const { random, hitsPerNode, stripeEntries = stripeEntriesDefault } = options;
  assert(dataDirs.length >= 2 && hitsPerNode >= 1 && stripeEntries >= 1, 'a helix strikes at least two nodes, at least once', {
    nodes: dataDirs.length,
    hitsPerNode,
    stripeEntries,
  });
  const journals = dataDirs.map(readJournalEntries);
  const region = (index: number): number => Math.floor(index / stripeEntries) % dataDirs.length;
  return journals.flatMap((journal, node) => {
    const others = journals.filter((other) => other !== journal);
    const candidates = [...journal.entries.values()].filter(
      (entry) => region(entry.index) === node && others.some((other) => hasCommitted(other, entry)),
    );
    const struck: HelixDamage[] = [];
    do {
      const entry = pick(random, candidates, `no committed entry in ${dataDirs[node]} that another node has too`);
      candidates.splice(candidates.indexOf(entry), 1);
      const damage = flipBitAt(entry.file, entry.position + random.below(entry.bytes), random);
      struck.push({ ...damage, node, group: entry.group, index: entry.index });
    } while (struck.length < hitsPerNode && candidates.length > 0);
    return struck;
  });
}

/** Also when it is in the log start of the other already. */
function hasCommitted({ entries, committed, starts }: JournalEntries, { group, index }: EntryPlace): boolean {
  if (index <= (starts.get(group) ?? 0)) return true;
  return index <= (committed.get(group) ?? 0) && entries.has(entryKey(group, index));
}
