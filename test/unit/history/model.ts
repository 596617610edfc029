/**
 * A broker of a few lines that is right by construction, and clients that record what it does:
 * pipelined sends of all classes with retries, unknown outcomes and lost weak acks; readers,
 * lagging replicas, retention, and a topic that is deleted and created again.
 *
 * A command is three small numbers, so that fast-check can shrink a run.
 */
import type { Acks, HistoryEvent } from '@balsa/chaos/history/event.ts';
import type { HistoryRecorder, Invocation } from '@balsa/chaos/history/recorder.ts';
import { createHistory } from '@balsa/chaos/history/recorder.ts';

export type Command = readonly [kind: number, a: number, b: number];
export const commandKinds = 16;
export const nodes = [1, 2, 3] as const;

interface Stored {
  readonly id: number;
  readonly fingerprint: number;
}

interface ModelLog {
  readonly topic: string;
  readonly incarnation: string;
  readonly partition: number;
  readonly records: Stored[];
  logStart: number;
  alive: boolean;
}

interface ModelSend {
  readonly op: number;
  readonly log: ModelLog;
  readonly session: number;
  readonly records: readonly Stored[];
  readonly offsets: number[];
  copies: number;
  isOpen: boolean;
}

interface Model {
  readonly history: HistoryRecorder;
  logs: ModelLog[];
  /** The last deleted life, as long as somebody may still answer for it. */
  stale: ModelLog | undefined;
  /** Sends that are not settled. */
  readonly open: ModelSend[];
  /** By session: sends not yet appended, in order. */
  readonly queues: ModelSend[][];
  /** How many processes each session used up. */
  readonly processes: number[];
  readonly polls: { readonly op: number; readonly reader: number; readonly log: ModelLog }[];
  readonly bounds: { readonly op: number; readonly f: 'end-offset' | 'start-offset'; readonly log: ModelLog }[];
  /** By reader: its log and next offset. */
  readonly readers: ({ readonly log: ModelLog; next: number } | undefined)[];
  lives: number;
  fresh: number;
  nextId: number;
}

const sessions: readonly { readonly acks: Acks; readonly idempotent: boolean }[] = [
  { acks: 'quorum', idempotent: true },
  { acks: 'quorum', idempotent: true },
  { acks: 'quorum', idempotent: true },
  { acks: 'leader', idempotent: true },
  { acks: 'none', idempotent: true },
  { acks: 'quorum', idempotent: false },
];
const readersMax = 3;
export const fingerprintOf = (id: number): number => (id * 2654435761) % 4294967296;

export function runModel(commands: readonly Command[]): HistoryEvent[] {
  let now = 0;
  const model: Model = {
    history: createHistory(() => (now += 7)),
    logs: [],
    stale: undefined,
    open: [],
    queues: sessions.map(() => []),
    processes: sessions.map(() => 0),
    polls: [],
    bounds: [],
    readers: Array.from({ length: readersMax }, () => undefined),
    lives: 0,
    fresh: 0,
    nextId: 1,
  };
  createTopic(model, 't', 2, false);
  createTopic(model, 'r', 1, true);
  createTopic(model, 'd', 1, false);
  for (const command of commands) perform(model, command);
  finish(model);
  return [...model.history];
}

function perform(model: Model, [kind, a, b]: Command): void {
  switch (kind) {
    case 0:
    case 1:
    case 2:
      return send(model, a, b);
    case 3:
    case 4:
    case 5:
      return append(model, a, b);
    case 6:
    case 7:
      return settle(model, a, b);
    case 8:
      return beginPoll(model, a, b);
    case 9:
    case 10:
      return endPoll(model, a, b);
    case 11:
      return beginBound(model, a, b);
    case 12:
      return endBound(model, a);
    case 13:
      return trim(model, b);
    case 14:
      return b % 4 === 0 ? recreate(model) : describe(model);
    default:
      return readReplica(model, a, b);
  }
}

const pick = <T>(list: readonly T[], n: number): T | undefined => list[n % list.length];
const freshProcess = (model: Model): string => `fresh-${(model.fresh += 1)}`;

function act(model: Model, invocation: Invocation, result: Record<string, unknown>): void {
  const op = model.history.invoke(invocation);
  model.history.complete(op, { type: 'ok', ...result } as Parameters<HistoryRecorder['complete']>[1]);
}

function createTopic(model: Model, topic: string, partitions: number, retention: boolean): void {
  const incarnation = `life-${(model.lives += 1)}`;
  act(model, { f: 'create-topic', process: freshProcess(model), topic, retention }, { incarnation });
  for (let partition = 0; partition < partitions; partition += 1) {
    model.logs.push({ topic, incarnation, partition, records: [], logStart: 0, alive: true });
  }
}

function send(model: Model, a: number, b: number): void {
  const session = b % sessions.length;
  const { acks, idempotent } = sessions[session]!;
  // A session keeps to one partition.
  const log = atStale(model, pick(model.logs, session + (session === 0 ? a : 0))!, a);
  const records = Array.from({ length: 1 + (a % 3) }, () => {
    const id = model.nextId++;
    return { id, fingerprint: fingerprintOf(id) };
  });
  const process = `producer-${session}-${model.processes[session]}`;
  const { topic, partition } = log;
  const op = model.history.invoke({ f: 'send', process, session: `s${session}`, topic, partition, acks, idempotent, records });
  const one = { op, log, session, records, offsets: [], copies: 0, isOpen: true };
  model.open.push(one);
  model.queues[session]!.push(one);
}

/** Some brokers do not know yet that a topic was deleted and created again. */
const atStale = (model: Model, log: ModelLog, a: number): ModelLog => (log.topic === 'd' && a % 4 === 1 ? (model.stale ?? log) : log);

/** Appends the oldest of a session, or loses it if its client no longer waits. */
function append(model: Model, a: number, b: number): void {
  const queue = pick(model.queues, b)!;
  const [one] = queue;
  if (one === undefined) return;
  const isLost = !one.log.alive || (!one.isOpen && a % 2 === 0);
  if (!isLost) {
    const base = one.log.records.length;
    one.log.records.push(...one.records);
    if (one.copies === 0) one.offsets.push(...one.records.map((_, index) => base + index));
    one.copies += 1;
    // Without idempotence the client may try once more.
    if (!sessions[one.session]!.idempotent && one.isOpen && one.copies === 1 && a % 3 === 0) return;
  } else if (one.isOpen) return;
  queue.shift();
}

function settle(model: Model, a: number, b: number): void {
  const one = pick(model.open, a);
  if (one === undefined) return;
  model.open.splice(model.open.indexOf(one), 1);
  one.isOpen = false;
  const { acks, idempotent } = sessions[one.session]!;
  const facts = { batches: [one.records.length], ...(idempotent ? {} : { attempts: 2 }) };
  const { incarnation } = one.log;
  const queue = model.queues[one.session]!;
  const isAppended = one.copies > 0;
  if (b % 5 === 0 || (!isAppended && acks === 'quorum' && b % 2 === 0)) {
    model.history.complete(one.op, { type: 'info', error: 'TIMEOUT', ...facts });
    model.processes[one.session]! += 1;
  } else if (isAppended && acks === 'quorum') {
    const offsets = b % 4 === 0 ? one.offsets.map(() => null) : one.offsets;
    model.history.complete(one.op, { type: 'ok', offsets, incarnation, ...facts });
  } else if (acks !== 'quorum' && (isAppended || b % 3 > 0)) {
    model.history.complete(one.op, { type: 'ok', ...(isAppended ? { incarnation } : {}), ...facts });
  } else if (!isAppended) {
    const place = queue.indexOf(one);
    if (place >= 0) queue.splice(place, 1);
    model.history.complete(one.op, { type: 'fail', error: 'NOT_LEADER' });
  }
}

function assign(model: Model, reader: number, log: ModelLog): void {
  const { topic, partition, logStart } = log;
  act(model, { f: 'assign', process: `reader-${reader}`, topic, partition, offset: logStart }, {});
  model.readers[reader] = { log, next: logStart };
}

function beginPoll(model: Model, a: number, b: number): void {
  const reader = b % readersMax;
  if (model.polls.some((poll) => poll.reader === reader)) return;
  const at = model.readers[reader];
  if (at === undefined || !at.log.alive || at.next < at.log.logStart || a % 7 === 0)
    assign(model, reader, atStale(model, pick(model.logs, a)!, b));
  const { log } = model.readers[reader]!;
  const { topic, partition } = log;
  model.polls.push({ op: model.history.invoke({ f: 'poll', process: `reader-${reader}`, topic, partition }), reader, log });
}

function endPoll(model: Model, a: number, b: number): void {
  const poll = pick(model.polls, b);
  if (poll === undefined) return;
  model.polls.splice(model.polls.indexOf(poll), 1);
  const at = model.readers[poll.reader]!;
  if (!poll.log.alive || at.next < poll.log.logStart) {
    model.history.complete(poll.op, { type: 'fail', error: 'OFFSET_OUT_OF_RANGE' });
    return;
  }
  const records = recordsOf(poll.log, at.next, a % 6);
  at.next += records.length;
  const { logStart } = poll.log;
  model.history.complete(poll.op, { type: 'ok', records, highWatermark: poll.log.records.length, logStart });
}

const recordsOf = (log: ModelLog, from: number, count: number) =>
  log.records.slice(from, from + count).map((record, index) => ({ offset: from + index, ...record }));

function beginBound(model: Model, a: number, b: number): void {
  const f = b % 2 === 0 ? 'end-offset' : 'start-offset';
  const log = atStale(model, pick(model.logs, a)!, b >> 1);
  const { topic, partition } = log;
  model.bounds.push({ op: model.history.invoke({ f, process: freshProcess(model), topic, partition }), f, log });
}

function endBound(model: Model, a: number): void {
  const bound = pick(model.bounds, a);
  if (bound === undefined) return;
  model.bounds.splice(model.bounds.indexOf(bound), 1);
  if (bound.log.alive) {
    const offset = bound.f === 'end-offset' ? bound.log.records.length : bound.log.logStart;
    model.history.complete(bound.op, { type: 'ok', offset });
  } else model.history.complete(bound.op, { type: 'fail', error: 'UNKNOWN_TOPIC' });
}

function trim(model: Model, b: number): void {
  const log = model.logs.find(({ topic }) => topic === 'r')!;
  log.logStart += Math.min(b % 3, log.records.length - log.logStart);
}

function recreate(model: Model): void {
  forget(model);
  act(model, { f: 'delete-topic', process: freshProcess(model), topic: 'd' }, {});
  model.stale = model.logs.find(({ topic }) => topic === 'd');
  model.logs = model.logs.filter(({ topic }) => topic !== 'd');
  describe(model);
  createTopic(model, 'd', 1, false);
}

/** Now everybody knows of the last deletion. */
function forget(model: Model): void {
  if (model.stale !== undefined) model.stale.alive = false;
  model.stale = undefined;
}

function describe(model: Model): void {
  const exists = model.logs.some(({ topic }) => topic === 'd');
  const topics = exists ? [{ name: 'd', incarnation: `life-${model.lives}` }] : [];
  act(model, { f: 'describe-topics', process: freshProcess(model), linearizable: true, topics: ['d'] }, { topics });
}

/** A replica that lags by up to three records. */
function readReplica(model: Model, a: number, b: number): void {
  const log = pick(model.logs, a)!;
  const highWatermark = Math.max(log.logStart, log.records.length - (b % 4));
  readAll(model, log, { source: 'replica', node: pick(nodes, b)! }, highWatermark, 50);
}

function readAll(
  model: Model,
  log: ModelLog,
  who: { readonly source: 'drain' | 'replica'; readonly node?: number },
  highWatermark: number,
  size: number,
): void {
  const process = freshProcess(model);
  const { topic, partition, logStart } = log;
  act(model, { f: 'assign', process, topic, partition, offset: logStart }, {});
  let next = logStart;
  do {
    const records = recordsOf(log, next, Math.min(size, highWatermark - next));
    act(model, { f: 'poll', process, topic, partition, ...who }, { records, highWatermark, logStart });
    next += records.length;
  } while (next < highWatermark);
}

function finish(model: Model): void {
  // What is under way ends first.
  forget(model);
  for (let n = 0; model.open.length > 0; n += 1) settle(model, 0, n);
  while (model.polls.length > 0) endPoll(model, 3, 0);
  while (model.bounds.length > 0) endBound(model, 0);
  for (const log of model.logs) {
    readAll(model, log, { source: 'drain' }, log.records.length, 8);
    for (const node of nodes) readAll(model, log, { source: 'replica', node }, log.records.length, 20);
  }
}
