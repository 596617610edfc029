/**
 * What a node remembers of a replica that moved away: how far its votes and acknowledgements went.
 *
 * Its data go, but the node may be given a replica of the same group again, and that one must not
 * contradict what the earlier one has done: it must not vote a second time in a term, nor for a
 * candidate whose log lacks what the earlier one had acknowledged. A member that has not heard
 * of the removal still counts on both. So term and end of the log stay in the journal, as a
 * group without entries under a generation of its own, and bound the new replica:
 *
 *  - it begins in that term, its vote spent on itself;
 *  - until its own log has reached that end it neither stands for election nor votes for a
 *    log that has not reached it (`floor`, core/raft/state.ts).
 *
 * The floor may be higher than anything that was ever committed; that costs nothing: who
 * leads after the removal has a newer term at the end of its log.
 */
import type { Term } from '../core/ids.ts';
import { asRaftIndex, asTerm, noNode } from '../core/ids.ts';
import { lastIndex, lastTerm } from '../core/raft/log.ts';
import type { LogEnd } from '../core/raft/state.ts';
import type { Frame, GroupKey, RecoveredGroup } from '../storage/journal/vocabulary.ts';
import { type GroupState, type HostState, simpleMembership } from './state.ts';

/** Generations of replica sets are below this. */
const retiredOffset = 2 ** 31;
const noState = new Uint8Array(0);
/** Of a record that is damaged: no log reaches it, so the replica follows and never decides. */
const unreachable = { index: asRaftIndex(Number.MAX_SAFE_INTEGER), term: asTerm(Number.MAX_SAFE_INTEGER) };

export const retiredKey = ({ group, generation }: GroupKey): GroupKey => ({ group, generation: generation + retiredOffset });

export interface Retired {
  readonly term: Term;
  readonly floor: LogEnd;
}

export function retiredBefore({ options }: HostState, key: GroupKey): Retired | undefined {
  const found = options.journal.group(retiredKey(key));
  if (found === undefined) return undefined;
  const { index, term } = found.snapshot;
  return { term: found.hardState.term, floor: found.faulty === undefined ? { index, term } : unreachable };
}

/** Written together with the removal of the replica. Both parts of the end only grow, so that several lives add up. */
export function retirementFrames(host: HostState, { key, raft, term }: GroupState): readonly Frame[] {
  const before = retiredBefore(host, key);
  const found = host.options.journal.group(key);
  // A damaged replica's log is longer than what its core was given.
  const ends = [lastIndex(raft.log), found?.last ?? 0, before?.floor.index ?? 0];
  const terms = [lastTerm(raft.log), found === undefined ? 0 : endTerm(host, found), before?.floor.term ?? 0];
  const floor = { index: asRaftIndex(Math.max(...ends)), term: asTerm(Math.max(...terms)) };
  const newest = asTerm(Math.max(term, raft.term, found?.hardState.term ?? 0, before?.term ?? 0, floor.term));
  const retired = retiredKey(key);
  const snapshot = { ...floor, membership: simpleMembership([host.options.self]), state: noState };
  return [
    { ...retired, kind: 'hard-state', hardState: { term: newest, votedFor: noNode, commit: floor.index } },
    { ...retired, kind: 'log-start', snapshot },
  ];
}

function endTerm({ options }: HostState, found: RecoveredGroup): number {
  if (found.last === found.snapshot.index) return found.snapshot.term;
  // What stood at a damaged end is not always known; no entry is newer than the term.
  return options.journal.facts(found, found.last, found.last)[0]?.term || found.hardState.term;
}
