/**
 * The replicated state machine of the scripts: the sequence of all commands that
 * were applied. Two replicas agree if and only if one sequence starts with the other.
 */
import type { RaftIndex } from '@balsa/node/core/ids.ts';
import { asRaftIndex } from '@balsa/node/core/ids.ts';
import type { Entry, Snapshot } from '@balsa/node/core/raft/entry.ts';

export interface Machine {
  /** Last index (inclusive) whose entry the state includes. */
  applied: RaftIndex;
  state: string;
  /** State after each index since the last snapshot: a host may keep a snapshot at any of them. */
  readonly states: Map<RaftIndex, string>;
}

export function createMachine(snapshot: Snapshot<string>): Machine {
  return { applied: snapshot.index, state: snapshot.state, states: new Map([[snapshot.index, snapshot.state]]) };
}

export function applyEntry(machine: Machine, entry: Entry<string>): void {
  if (entry.index !== machine.applied + 1) throw new Error(`entry ${entry.index} applied after ${machine.applied}`);
  if (entry.kind === 'command') machine.state = `${machine.state}${machine.state === '' ? '' : ' '}${entry.payload}`;
  machine.applied = asRaftIndex(entry.index);
  machine.states.set(machine.applied, machine.state);
}
