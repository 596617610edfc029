/**
 * What the history says about each log, a log being one partition in one life of its topic:
 * which value was seen at which offset, by whom, and what became of every value that was sent.
 * Only facts are gathered here; the checks in `checks/` judge them.
 */
import type { SentRecord } from './event.ts';
import type { AssignOperation, OffsetOperation, Operation, PollOperation, SendOperation } from './operations.ts';
import type { TopicLife } from './topic-lives.ts';

/** A value of a send. */
export interface Value {
  readonly record: SentRecord;
  readonly send: SendOperation;
  /** Place within its send, from 0. */
  readonly index: number;
  /** Where it belongs; undefined as long as several lives of the topic are possible. */
  log: Log | undefined;
  /** Offset of the acknowledgement; undefined if none was told. */
  ackOffset: number | undefined;
  /** Offsets at which it was acknowledged or read, each once, in the order of the evidence. */
  readonly offsets: number[];
  /** The first read that returned it, from the log where it belongs. */
  firstRead: PollOperation | undefined;
  /** Position of the invocation of the last drain poll that returned it; -1 if none did. */
  lastDrained: number;
}

export interface Values {
  readonly byId: Map<number, Value>;
  /** By operation id. */
  readonly bySend: Map<number, readonly Value[]>;
}

/** Something claimed about an offset, by an acknowledgement or a read. */
export interface Sighting {
  readonly id: number;
  /** Of the first claim that told one. */
  fingerprint: number | undefined;
  readonly by: number;
}

export interface OffsetFacts extends Sighting {
  /** Claims that differ from the first, in value or fingerprint. */
  readonly others: Sighting[];
}

export interface Log {
  readonly topic: string;
  readonly partition: number;
  readonly life: TopicLife;
  /** For reports. */
  readonly name: string;
  /** Each in order of invocation; reads that failed or have no answer are left out. */
  readonly sends: SendOperation[];
  readonly reads: (PollOperation | AssignOperation)[];
  /** Those of `reads` that need not continue what their reader read before (lives-read.ts). */
  readonly beginnings: Set<Operation>;
  readonly bounds: OffsetOperation[];
  /** By offset. */
  readonly offsets: Map<number, OffsetFacts>;
  /** Highest log start that anybody was told; 0 if none. */
  logStartMax: number;
  /** Records of sends that may have gone to this log or to another life of the topic. */
  maybeRecords: number;
}

export function createLog(life: TopicLife, partition: number): Log {
  const name = life.number === 0 ? `${life.topic}/${partition}` : `${life.topic}/${partition} (life ${life.number})`;
  return {
    topic: life.topic,
    partition,
    life,
    name,
    sends: [],
    reads: [],
    beginnings: new Set(),
    bounds: [],
    offsets: new Map(),
    logStartMax: 0,
    maybeRecords: 0,
  };
}

/** How many copies of a record the log may hold: one, or without idempotence one per attempt. */
export function copiesMax({ invoke, ok, notOk }: SendOperation): number {
  return invoke.idempotent ? 1 : ((ok ?? notOk)?.attempts ?? 1);
}

/** Whether the loss of these records would break a promise: acknowledged by a quorum. */
export function isPromised({ invoke, outcome }: SendOperation): boolean {
  return outcome === 'ok' && invoke.acks === 'quorum';
}

/** Notes that `id` was seen at `offset`. */
export function noteSighting(log: Log, offset: number, id: number, fingerprint: number | undefined, by: number): void {
  const facts = log.offsets.get(offset);
  if (facts === undefined) {
    log.offsets.set(offset, { id, fingerprint, by, others: [] });
    return;
  }
  const same = facts.id === id ? facts : facts.others.find((other) => other.id === id);
  if (same !== undefined) same.fingerprint ??= fingerprint;
  const agrees = (seen: Sighting): boolean => seen.id === id && (seen.fingerprint === fingerprint || fingerprint === undefined);
  if (agrees(facts) || facts.others.some(agrees)) return;
  facts.others.push({ id, fingerprint, by });
}

export function noteOffset(value: Value, offset: number): void {
  if (!value.offsets.includes(offset)) value.offsets.push(offset);
}

/** Values of a send, in its order. */
export function valuesOf(values: Values, op: number): readonly Value[] {
  return values.bySend.get(op) ?? [];
}

/** The lowest offset at which any evidence shows the value. */
export function lowestOffset({ offsets }: Value): number | undefined {
  return offsets.length < 2 ? offsets[0] : Math.min(...offsets);
}
