/**
 * Checkpoints: machine states kept in the state store, so that a start need not replay
 * the whole log and the log can be cut.
 *
 * One batch holds the state, its (index, term), and the index rows up to it; so a
 * store that lost its newest batches is merely older. A checkpoint counts at recovery
 * only if the journal has an entry with the same (index, term): the store is not part
 * of the truth, so what it says is checked against it.
 *
 * Cutting: when the machine allows the log to start at a checkpoint, that state goes
 * into the journal as a log-start frame first; only then is the log before it garbage.
 * So the journal alone can always rebuild the machine.
 */
import { assert } from '../core/assert.ts';
import { membershipAt, termAt } from '../core/raft/state.ts';
import { statusOf } from '../core/raft/status.ts';
import { checkpointFamily, checkpointKey, encodeCheckpoint, decodeCheckpoint } from './checkpoint-codec.ts';
import type { GroupState, HostState } from './state.ts';
import { enqueue, failHost } from './schedule.ts';
import type { Checkpoint } from './vocabulary.ts';
import type { StateWrite } from '../ports/state-store.ts';
import { JournalFull } from '../storage/journal/vocabulary.ts';

export function maybeCheckpoint(host: HostState, group: GroupState): void {
  const due = group.bytesSinceCheckpoint >= host.limits.checkpointBytes || group.commandsSinceCheckpoint >= host.limits.checkpointCommands;
  if (due && !group.checkpointing) void checkpoint(host, group).catch((error: unknown) => failHost(host, error));
}

/** Saves the machine's state as of now. Resolves once the store took it (not: once it is on disk). */
export async function checkpoint(host: HostState, group: GroupState): Promise<void> {
  const newest = group.checkpoints.at(-1);
  if (group.removed || group.faulty || group.checkpointing || newest?.index === group.applied) return;
  group.checkpointing = true;
  group.bytesSinceCheckpoint = 0;
  group.commandsSinceCheckpoint = 0;
  try {
    const epoch = group.epoch;
    const saved: Checkpoint = { index: group.applied, term: termAt(group.raft, group.applied), mark: group.machine.mark() };
    const thinned = thinOut(group.checkpoints, host.limits.checkpointsMax);
    const batch: StateWrite[] = [
      ...group.machine.takeRows(),
      {
        op: 'put',
        family: checkpointFamily,
        key: checkpointKey(group.key, saved.index),
        value: encodeCheckpoint(saved, group.machine.encode()),
      },
      ...thinned.dropped.map(({ index }): StateWrite => ({ op: 'delete', family: checkpointFamily, key: checkpointKey(group.key, index) })),
    ];
    await host.options.stateStore.write(batch);
    if (group.epoch !== epoch || group.removed) return;
    group.checkpoints = [...thinned.kept, saved];
  } finally {
    group.checkpointing = false;
  }
  await maybeCompact(host, group);
}

/** Drops every second of the older checkpoints once there are more than `max`. */
function thinOut(checkpoints: readonly Checkpoint[], max: number): { readonly kept: Checkpoint[]; readonly dropped: Checkpoint[] } {
  if (checkpoints.length < max) return { kept: [...checkpoints], dropped: [] };
  return { kept: checkpoints.filter((_, place) => place % 2 === 0), dropped: checkpoints.filter((_, place) => place % 2 === 1) };
}

/** Cuts the log at the newest checkpoint that the machine allows. */
export async function maybeCompact(host: HostState, group: GroupState): Promise<void> {
  if (group.compacting || group.removed || group.faulty || host.failed) return;
  const start = host.options.journal.snapshot(group.key);
  const chosen = group.machine.mayStartAt(group.checkpoints);
  if (chosen === undefined || start === undefined || chosen.index <= start.index) return;
  // The cut must also be on this disk: the frame would otherwise claim a log that the journal does not have.
  if (chosen.index > statusOf(group.raft).durable) return;
  group.compacting = true;
  try {
    await compactAt(host, group, chosen);
  } catch (error) {
    // A full disk: the log stays as it is, and the next try may find space.
    if (!(error instanceof JournalFull)) throw error;
  } finally {
    group.compacting = false;
  }
}

async function compactAt(host: HostState, group: GroupState, chosen: Checkpoint): Promise<void> {
  const epoch = group.epoch;
  const row = await host.options.stateStore.get(checkpointFamily, checkpointKey(group.key, chosen.index));
  if (row === undefined || group.epoch !== epoch || group.removed) return;
  const saved = decodeCheckpoint(row);
  assert(saved.checkpoint.term === chosen.term, 'a stored checkpoint is the one that was saved', { chosen, saved: saved.checkpoint });
  const snapshot = { index: chosen.index, term: chosen.term, membership: membershipAt(group.raft, chosen.index), state: saved.state };
  await host.options.journal.append([{ ...group.key, kind: 'log-start', snapshot }], { purpose: 'upkeep' });
  if (group.epoch !== epoch || group.removed) return;
  enqueue(host, group, { input: { type: 'compact', index: chosen.index } });
  const older = group.checkpoints.filter(({ index }) => index < chosen.index);
  group.checkpoints = group.checkpoints.filter(({ index }) => index >= chosen.index);
  await host.options.stateStore.write(
    older.map(({ index }): StateWrite => ({ op: 'delete', family: checkpointFamily, key: checkpointKey(group.key, index) })),
  );
}
