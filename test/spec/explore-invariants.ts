/** The safety properties of Raft (paper, figure 3), looked at after every event of the explorer; each throws with its name. */
import type { Message } from '@balsa/node/core/raft/message.ts';
import { type Image, type SimNode, termIn } from '../property/raft-node.ts';
import type { Ghost, Outcome, World } from './explore-world.ts';
import { nodeOf } from './explore-world.ts';

function must(holds: boolean, name: string, facts: unknown): asserts holds {
  if (!holds) throw new Error(`${name}: ${JSON.stringify(facts)}`);
}

const majority = 2;

/** Checks what an event did, and returns the world with what it adds to the history. */
export function checked({ world, node, before, sent }: Outcome): World {
  let { ghost } = world;
  for (const message of sent) ghost = checkSent(ghost, node, message);
  ghost = checkElection(ghost, node, before);
  ghost = checkCommit(ghost, world, node, before);
  checkLogMatching(world.nodes, node);
  return ghost === world.ghost ? world : { ...world, ghost };
}

/** Votes are given once and are on disk, acknowledged entries are on disk, whatever a crash does to the rest. */
function checkSent(ghost: Ghost, { id, disk }: SimNode, message: Message<string>): Ghost {
  if (message.kind === 'append-response' && !message.reject) {
    must(message.index <= disk.entries.length, 'acknowledged entries are on disk', { message, entries: disk.entries.length });
  }
  if (message.kind !== 'vote-response' || message.reject) return ghost;
  const key = `${id}.${message.term}`;
  const other = ghost.votes[key];
  must(other === undefined || other === (message.to as number), 'one vote per term', { message, other });
  const { term, votedFor } = disk.hardState;
  must(term > message.term || (term === message.term && votedFor === (message.to as number)), 'a vote is on disk', {
    message,
    term,
    votedFor,
  });
  return other === undefined ? { ...ghost, votes: { ...ghost.votes, [key]: message.to } } : ghost;
}

/** Election safety and leader completeness. */
function checkElection(ghost: Ghost, { id, raft, view }: SimNode, before: SimNode): Ghost {
  const { role, term } = raft!;
  if (role !== 'leader' || (before.raft!.role === 'leader' && before.raft!.term === term)) return ghost;
  const other = ghost.leaders[term] ?? 0;
  must(other === 0 || other === (id as number), 'election safety', { term, other, node: id });
  for (const [place, entry] of ghost.committed.entries()) {
    if (entry.in >= term) continue;
    must(termIn(view, place + 1) === entry.term, 'leader completeness', { node: id, term, index: place + 1, entry });
  }
  const leaders = Array.from({ length: Math.max(ghost.leaders.length, term + 1) }, (_, each) => ghost.leaders[each] ?? 0);
  leaders[term] = id;
  return { ...ghost, leaders };
}

/** State machine safety; a leader counts only entries of its own term, and only disks. */
function checkCommit(ghost: Ghost, world: World, { id, raft, view }: SimNode, before: SimNode): Ghost {
  const { commit, role, term } = raft!;
  if (commit <= before.raft!.commit) return ghost;
  if (role === 'leader') {
    must(termIn(view, commit) === term, 'only the own term commits by counting', { node: id, commit, term });
    const copies = world.nodes.filter(({ disk }) => termIn(disk, commit) === termIn(view, commit)).length;
    must(copies >= majority, 'committed entries are on a majority of disks', { node: id, commit, copies });
  }
  const committed = [...ghost.committed];
  for (let index = before.raft!.commit + 1; index <= commit; index++) {
    const known = committed[index - 1];
    const own = termIn(view, index)!;
    must(known === undefined || known.term === own, 'state machine safety', { node: id, index, known, own });
    committed[index - 1] ??= { term: own, in: term };
  }
  return { ...ghost, committed };
}

/** Equal (index, term) means equal entries before it. */
function checkLogMatching(nodes: readonly SimNode[], changed: SimNode): void {
  for (const { id, view } of nodes) {
    if (id !== changed.id) mustMatch(view, changed.view);
  }
}

function mustMatch(one: Image, other: Image): void {
  let isEqual = false;
  for (let place = Math.min(one.entries.length, other.entries.length) - 1; place >= 0; place--) {
    const [a, b] = [one.entries[place]!, other.entries[place]!];
    if (a.term === b.term) isEqual = true;
    must(!isEqual || (a.term === b.term && a.kind === b.kind), 'log matching', { index: place + 1, a, b });
  }
}

export const termOf = (world: World, id: number): number => nodeOf(world, id).raft!.term;
