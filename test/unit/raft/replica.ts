/**
 * One replica under test, and messages from peers that exist only in the test.
 */
import { asNodeId, asRaftIndex, asTerm, type NodeId } from '@balsa/node/core/ids.ts';
import { defaultRaftConfig, type RaftConfig } from '@balsa/node/core/raft/config.ts';
import type { Effects } from '@balsa/node/core/raft/effects.ts';
import type { Entry } from '@balsa/node/core/raft/entry.ts';
import type { Input } from '@balsa/node/core/raft/input.ts';
import type { Membership } from '@balsa/node/core/raft/membership.ts';
import type { Message, OutgoingMessage } from '@balsa/node/core/raft/message.ts';
import { createRaft, type RaftState } from '@balsa/node/core/raft/state.ts';
import { step } from '@balsa/node/core/raft/step.ts';

export const ids = (...nodes: number[]): NodeId[] => nodes.map(asNodeId);

export function membershipOf(voters: number[], more: Partial<Membership> = {}): Membership {
  return { voters: ids(...voters), outgoing: [], learners: [], learnersNext: [], autoLeave: false, ...more };
}

export interface ReplicaOptions {
  readonly self?: number;
  readonly membership?: Membership;
  /** Last index and term before the log. */
  readonly start?: readonly [index: number, term: number];
  /** Term of each entry of the log. */
  readonly terms?: readonly number[];
  /** Memberships in the log, by index. */
  readonly memberships?: ReadonlyMap<number, Membership>;
  readonly term?: number;
  readonly votedFor?: number;
  readonly commit?: number;
  /** Index and term of the end of an earlier log here. */
  readonly floor?: readonly [index: number, term: number];
  readonly config?: Partial<RaftConfig>;
}

export function replicaOf(options: ReplicaOptions = {}): RaftState {
  const { self = 1, membership = membershipOf([1, 2, 3]), start = [0, 0], terms = [], memberships = new Map(), config = {} } = options;
  const term = options.term ?? terms.at(-1) ?? start[1];
  return createRaft(
    { ...defaultRaftConfig, seed: 7, ...config, self: asNodeId(self) },
    {
      hardState: { term: asTerm(term), votedFor: options.votedFor ?? 0, commit: asRaftIndex(options.commit ?? start[0]) },
      snapshot: { index: asRaftIndex(start[0]), term: asTerm(start[1]), membership },
      entries: terms.map((entryTerm, position) => {
        const index = asRaftIndex(start[0] + position + 1);
        const found = memberships.get(index);
        return { index, term: asTerm(entryTerm), size: 10, ...(found !== undefined && { membership: found }) };
      }),
      applied: asRaftIndex(start[0]),
      ...(options.floor !== undefined && { floor: { index: asRaftIndex(options.floor[0]), term: asTerm(options.floor[1]) } }),
    },
  );
}

export const take = (raft: RaftState, input: Input<string>): Effects<string> => step(raft, input);

/** The disk catches up with everything that the replica has ordered. */
export const persistAll = (raft: RaftState): Effects<string> => take(raft, { type: 'persisted', token: raft.durability.nextToken - 1 });

export function ticks(raft: RaftState, count: number): Effects<string>[] {
  const from = raft.now ?? 0;
  return Array.from({ length: count }, (_, position) => take(raft, { type: 'tick', now: from + position + 1 }));
}

type Fields<Kind> = Omit<Extract<Message<string>, { kind: Kind }>, 'kind' | 'from' | 'to' | 'term'>;

/** A message from `from` in `term`; the other fields have harmless values unless given. */
export function receive<Kind extends Message<string>['kind']>(
  raft: RaftState,
  kind: Kind,
  from: number,
  term: number,
  fields: { readonly [Name in keyof Fields<Kind>]?: unknown } = {},
): Effects<string> {
  const blanks = {
    index: 0,
    indexTerm: 0,
    commit: 0,
    entries: [],
    hintIndex: 0,
    hintTerm: 0,
    readRound: 0,
    preVote: false,
    transfer: false,
    reject: false,
  };
  const message = { kind, from, to: raft.config.self, term, ...blanks, ...fields } as unknown as Message<string>;
  return take(raft, { type: 'message', message });
}

/** Entries after `index` with the given terms. */
export function entriesAfter(index: number, ...terms: number[]): Entry<string>[] {
  return terms.map((term, position) => ({
    index: asRaftIndex(index + position + 1),
    term: asTerm(term),
    size: 10,
    kind: 'command',
    payload: `${index + position + 1}@${term}`,
  }));
}

/** Elects the replica by the votes of `voters`; returns the effects of the moment it begins to lead. */
export function elect(raft: RaftState, voters: readonly number[] = [2]): Effects<string> {
  const term = raft.term + 1;
  take(raft, { type: 'campaign' });
  for (const voter of voters) receive(raft, 'vote-response', voter, term, { preVote: true });
  let last = persistAll(raft);
  for (const voter of voters) if (raft.role === 'candidate') last = receive(raft, 'vote-response', voter, term);
  if (raft.role !== 'leader') throw new Error(`not elected: ${raft.role}`);
  return last;
}

/** Elects the replica and commits everything it has with the help of `voters`. */
export function lead(raft: RaftState, voters: readonly number[] = [2]): RaftState {
  elect(raft, voters);
  persistAll(raft);
  for (const voter of voters) acknowledge(raft, voter);
  return raft;
}

/** `node` has all of the leader's log durable. */
export function acknowledge(raft: RaftState, node: number, index: number = lastOf(raft)): Effects<string> {
  return receive(raft, 'append-response', node, raft.term, { index });
}

export const lastOf = (raft: RaftState): number => raft.log.start + raft.log.sizes.count;

export const propose = (raft: RaftState, ...sizes: number[]): Effects<string> =>
  take(raft, { type: 'propose', commands: sizes.map((size) => ({ payload: `${size} bytes`, size })) });

export const sent = <Kind extends OutgoingMessage['kind']>(
  effects: Effects<string>,
  kind: Kind,
): Extract<OutgoingMessage, { kind: Kind }>[] =>
  effects.send.filter((message): message is Extract<OutgoingMessage, { kind: Kind }> => message.kind === kind);

export const termsIn = (raft: RaftState): number[] =>
  Array.from({ length: raft.log.sizes.count }, (_, position) => {
    const index = raft.log.start + position + 1;
    return raft.log.runs.findLast(({ first }) => first <= index)!.term;
  });
