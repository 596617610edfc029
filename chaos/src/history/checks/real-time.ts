/**
 * Whether the log respects real time (I-S8, I-S9, the log fast path): with A < B for "A ended
 * before B began",
 *  - acknowledged A < send B: A stands before B;
 *  - read of A, or end that covers A, < send B: likewise;
 *  - acknowledged or read A, or end R1, < end R2: R2 covers A and is not lower than R1;
 *  - log start L1 < log start L2: L2 is not lower; L1 < poll (and < the assignment of a reader that
 *    may read ahead): nothing below L1 is returned.
 *
 * "Acknowledged" means by a quorum; B may be of any class, and of unknown outcome if it is
 * known to be in the log. Ends and log starts that a replica tells of itself may be old, so
 * they count as knowledge but are not judged.
 */
import type { Findings } from '../anomaly.ts';
import { report } from '../anomaly.ts';
import type { Log, Values } from '../log-facts.ts';
import { lowestOffset, valuesOf } from '../log-facts.ts';
import type { OffsetOperation, PollOperation, SendOperation } from '../operations.ts';
import { isPoll, isSend } from '../operations.ts';
import type { Fact, Known, TimedOperation } from './known-before.ts';

/** For one operation of a sweep (known-before.ts). */
export function checkRealTime(log: Log, operation: TimedOperation, known: Known, values: Values, found: Findings): void {
  if (isSend(operation)) judgeSend(log, operation, known, values, found);
  else if (operation.invoke.source !== 'replica') judgeRead(log, operation, known, found);
}

function judgeSend(log: Log, { invoke }: SendOperation, { acked, end }: Known, values: Values, found: Findings): void {
  let lowest = Infinity;
  for (const value of valuesOf(values, invoke.op)) if (value.log === log) lowest = Math.min(lowest, lowestOffset(value) ?? Infinity);
  const judge = (anomaly: 'realtime-order' | 'append-below-end', { offset, op }: Fact): boolean => {
    if (lowest >= offset) return false;
    report(found, anomaly, log.name, [op, invoke.op], () => `appended at ${lowest}, though the end was known to be ${offset}`);
    return true;
  };
  if (!judge('realtime-order', acked)) judge('append-below-end', end);
}

function judgeRead(log: Log, operation: Exclude<TimedOperation, SendOperation>, known: Known, found: Findings): void {
  const { op } = operation.invoke;
  const { end, logStart } = boundsTold(operation);
  const least = known.acked.offset > known.end.offset ? known.acked : known.end;
  if (end !== undefined && end < least.offset) {
    report(found, 'stale-end-offset', log.name, [least.op, op], () => `an end of ${end} was told, ${least.offset} was known before`);
  }
  const start = known.logStart;
  if (logStart !== undefined && logStart < start.offset) {
    report(found, 'log-start-regression', log.name, [start.op, op], () => `a log start of ${logStart} was told after ${start.offset}`);
  }
  if (!isPoll(operation)) return;
  const below = operation.ok?.records.find(({ offset }) => offset < start.offset);
  if (below === undefined) return;
  report(
    found,
    'read-below-log-start',
    log.name,
    [start.op, op],
    () => `offset ${below.offset} was read, the log start was ${start.offset}`,
  );
}

/** The exclusive end and the log start that an answer tells. */
export function boundsTold(operation: PollOperation | OffsetOperation): {
  readonly end: number | undefined;
  readonly logStart: number | undefined;
} {
  if (isPoll(operation)) return { end: operation.ok?.highWatermark, logStart: operation.ok?.logStart };
  const offset = operation.ok?.offset;
  return operation.invoke.f === 'end-offset' ? { end: offset, logStart: undefined } : { end: undefined, logStart: offset };
}
