/**
 * Sorts the operations of a history into logs and values (log-facts.ts).
 *
 * Acknowledged offsets and all reads are evidence, also reads of a single replica: what any
 * of them shows is claimed to be committed.
 */
import type { Findings } from './anomaly.ts';
import { report } from './anomaly.ts';
import type { Log, Value, Values } from './log-facts.ts';
import { copiesMax, createLog, noteOffset, noteSighting } from './log-facts.ts';
import type {
  AssignOperation,
  DescribeOperation,
  OffsetOperation,
  Operation,
  PollOperation,
  SendOperation,
  TopicOperation,
} from './operations.ts';
import { isPoll, isSend } from './operations.ts';
import { livesRead, type ReadOperation } from './lives-read.ts';
import type { TopicLife } from './topic-lives.ts';
import { livesCalled, livesMet, topicLives } from './topic-lives.ts';

export interface History {
  readonly operations: readonly Operation[];
  readonly values: Values;
  readonly logs: readonly Log[];
  readonly polls: readonly PollOperation[];
  readonly topicOperations: ReadonlyMap<string, readonly TopicOperation[]>;
  readonly describes: readonly DescribeOperation[];
  /** Operations that may have met several lives of their topic, so they count for none. */
  readonly unplaced: readonly Operation[];
}

interface Sorted {
  readonly sends: SendOperation[];
  readonly others: ReadOperation[];
  readonly topicOperations: Map<string, TopicOperation[]>;
  readonly describes: DescribeOperation[];
}

interface Gathering {
  readonly found: Findings;
  readonly retention: boolean;
  readonly sorted: Sorted;
  readonly lives: Map<string, readonly TopicLife[]>;
  readonly logs: Map<TopicLife, Map<number, Log>>;
  readonly values: Values;
  readonly unplaced: Operation[];
}

export function gather(operations: readonly Operation[], found: Findings, retention: boolean): History {
  const sorted = sortByKind(operations);
  const gathering: Gathering = {
    found,
    retention,
    sorted,
    lives: new Map(),
    logs: new Map(),
    values: { byId: new Map(), bySend: new Map() },
    unplaced: [],
  };
  for (const send of sorted.sends) placeSend(gathering, send);
  const reads = sorted.others.filter(({ outcome }) => outcome === 'ok');
  const polls = reads.filter(isPoll);
  const { lives, beginnings } = livesRead(reads, { livesOf: (topic) => livesOf(gathering, topic), values: gathering.values.byId });
  for (const operation of reads) placeRead(gathering, operation, lives.get(operation), beginnings.has(operation));
  const logs = [...gathering.logs.values()].flatMap((partitions) => [...partitions.values()]);
  const { values, unplaced } = gathering;
  return { operations, values, logs, polls, topicOperations: sorted.topicOperations, describes: sorted.describes, unplaced };
}

function sortByKind(operations: readonly Operation[]): Sorted {
  const sorted: Sorted = { sends: [], others: [], topicOperations: new Map(), describes: [] };
  for (const operation of operations) {
    const { invoke } = operation;
    if (isSend(operation)) sorted.sends.push(operation);
    else if (invoke.f === 'describe-topics') sorted.describes.push(operation as DescribeOperation);
    else if (invoke.f === 'create-topic' || invoke.f === 'delete-topic') {
      const ofTopic = sorted.topicOperations.get(invoke.topic);
      if (ofTopic === undefined) sorted.topicOperations.set(invoke.topic, [operation as TopicOperation]);
      else ofTopic.push(operation as TopicOperation);
    } else sorted.others.push(operation as PollOperation | AssignOperation | OffsetOperation);
  }
  return sorted;
}

function livesOf(gathering: Gathering, topic: string): readonly TopicLife[] {
  let lives = gathering.lives.get(topic);
  if (lives === undefined) {
    lives = topicLives(topic, gathering.sorted.topicOperations.get(topic) ?? [], gathering.retention);
    gathering.lives.set(topic, lives);
  }
  return lives;
}

function logOf(gathering: Gathering, life: TopicLife, partition: number): Log {
  let partitions = gathering.logs.get(life);
  if (partitions === undefined) {
    partitions = new Map();
    gathering.logs.set(life, partitions);
  }
  let log = partitions.get(partition);
  if (log === undefined) {
    log = createLog(life, partition);
    partitions.set(partition, log);
  }
  return log;
}

function placeSend(gathering: Gathering, send: SendOperation): void {
  const { invoke } = send;
  const met = livesSentTo(gathering, send);
  const life = met.length === 1 ? met[0] : undefined;
  const log = life === undefined ? undefined : logOf(gathering, life, invoke.partition);
  if (log === undefined && send.outcome !== 'fail') {
    gathering.unplaced.push(send);
    for (const other of met) logOf(gathering, other, invoke.partition).maybeRecords += invoke.records.length * copiesMax(send);
  } else log?.sends.push(send);
  checkShape(gathering, send);
  const { byId, bySend } = gathering.values;
  const values = invoke.records.map((record, index): Value => {
    if (byId.has(record.id)) malformed(gathering, send, `value ${record.id} was sent before`);
    const ackOffset = send.ok?.offsets?.[index] ?? undefined;
    const offsets = ackOffset === undefined ? [] : [ackOffset];
    if (log !== undefined && ackOffset !== undefined) noteSighting(log, ackOffset, record.id, record.fingerprint, invoke.op);
    const value: Value = { record, send, index, log, ackOffset, offsets, firstRead: undefined, lastDrained: -1 };
    byId.set(record.id, value);
    return value;
  });
  bySend.set(invoke.op, values);
}

/** The lives whose log may hold the records. */
function livesSentTo(gathering: Gathering, send: SendOperation): readonly TopicLife[] {
  const lives = livesOf(gathering, send.invoke.topic);
  const met = livesMet(lives, send);
  const told = send.ok?.incarnation;
  return told === undefined || lives.length === 1 ? met : livesCalled(met, told);
}

function checkShape(gathering: Gathering, send: SendOperation): void {
  const { invoke, ok, notOk } = send;
  const sum = (ok ?? notOk)?.batches?.reduce((total, size) => total + size, 0);
  if (sum !== undefined && sum !== invoke.records.length) malformed(gathering, send, 'its batches do not hold its records');
  if (ok?.offsets !== undefined && ok.offsets.length !== invoke.records.length)
    malformed(gathering, send, 'an offset per record is wanted');
}

function placeRead(gathering: Gathering, operation: ReadOperation, life: TopicLife | undefined, isBeginning: boolean): void {
  const { invoke } = operation;
  const source = 'source' in invoke ? invoke.source : undefined;
  if (source === 'replica' && invoke.node === undefined) malformed(gathering, operation, 'a read of a replica names no node');
  if (life === undefined) {
    gathering.unplaced.push(operation);
    return;
  }
  const log = logOf(gathering, life, invoke.partition);
  if (isBeginning) log.beginnings.add(operation);
  if (isPoll(operation)) notePoll(gathering, log, operation);
  else if (invoke.f === 'assign' || invoke.f === 'seek') log.reads.push(operation as AssignOperation);
  else noteBound(log, operation as OffsetOperation);
}

function notePoll(gathering: Gathering, log: Log, poll: PollOperation): void {
  log.reads.push(poll);
  const { invoke, ok } = poll;
  log.logStartMax = Math.max(log.logStartMax, ok?.logStart ?? 0);
  for (const { offset, id, fingerprint } of ok?.records ?? []) {
    noteSighting(log, offset, id, fingerprint, invoke.op);
    const value = gathering.values.byId.get(id);
    if (value === undefined) continue;
    if (value.log === undefined && value.send.invoke.topic === log.topic && value.send.invoke.partition === log.partition) value.log = log;
    if (value.log !== log) continue;
    noteOffset(value, offset);
    value.firstRead ??= poll;
    if (invoke.source === 'drain') value.lastDrained = poll.from;
  }
}

function noteBound(log: Log, operation: OffsetOperation): void {
  log.bounds.push(operation);
  if (operation.invoke.f === 'start-offset') log.logStartMax = Math.max(log.logStartMax, operation.ok?.offset ?? 0);
}

function malformed(gathering: Gathering, { invoke }: Operation, why: string): void {
  report(gathering.found, 'malformed-history', `process ${invoke.process}`, [invoke.op], () => `${invoke.f}: ${why}`);
}
