/** Filling the holes that damage left with the same entries from a peer. */
import { assert } from '../../core/assert.ts';
import type { Entry } from '../../core/raft/entry.ts';
import { enqueue } from './append.ts';
import { contentBytes } from './batch.ts';
import { contentOfFrame } from './frame-content.ts';
import { hasIndex, isHole, noteMembership, settleFaulty, termAt } from './group-log.ts';
import { mayAppend } from './space.ts';
import { findLog, type JournalState } from './state.ts';
import { type GroupKey, JournalFull } from './vocabulary.ts';

export async function repairEntries(state: JournalState, key: GroupKey, entries: readonly Entry<Uint8Array>[]): Promise<void> {
  const log = findLog(state.groups, key);
  assert(log !== undefined && !state.closed, 'only a group of this journal is repaired', { ...key });
  const lost = entries.filter((entry) => isHole(log, entry.index));
  const contents = lost.map((entry) => contentOfFrame({ ...key, kind: 'entry', entry }, { restored: true, keeps: false }));
  const bytes = contents.reduce((sum, content) => sum + contentBytes(content), 0);
  // A copy that was on its way to another segment has filled the hole meanwhile.
  if (lost.length === 0) return settleFaulty(log);
  if (!mayAppend(state, bytes, 'client')) throw new JournalFull(`no room for ${bytes} bytes`);
  const logs = contents.map(() => log);
  await enqueue(state, contents, logs, bytes);
  for (const entry of lost) {
    const kept = hasIndex(log, entry.index) && termAt(log, entry.index) === entry.term;
    if (kept && entry.kind === 'membership') noteMembership(log, entry.index, entry.membership);
  }
  settleFaulty(log);
}
