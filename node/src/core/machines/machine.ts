/**
 * A replicated state machine: the same commands in the same order give the same
 * state and the same outcomes on every replica.
 *
 * Contract
 *  - `apply` is synchronous and deterministic: no clock (time is in the command,
 *    stamped by the leader), no random, no iteration over unordered input.
 *  - It mutates `state` and returns an outcome; a refused command is an outcome too
 *    (it takes a Raft index, but leaves no other trace).
 *  - It never throws for any command bytes: what cannot be decoded is a refused
 *    command, because a poison entry would otherwise stop every replica for ever.
 *  - `encode`/`decode` are exact inverses; equal states have equal bytes, so that
 *    replicas can be compared by hash.
 */
import type { RaftIndex, Term } from '../ids.ts';

export interface AppliedCommand {
  readonly index: RaftIndex;
  readonly term: Term;
  readonly payload: Uint8Array;
}

export interface Machine<State, Outcome> {
  readonly initial: () => State;
  readonly apply: (state: State, command: AppliedCommand) => Outcome;
  readonly encode: (state: State) => Uint8Array;
  readonly decode: (bytes: Uint8Array) => State;
}
