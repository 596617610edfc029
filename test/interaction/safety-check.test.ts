/**
 * The judge of the scripts must be able to say no. Each case lets a healthy cluster
 * run, then tells the judge of one thing that must never happen, or falsifies one
 * store behind the core's back.
 */
import { asNodeId, asRaftIndex, asTerm } from '@balsa/node/core/ids.ts';
import type { Entry } from '@balsa/node/core/raft/entry.ts';
import { describe, expect, test } from 'vitest';
import { commands } from './commands/index.ts';
import { judge } from './harness/checks/safety-check.ts';
import type { Happening } from './harness/happening.ts';
import { createSession, runBlock, type Session } from './session.ts';

const one = asNodeId(1);
const two = asNodeId(2);
const term = asTerm(1);
const index = (value: number): ReturnType<typeof asRaftIndex> => asRaftIndex(value);
const command = (at: number, inTerm: number, payload: string): Entry<string> => {
  return { index: index(at), term: asTerm(inTerm), kind: 'command', payload, size: payload.length };
};

/** Three nodes, node 1 leads term 1, and 1@1 noop, 2@1 "a" are committed everywhere. */
function healthy(): Session {
  const session = createSession();
  runBlock(session, commands, ['add-nodes 1 2 3', 'campaign 1', 'stabilize', 'propose 1 a', 'stabilize']);
  expect(session.check.violations).toEqual([]);
  return session;
}

const storeOf = (session: Session, node: typeof one) => session.cluster.replicas.get(node)!.store;

interface Case {
  readonly invariant: string;
  readonly name: string;
  readonly falsify?: (session: Session) => void;
  readonly happening: Happening;
}

const response = { kind: 'append-response', to: one, hintIndex: index(0), hintTerm: asTerm(0), term, from: two } as const;

const cases: readonly Case[] = [
  {
    invariant: 'I-R1',
    name: 'a second leader of a term',
    happening: { type: 'role', node: two, role: 'leader', leader: two, term },
  },
  {
    invariant: 'I-R2',
    name: 'another entry of the same index and term',
    happening: { type: 'write', node: two, write: { token: 9, entries: [command(2, 1, 'b')] } },
  },
  {
    invariant: 'I-R3',
    name: 'a leader that lacks a committed entry',
    falsify: (session) => storeOf(session, two).view.entries.pop(),
    happening: { type: 'role', node: two, role: 'leader', leader: two, term: asTerm(2) },
  },
  {
    invariant: 'I-R4',
    name: 'an applied entry that was not committed',
    happening: { type: 'applied', node: two, entries: [command(2, 2, 'b')], state: 'b' },
  },
  {
    invariant: 'I-R5',
    name: 'a write that cuts what is committed',
    happening: { type: 'write', node: two, write: { token: 9, entries: [command(2, 2, 'b')] } },
  },
  {
    invariant: 'I-R5',
    name: 'a term that goes back',
    happening: {
      type: 'write',
      node: two,
      write: { token: 9, entries: [], hardState: { term: asTerm(0), votedFor: 0, commit: index(2) } },
    },
  },
  {
    invariant: 'I-R6',
    name: 'a vote that is not on disk',
    happening: {
      type: 'sent',
      lost: false,
      message: { kind: 'vote-response', from: two, to: one, term: asTerm(7), preVote: false, reject: false },
    },
  },
  {
    invariant: 'I-R6',
    name: 'two votes in a term',
    happening: {
      type: 'sent',
      lost: false,
      message: { kind: 'vote-response', from: two, to: asNodeId(3), term, preVote: false, reject: false },
    },
  },
  {
    invariant: 'I-R7',
    name: 'an acknowledgement beyond the disk',
    happening: { type: 'sent', lost: false, message: { ...response, reject: false, index: index(3) } },
  },
  {
    invariant: 'I-R7',
    name: 'an acknowledgement of another entry than the leader has',
    falsify: (session) => storeOf(session, two).durable.entries.splice(1, 1, command(2, 0, 'x')),
    happening: { type: 'sent', lost: false, message: { ...response, reject: false, index: index(2) } },
  },
  {
    invariant: 'I-R8',
    name: 'a machine in another state',
    happening: { type: 'applied', node: two, entries: [command(2, 1, 'a')], state: 'something else' },
  },
  {
    invariant: 'I-R8',
    name: 'entries handed over beyond the disk',
    happening: { type: 'committed', node: two, first: index(3), last: index(3) },
  },
  {
    invariant: 'I-R9',
    name: 'a membership without a common majority',
    happening: {
      type: 'write',
      node: two,
      write: {
        token: 9,
        entries: [
          {
            index: index(3),
            term,
            size: 1,
            kind: 'membership',
            membership: { voters: [one], outgoing: [], learners: [], learnersNext: [], autoLeave: false },
          },
        ],
      },
    },
  },
  {
    invariant: 'I-S9',
    name: 'a read below what was committed when it came',
    falsify: (session) => judge(session.check, { type: 'asked', node: one, context: 7 }),
    happening: { type: 'read', node: one, context: 7, index: index(1) },
  },
];

describe('safety check', () => {
  test.each(cases)('$invariant notices $name', ({ invariant, falsify, happening }) => {
    const session = healthy();
    falsify?.(session);
    judge(session.check, happening);
    expect(session.check.violations.map((violation) => violation.split(' ')[0])).toContain(invariant);
  });

  test('I-R7 notices a commit that no majority has on disk', () => {
    const session = healthy();
    runBlock(session, commands, ['auto-persist off', 'propose 1 b', 'deliver to=2', 'persist 2']);
    // The acknowledgement of 2 makes a majority with 1, unless the disk of 2 lied.
    runBlock(session, commands, ['persist 1']);
    storeOf(session, two).durable.entries.pop();
    runBlock(session, commands, ['deliver to=1']);
    expect(session.check.violations.join()).toMatch(/I-R7 1 commits 3@1, on disk only at 1 of 1,2,3/);
  });
});
