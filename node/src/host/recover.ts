/**
 * A group at its start: from the journal (truth) and the newest checkpoint that agrees
 * with it (a short cut).
 *
 * A damaged group gets a Raft state too, of the sound beginning of its log: it is never
 * stepped, but says in the status how far the log can be read. What the journal knows of
 * the lost entries stays in the journal, for the repair.
 */
import { asRaftIndex, asTerm, noNode } from '../core/ids.ts';
import type { RaftIndex } from '../core/ids.ts';
import type { Membership } from '../core/raft/membership.ts';
import { createRaft, type RaftBoot } from '../core/raft/state.ts';
import type { RaftConfig } from '../core/raft/config.ts';
import type { RepairableJournal } from '../storage/journal/open.ts';
import type { Frame, GroupKey, RecoveredGroup } from '../storage/journal/vocabulary.ts';
import { checkpointFamily, checkpointRange, decodeCheckpoint } from './checkpoint-codec.ts';
import type { GroupState, HostState } from './state.ts';
import { retiredBefore } from './retired.ts';
import { createGroupState, zeroIndex, zeroTerm } from './state.ts';
import { recoveredEvent } from './trace.ts';
import type { Checkpoint, GroupSpec, HostedMachine } from './vocabulary.ts';

/** Checkpoint rows read at start, newest first; enough to find one that the journal confirms. */
const checkpointRowsMax = 1024;
const seedMax = 0x7fff_ffff;

/** `machineAt`: the machine is running and has applied up to here (inclusive); absent if it must be restored. */
export async function recoverGroup(host: HostState, spec: GroupSpec, machineAt?: RaftIndex): Promise<GroupState> {
  const key: GroupKey = { group: spec.group, generation: spec.generation };
  const found = host.options.journal.group(key) ?? (await giveBirth(host, key, spec.birth, spec.machine));
  const confirmed = await confirmedCheckpoints(host, found);
  const keepsMachine = machineAt !== undefined && machineAt >= found.snapshot.index;
  const applied = keepsMachine ? machineAt : restoreMachine(host, spec.machine, found, confirmed.at(-1));
  const isSound = found.faulty === undefined;
  const boot = isSound ? soundBoot(host, found, applied) : silentBoot(host, found, spec.birth);
  const raft = createRaft(raftConfig(host), { ...boot, floor: retiredBefore(host, key)?.floor });
  // A damaged replica takes part in nothing yet; it is told of as damaged (onRepair).
  if (isSound) host.options.observer?.onRecovered?.(recoveredEvent(key, host.options.self, boot));
  return createGroupState({
    key,
    birth: spec.birth,
    machine: spec.machine,
    raft,
    applied,
    checkpoints: confirmed.map(({ checkpoint }) => checkpoint),
    term: found.hardState.term,
    faulty: !isSound,
  });
}

function soundBoot({ options }: HostState, found: RecoveredGroup, applied: RaftIndex): RaftBoot {
  return {
    hardState: { ...found.hardState, commit: asRaftIndex(Math.max(found.hardState.commit, applied)) },
    snapshot: found.snapshot,
    entries: options.journal.facts(found, found.first, found.last),
    applied,
  };
}

/** The log up to the damage; without the log start's state its membership is lost too. */
function silentBoot({ options }: HostState, found: RecoveredGroup, birth: Membership): RaftBoot {
  const { snapshot, hardState, faulty } = found;
  const last = asRaftIndex(Math.max(snapshot.index, (faulty?.first ?? found.first) - 1));
  const membership = snapshot.membership.voters.length === 0 ? birth : snapshot.membership;
  return {
    hardState: { ...hardState, commit: asRaftIndex(Math.min(hardState.commit, last)) },
    snapshot: { ...snapshot, membership },
    entries: options.journal.facts(found, found.first, last),
    applied: snapshot.index,
  };
}

interface StoredCheckpoint {
  readonly checkpoint: Checkpoint;
  readonly state: Uint8Array;
}

/** Returns the last index that the machine includes. */
function restoreMachine(
  { options }: HostState,
  machine: HostedMachine,
  found: RecoveredGroup,
  newest: StoredCheckpoint | undefined,
): RaftIndex {
  const isLost = found.faulty !== undefined && options.journal.snapshot(found) === undefined;
  machine.restore(newest?.state ?? (isLost ? undefined : found.snapshot.state));
  return newest?.checkpoint.index ?? found.snapshot.index;
}

function raftConfig(host: HostState): RaftConfig {
  return { ...host.options.raft, self: host.options.self, seed: host.options.random.below(seedMax) };
}

/** A group new to this node: its first frame fixes membership and initial state. */
async function giveBirth(host: HostState, key: GroupKey, membership: Membership, machine: HostedMachine): Promise<RecoveredGroup> {
  machine.restore(undefined);
  const snapshot = { index: zeroIndex, term: zeroTerm, membership, state: machine.encode() };
  const term = retiredBefore(host, key)?.term;
  // In the term of an earlier replica here the vote may have been given; it counts as spent.
  const hardState = { term: term ?? asTerm(0), votedFor: term === undefined ? noNode : host.options.self, commit: zeroIndex };
  const frames: Frame[] = [{ ...key, kind: 'log-start', snapshot }];
  if (term !== undefined) frames.push({ ...key, kind: 'hard-state', hardState });
  await host.options.journal.append(frames, { purpose: 'essential' });
  return { ...key, hardState, snapshot, first: asRaftIndex(1), last: zeroIndex };
}

/** Checkpoints whose (index, term) the journal has, ascending, with the state of each. */
async function confirmedCheckpoints(host: HostState, found: RecoveredGroup): Promise<readonly StoredCheckpoint[]> {
  const rows = await host.options.stateStore.range(checkpointFamily, {
    ...checkpointRange(found),
    reverse: true,
    limit: checkpointRowsMax,
  });
  return rows
    .map(([key, value]) => decodeCheckpoint(value, key))
    .filter(({ checkpoint }) => isInJournal(host.options.journal, found, checkpoint))
    .reverse();
}

function isInJournal(journal: RepairableJournal, found: RecoveredGroup, { index, term }: Checkpoint): boolean {
  if (index === found.snapshot.index) return term === found.snapshot.term;
  return termInJournal(journal, found, index) === term;
}

/** Undefined outside of the log; 0 if what was there is not known. */
export function termInJournal(journal: RepairableJournal, found: RecoveredGroup, index: RaftIndex): number | undefined {
  return index < found.first || index > found.last ? undefined : journal.facts(found, index, index)[0]?.term;
}
