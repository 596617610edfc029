/** What a damaged group makes of a peer's answer; repair.ts says why each step is sound. */
import type { NodeId, RaftIndex } from '../core/ids.ts';
import { assert } from '../core/assert.ts';
import type { Entry, HardState, Snapshot } from '../core/raft/entry.ts';
import type { EntriesAnswer } from '../ports/network.ts';
import type { Frame, RecoveredGroup } from '../storage/journal/vocabulary.ts';
import { termInJournal } from './recover.ts';
import type { GroupState, HostState } from './state.ts';

/** A term of the journal that means: not known what was here. */
const unknownTerm = 0;

/** Resolves with undefined if the log is less damaged now, else with the reason why not. */
export async function takeAnswer(host: HostState, group: GroupState, peer: NodeId, answer: EntriesAnswer): Promise<string | undefined> {
  const found = host.options.journal.group(group.key);
  assert(found?.faulty !== undefined, 'only a damaged group is repaired', { ...group.key });
  if (answer.snapshot !== undefined) return takeLogStart(host, group, peer, found, answer.snapshot);
  if (found.faulty.first <= found.snapshot.index) return waitsForStart(peer, found);
  const { agreed, other } = compare(host, group, found, answer.entries);
  if (other !== undefined && other.index <= knownCommit(group, found)) return contradiction(peer, other.index);
  const useful = agreed.filter(({ index }) => index >= (found.faulty?.first ?? 0));
  if (useful.length > 0) await host.options.journal.repair(group.key, useful);
  if (other !== undefined) return cutBefore(host, group, found, other);
  if (useful.length > 0) return undefined;
  return answer.commit < found.faulty.first
    ? `node ${peer} knows entries up to ${answer.commit} as committed; the lost ones begin at ${found.faulty.first}`
    : `node ${peer} cannot give entry ${found.faulty.first} either`;
}

const contradiction = (peer: NodeId, index: RaftIndex): string => `node ${peer} has committed another entry ${index} than this node`;

/** The machine's state there is lost; entries do not give it back, but the start of a log that is as far does. */
const waitsForStart = (peer: NodeId, { snapshot }: RecoveredGroup): string =>
  `the state at the start of this log (${snapshot.index}) is lost, and the log of node ${peer} starts before it; it heals when that one starts there or later`;

/** Everything up to here (inclusive) is committed for certain. */
const knownCommit = ({ applied }: GroupState, { hardState, snapshot }: RecoveredGroup): number =>
  Math.max(hardState.commit, snapshot.index, applied);

interface Comparison {
  /** The same entries as this log's, from the first one received. */
  readonly agreed: readonly Entry<Uint8Array>[];
  /** First entry received in whose place this log has another one. */
  readonly other: Entry<Uint8Array> | undefined;
}

function compare(host: HostState, group: GroupState, found: RecoveredGroup, entries: readonly Entry<Uint8Array>[]): Comparison {
  const differs = entries.findIndex(({ index, term }) => {
    const own = termInJournal(host.options.journal, found, index);
    return own !== term && !(own === unknownTerm && index <= knownCommit(group, found));
  });
  if (differs === -1) return { agreed: entries, other: undefined };
  const other = entries[differs];
  const isKnown = other !== undefined && termInJournal(host.options.journal, found, other.index) !== unknownTerm;
  return { agreed: entries.slice(0, differs), other: isKnown ? other : undefined };
}

/**
 * Cuts this log before the committed `other`. The journal cuts by writing an entry at
 * an index that it has: the last one to keep once more, or `other` itself if it is the first.
 */
async function cutBefore(host: HostState, group: GroupState, found: RecoveredGroup, other: Entry<Uint8Array>): Promise<undefined> {
  const { journal } = host.options;
  const keep = (other.index - 1) as RaftIndex;
  const [entry] = keep < found.first ? [other] : await journal.read(group.key, keep, keep, 0);
  if (group.removed || host.failed) return;
  assert(entry !== undefined, 'a read gives at least one entry', { ...group.key, keep });
  await journal.append([...raiseTerm(group, found.hardState, entry.term), { ...group.key, kind: 'entry', entry }], { purpose: 'upkeep' });
}

/** The peer's log starts behind the damage: its state replaces what was lost. */
async function takeLogStart(
  host: HostState,
  group: GroupState,
  peer: NodeId,
  found: RecoveredGroup,
  snapshot: Snapshot<Uint8Array>,
): Promise<string | undefined> {
  const { index, term, state } = snapshot;
  const lost = found.faulty?.first ?? found.first;
  if (index < found.snapshot.index) return `the log of node ${peer} starts at ${index}, before this one at ${found.snapshot.index}`;
  const own = index === found.snapshot.index ? found.snapshot.term : termInJournal(host.options.journal, found, index);
  if (own === term && index < lost) return `node ${peer} knows entries up to ${index} as committed; the lost ones begin at ${lost}`;
  // All logs agree on nothing.
  if (own === unknownTerm && index > 0 && index < found.last)
    return `it is not known whether the log of node ${peer} agrees with this one at ${index}`;
  if (own !== term && own !== unknownTerm && index <= knownCommit(group, found)) return contradiction(peer, index);
  const frames: Frame[] = [...raiseTerm(group, found.hardState, term), { ...group.key, kind: 'log-start', snapshot }];
  await host.options.journal.append(frames, { purpose: 'upkeep' });
  host.options.observer?.onSnapshot?.('installed', state.byteLength);
  return undefined;
}

/** A log never has an entry of a term that its hard state does not know. Nobody has this node's vote in the new term. */
function raiseTerm({ key }: GroupState, hardState: HardState, term: HardState['term']): Frame[] {
  return term <= hardState.term ? [] : [{ ...key, kind: 'hard-state', hardState: { ...hardState, term, votedFor: 0 } }];
}
