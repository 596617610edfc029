/**
 * Whether the ends and log starts that are told can be true at all (I-S9, I-S12): no record
 * at or above the watermark of its own answer, no end above the number of records that can be
 * in the log by then (offsets are contiguous from 0), no log start above the end, and none
 * above 0 where nothing removes records. Judged for every source, replicas included.
 */
import type { Findings } from '../anomaly.ts';
import { report } from '../anomaly.ts';
import type { Log } from '../log-facts.ts';
import { copiesMax } from '../log-facts.ts';
import type { OffsetOperation, PollOperation } from '../operations.ts';
import { isPoll } from '../operations.ts';
import { boundsTold } from './real-time.ts';

export function checkBounds(log: Log, found: Findings): void {
  const appended = appendedBefore(log);
  const judge = (operation: PollOperation | OffsetOperation): void => {
    const { end, logStart } = boundsTold(operation);
    const { op } = operation.invoke;
    const possible = appended(operation.to);
    if (end !== undefined && end > possible) {
      report(found, 'end-offset-ahead', log.name, [op], () => `an end of ${end} was told, at most ${possible} records had been sent`);
    }
    if (logStart === undefined) return;
    const highest = end ?? possible;
    if (logStart > highest) report(found, 'log-start-beyond-end', log.name, [op], () => `log start ${logStart}, end ${highest}`);
    if (logStart > 0 && !log.life.retention) {
      report(found, 'unexpected-log-start', log.name, [op], () => `a log start of ${logStart} was told, nothing may be removed`);
    }
  };
  for (const operation of log.reads) {
    if (!isPoll(operation)) continue;
    checkWatermark(log, operation, found);
    judge(operation);
  }
  for (const bound of log.bounds) judge(bound);
}

function checkWatermark(log: Log, { invoke, ok }: PollOperation, found: Findings): void {
  if (ok?.highWatermark === undefined) return;
  const { highWatermark, records } = ok;
  const above = records.find(({ offset }) => offset >= highWatermark);
  if (above === undefined) return;
  report(found, 'read-above-watermark', log.name, [invoke.op], () => `offset ${above.offset}, high watermark ${highWatermark}`);
}

/** How many records can have been appended by operations invoked before a position. */
function appendedBefore(log: Log): (position: number) => number {
  const positions: number[] = [];
  const totals: number[] = [];
  let total = log.maybeRecords;
  for (const send of log.sends) {
    if (send.outcome === 'fail') continue;
    total += send.invoke.records.length * copiesMax(send);
    positions.push(send.from);
    totals.push(total);
  }
  return (position) => {
    let low = 0;
    let high = positions.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((positions[middle] ?? Infinity) < position) low = middle + 1;
      else high = middle;
    }
    return totals[low - 1] ?? log.maybeRecords;
  };
}
