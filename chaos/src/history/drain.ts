/**
 * What the drains of a log covered. A pass begins where a process with source 'drain' or
 * 'replica' was assigned and takes what its polls return one after another; the last
 * complete pass over the leader's log is *the final log*.
 *
 * A pass is complete if it began at the log start and reached the high watermark that its
 * last poll was told. Without reported watermarks it has to reach the highest offset that
 * anybody ever saw.
 */
import type { Log } from './log-facts.ts';
import type { PollOperation } from './operations.ts';
import { isPoll } from './operations.ts';

export interface Pass {
  readonly process: string;
  /** The replica that was read; undefined for reads through the leader. */
  readonly node: number | undefined;
  /** Position of the invocation of its first poll. */
  readonly from: number;
  /** First offset that was wanted (inclusive). */
  readonly start: number;
  /** Behind the highest offset returned (exclusive); `start` if nothing was. */
  end: number;
  /** Position of the invocation of its last poll, and that poll. */
  lastFrom: number;
  lastOp: number;
  /** Last ones told; undefined if none was. */
  highWatermark: number | undefined;
  logStart: number | undefined;
  /** Offsets between `start` and `end` that were not returned: exact number, and the first of them. */
  missing: number;
  firstMissing: number | undefined;
}

export interface Drains {
  readonly passes: readonly Pass[];
  /** The last complete pass through the leader. */
  readonly final: Pass | undefined;
}

export function drainsOf(log: Log): Drains {
  const passes = passesOf(log);
  let highest = -1;
  for (const offset of log.offsets.keys()) highest = Math.max(highest, offset);
  let final: Pass | undefined;
  for (const pass of passes) {
    if (pass.node !== undefined || !isComplete(pass, highest)) continue;
    if (final === undefined || pass.lastFrom > final.lastFrom) final = pass;
  }
  return { passes, final };
}

export function isComplete({ start, end, logStart, highWatermark }: Pass, highestSeen: number): boolean {
  return start <= (logStart ?? 0) && end >= (highWatermark ?? highestSeen + 1);
}

function passesOf(log: Log): readonly Pass[] {
  const passes: Pass[] = [];
  const current = new Map<string, Pass>();
  const assigned = new Map<string, number>();
  for (const operation of log.reads) {
    const { process } = operation.invoke;
    if (!isPoll(operation)) {
      assigned.set(process, operation.invoke.offset);
      current.delete(process);
      continue;
    }
    if ((operation.invoke.source ?? 'client') === 'client') continue;
    let pass = current.get(process);
    if (pass === undefined) {
      pass = createPass(operation, assigned.get(process));
      passes.push(pass);
      current.set(process, pass);
    }
    extend(pass, operation);
  }
  return passes;
}

function createPass({ invoke, ok, from }: PollOperation, assigned: number | undefined): Pass {
  const start = assigned ?? ok?.records[0]?.offset ?? 0;
  return {
    process: invoke.process,
    node: invoke.source === 'replica' ? invoke.node : undefined,
    from,
    start,
    end: start,
    lastFrom: from,
    lastOp: invoke.op,
    highWatermark: undefined,
    logStart: undefined,
    missing: 0,
    firstMissing: undefined,
  };
}

function extend(pass: Pass, { invoke, ok, from }: PollOperation): void {
  pass.lastFrom = from;
  pass.lastOp = invoke.op;
  pass.highWatermark = ok?.highWatermark ?? pass.highWatermark;
  pass.logStart = ok?.logStart ?? pass.logStart;
  for (const { offset } of ok?.records ?? []) {
    // Retention may remove what lies ahead of a reader.
    const wanted = Math.max(pass.end, ok?.logStart ?? 0);
    if (offset > wanted) {
      pass.missing += offset - wanted;
      pass.firstMissing ??= wanted;
    }
    pass.end = Math.max(pass.end, offset + 1);
  }
}
