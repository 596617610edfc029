/**
 * Committed entries to the machine, strictly in order, each exactly once.
 *
 * Entries come from the journal's cache; a group that lags (start, snapshot, slow
 * turn) reads them from disk in bounded pieces while everything else goes on.
 *
 * An entry that cannot be read for damage makes the group faulty: what was applied stays, the
 * rest waits for the repair (repair.ts).
 *
 * Invariant: applied <= committed, and the machine sees index applied + 1 next.
 */
import { assert } from '../core/assert.ts';
import type { AppliedCommand } from '../core/machines/machine.ts';
import type { Entry } from '../core/raft/entry.ts';
import { asRaftIndex } from '../core/ids.ts';
import { JournalCorrupt } from '../storage/journal/vocabulary.ts';
import { maybeCheckpoint } from './checkpoint.ts';
import { checkWatches } from './leadership.ts';
import { answerApplied } from './propose.ts';
import { releaseReads } from './reads.ts';
import { becomeFaulty } from './repair.ts';
import type { GroupState, HostState } from './state.ts';
import { durableMatches } from './status.ts';
import { enqueue, failHost } from './schedule.ts';

/** Entries applied in one go, so that a long catch-up does not hold the loop. */
const applyEntriesMax = 1024;

export function advanceApply(host: HostState, group: GroupState): void {
  while (!group.applying && !group.removed && !group.faulty && group.applied < group.committed) {
    const first = asRaftIndex(group.applied + 1);
    const last = asRaftIndex(Math.min(group.committed, group.applied + applyEntriesMax));
    const entries = host.options.journal.cached(group.key, first, last);
    if (entries === undefined) {
      readAndApply(host, group).catch((error: unknown) => failHost(host, error));
      return;
    }
    applyEntries(host, group, entries);
  }
  releaseReads(group);
}

async function readAndApply(host: HostState, group: GroupState): Promise<void> {
  group.applying = true;
  const epoch = group.epoch;
  const first = asRaftIndex(group.applied + 1);
  try {
    const entries = await host.options.journal.read(group.key, first, group.committed, host.limits.applyBytesMax);
    if (group.epoch !== epoch || group.removed || host.failed) return;
    applyEntries(host, group, entries);
  } catch (error) {
    // A snapshot or a removal made the range void while it was read.
    if (group.epoch !== epoch || group.removed) return;
    if (!(error instanceof JournalCorrupt)) throw error;
    becomeFaulty(host, group, error);
  } finally {
    group.applying = false;
  }
  advanceApply(host, group);
}

function applyEntries(host: HostState, group: GroupState, entries: readonly Entry<Uint8Array>[]): void {
  const commands: AppliedCommand[] = [];
  let index: number = group.applied;
  for (const entry of entries) {
    index += 1;
    assert(entry.index === index, 'entries are applied in order without a gap', {
      group: group.key.group,
      expected: index,
      got: entry.index,
    });
    group.bytesSinceCheckpoint += entry.size;
    if (entry.kind === 'command') commands.push({ index: entry.index, term: entry.term, payload: entry.payload });
  }
  assert(index <= group.committed, 'only committed entries are applied', { group: group.key.group, index, committed: group.committed });
  const outcomes = commands.length === 0 ? [] : group.machine.apply(commands);
  assert(outcomes.length === commands.length, 'a machine gives one outcome per command', {
    outcomes: outcomes.length,
    commands: commands.length,
  });
  group.applied = asRaftIndex(index);
  group.commandsSinceCheckpoint += commands.length;
  if (group.pending.size > 0) answerCommands(host, group, commands, outcomes);
  enqueue(host, group, { input: { type: 'applied', index: group.applied } });
  releaseReads(group);
  checkWatches(group);
  maybeCheckpoint(host, group);
}

function answerCommands(host: HostState, group: GroupState, commands: readonly AppliedCommand[], outcomes: readonly unknown[]): void {
  const matches = durableMatches(group);
  commands.forEach((command, position) => answerApplied(host, group, command, outcomes[position], matches));
}
