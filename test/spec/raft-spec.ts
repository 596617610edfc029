/**
 * An executable specification of Raft as this broker uses it: pre-vote, check quorum,
 * joint memberships that follow the log, learners, transfer, snapshots, asynchronous
 * writes, ReadIndex. It does not compute what a replica should do; it says of every
 * transition that was observed whether Raft allows it, and by which rule not.
 *
 * Events come in an order in which a message is never received before it is sent. Many
 * groups may be mixed. Memory is bounded by the logs and by named limits.
 */
import { recover } from './disk.ts';
import { wasSent } from './messages.ts';
import { createGroupModel, type Event, type Group, prune, type Replica } from './model.ts';
import { checkCommit, checkHandOver } from './rules-commit.ts';
import { checkElection, checkTermAndVote } from './rules-election.ts';
import { checkAnswer, checkHardState, checkStatus, checkWrite } from './rules-log.ts';
import { checkMessages, checkReads } from './rules-messages.ts';
import { openStep, type Step, type StepEvent } from './step.ts';
import { takeInput } from './take-input.ts';
import { Broken, must, SpecViolation } from './violation.ts';

export type { Event } from './model.ts';

export interface RaftSpecOptions {
  /** Only this group; all groups if absent. */
  readonly group?: number;
  /**
   * A message that waits for a write must not be seen before the sender's core was told that
   * the write is done. Off for whole hosts: they let the message out first, and seeing it
   * proves the same.
   */
  readonly strict?: boolean;
}

export interface RaftSpec {
  /** Takes a transition; throws SpecViolation if Raft does not allow it. */
  readonly observe: (event: Event) => void;
  /** Whether the event may come next: what it receives was sent. For merging traces. */
  readonly isEnabled: (event: Event) => boolean;
  readonly counts: () => { readonly events: number; readonly commits: number; readonly leaders: number };
}

const recentMax = 12;
const pruneEvery = 4096;

export function createRaftSpec({ group: only, strict = false }: RaftSpecOptions = {}): RaftSpec {
  const groups = new Map<string, Group>();
  const groupOf = (event: Event): Group => {
    const name = `${event.group}.${event.generation}`;
    const known = groups.get(name);
    if (known !== undefined) return known;
    const created = createGroupModel(name, strict);
    groups.set(name, created);
    return created;
  };
  const sum = (value: (group: Group) => number): number => [...groups.values()].reduce((total, each) => total + value(each), 0);
  return {
    observe: (event) => {
      if (only === undefined || event.group === only) observe(groupOf(event), event);
    },
    isEnabled: (event) => event.type !== 'step' || event.input.type !== 'message' || wasSent(groupOf(event), event.input.message),
    counts: () => ({
      events: sum(({ events }) => events),
      commits: sum(({ committedLast }) => committedLast),
      leaders: sum(({ leaders }) => leaders.size),
    }),
  };
}

function observe(group: Group, event: Event): void {
  group.events += 1;
  try {
    if (event.type === 'step') takeStep(group, event);
    else if (event.type === 'recovered') recover(group, replicaOf(group, event.node), event);
    else Object.assign(replicaOf(group, event.node), { damaged: true, running: false });
  } catch (error) {
    if (!(error instanceof Broken)) throw error;
    throw new SpecViolation(error.rule, error.facts, contextOf(group, event));
  }
  group.recent.push(event);
  if (group.recent.length > recentMax) group.recent.shift();
  if (group.events % pruneEvery === 0) prune(group);
}

function takeStep(group: Group, event: StepEvent): void {
  const replica = group.replicas.get(event.node);
  must(replica?.running === true, 'known-replica', () => ({ node: event.node }));
  const step = openStep(group, replica, event);
  takeInput(group, replica, event.input);
  checkTermAndVote(step);
  checkElection(step);
  followRole(step);
  checkWrite(step);
  checkHardState(step);
  checkCommit(step);
  checkHandOver(step);
  checkMessages(step);
  checkReads(step);
  checkAnswer(step);
  checkStatus(step);
}

/** From here on the replica has the role, term and vote that the step gave it. */
function followRole({ replica, status, before, becameLeader }: Step): void {
  const { term, vote, role, leader } = status;
  const isNewRole = role !== before.role || (term as number) !== before.term;
  Object.assign(replica, { term, vote, role, leader });
  if (isNewRole) replica.votes = new Set();
  if (becameLeader) Object.assign(replica, { match: new Map(), echoes: new Map(), reads: new Map(), roundSent: 0 });
}

function replicaOf(group: Group, id: number): Replica {
  const known = group.replicas.get(id);
  if (known !== undefined) return known;
  const log = { start: 0, startTerm: 0, last: 0, runs: [] };
  const created: Replica = {
    id,
    boot: 0,
    running: false,
    damaged: false,
    term: 0,
    vote: 0,
    role: 'follower',
    leader: 0,
    log,
    memberships: [],
    commit: 0,
    handed: 0,
    applied: 0,
    disk: { term: 0, vote: 0, commit: 0, log: { ...log, runs: [] } },
    pending: [],
    ordered: 0,
    reported: 0,
    released: new Map(),
    votes: new Set(),
    match: new Map(),
    reads: new Map(),
    roundSent: 0,
    echoes: new Map(),
  };
  group.replicas.set(id, created);
  return created;
}

function contextOf(group: Group, event: Event): string {
  const brief = (each: Event): string => `  ${JSON.stringify(each, hideBytes).slice(0, eventLengthMax)}`;
  const place = `group ${group.name}, node ${event.node}, event ${group.events}`;
  return [`at ${place}:`, brief(event), 'after:', ...group.recent.map(brief)].join('\n');
}

const eventLengthMax = 1500;

const hideBytes = (_key: string, value: unknown): unknown => (value instanceof Uint8Array ? `${value.byteLength} bytes` : value);
