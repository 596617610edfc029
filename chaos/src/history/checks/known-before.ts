/**
 * What was known about a log when an operation was invoked: the highest facts among all
 * operations that had completed by then. This is what real-time order means for a log, and it
 * takes one sweep over the operations sorted by time.
 *
 * A reader that was assigned a place may read ahead: what a poll returns may have been fetched at
 * any time since then. It cannot know of a log start that was told later.
 */
import type { Log, Values } from '../log-facts.ts';
import { isPromised, lowestOffset, valuesOf } from '../log-facts.ts';
import type { AssignOperation, OffsetOperation, PollOperation, SendOperation } from '../operations.ts';
import { isPoll, isSend } from '../operations.ts';

export interface Fact {
  /** Exclusive end or inclusive log start; 0 knows nothing. */
  readonly offset: number;
  /** The operation that told; -1 for none. */
  readonly op: number;
}

export interface Known {
  /** Behind everything acknowledged by a quorum (exclusive). */
  acked: Fact;
  /** Behind everything read, and every end told (exclusive). */
  end: Fact;
  logStart: Fact;
}

export type TimedOperation = SendOperation | PollOperation | OffsetOperation;

/** Calls `judge` for each send, poll and offset look-up of the log in order of invocation. */
export function sweep(log: Log, values: Values, judge: (operation: TimedOperation, known: Known) => void): void {
  const polls = log.reads.filter(isPoll);
  const ended = [...log.sends, ...polls, ...log.bounds].filter(({ outcome }) => outcome === 'ok').sort((a, b) => a.to - b.to);
  const operations = [...log.sends, ...log.reads, ...log.bounds];
  operations.sort((a, b) => a.from - b.from);
  const nothing: Fact = { offset: 0, op: -1 };
  const known: Known = { acked: nothing, end: nothing, logStart: nothing };
  /** By process, when it was assigned its place. */
  const logStarts = new Map<string, Fact>();
  let next = 0;
  for (const operation of operations) {
    for (let done = ended[next]; done !== undefined && done.to < operation.from; done = ended[next]) {
      learn(known, done, values);
      next += 1;
    }
    if (isAssign(operation)) logStarts.set(operation.invoke.process, known.logStart);
    else judge(operation, isPoll(operation) ? { ...known, logStart: logStarts.get(operation.invoke.process) ?? known.logStart } : known);
  }
}

const isAssign = (operation: TimedOperation | AssignOperation): operation is AssignOperation =>
  operation.invoke.f === 'assign' || operation.invoke.f === 'seek';

function learn(known: Known, operation: TimedOperation, values: Values): void {
  const { op } = operation.invoke;
  if (isSend(operation)) {
    if (!isPromised(operation)) return;
    // Without idempotence any copy may be the acknowledged one: only the lowest is certain.
    for (const value of valuesOf(values, operation.invoke.op)) {
      known.acked = higher(known.acked, (value.ackOffset ?? lowestOffset(value) ?? -1) + 1, op);
    }
  } else if (isPoll(operation)) {
    const { records = [], highWatermark = 0, logStart = 0 } = operation.ok ?? {};
    let end = highWatermark;
    for (const { offset } of records) end = Math.max(end, offset + 1);
    known.end = higher(known.end, end, op);
    known.logStart = higher(known.logStart, logStart, op);
  } else {
    const offset = operation.ok?.offset ?? 0;
    if (operation.invoke.f === 'end-offset') known.end = higher(known.end, offset, op);
    else known.logStart = higher(known.logStart, offset, op);
  }
}

const higher = (fact: Fact, offset: number, op: number): Fact => (offset > fact.offset ? { offset, op } : fact);
