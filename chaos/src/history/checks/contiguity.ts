/**
 * Whether a reader gets every offset once and in order (I-S10): inside one answer, from one
 * answer to the next, and from the assigned offset on. All acks classes are promised this.
 *
 * A reader may pass over what retention removed: up to the log start that its own answer tells,
 * or, if the answer tells none, up to the highest log start that anybody was told.
 */
import type { Anomaly, Findings } from '../anomaly.ts';
import { report } from '../anomaly.ts';
import type { Log } from '../log-facts.ts';
import type { PollOperation } from '../operations.ts';
import { isPoll } from '../operations.ts';

interface Position {
  /** The offset that comes next. */
  readonly next: number;
  /** The operation that made it so. */
  readonly op: number;
}

export function checkContiguity(log: Log, found: Findings): void {
  const positions = new Map<string, Position>();
  for (const operation of log.reads) {
    const { process, op } = operation.invoke;
    if (log.beginnings.has(operation)) positions.delete(process);
    const next = isPoll(operation) ? checkPoll(operation, { log, position: positions.get(process), found }) : operation.invoke.offset;
    if (next !== undefined) positions.set(process, { next, op });
  }
}

/** Of an answer whose life of the topic is not known: it must not go back. */
export function checkUnplacedPoll(poll: PollOperation, found: Findings): void {
  checkPoll(poll, { log: undefined, position: undefined, found });
}

interface Judging {
  readonly log: Log | undefined;
  readonly position: Position | undefined;
  readonly found: Findings;
}

/** The offset that comes next; undefined if the answer is empty. */
function checkPoll({ invoke, ok }: PollOperation, { log, position, found }: Judging): number | undefined {
  const { op, topic, partition } = invoke;
  const name = log?.name ?? `${topic}/${partition}`;
  const mayPass = log === undefined ? Infinity : log.life.retention ? (ok?.logStart ?? log.logStartMax) : 0;
  let next: number | undefined;
  for (const { offset } of ok?.records ?? []) {
    const wanted = next ?? position?.next ?? offset;
    if (offset < wanted || (offset > wanted && offset > mayPass)) {
      const isFirst = next === undefined;
      const anomaly = anomalyOf(isFirst, offset > wanted);
      const operations = isFirst && position !== undefined ? [position.op, op] : [op];
      report(found, anomaly, name, operations, () => `offset ${offset} came where ${wanted} was next`);
    }
    next = offset + 1;
  }
  return next;
}

function anomalyOf(isFirst: boolean, isSkip: boolean): Anomaly {
  if (isFirst) return isSkip ? 'poll-skip' : 'nonmonotonic-poll';
  return isSkip ? 'int-poll-skip' : 'int-nonmonotonic-poll';
}
