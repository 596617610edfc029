/**
 * Whether the final log (drain.ts) holds what was promised, on the leader and on every replica
 * that was read.
 *
 * | class                              | promise                                              |
 * | ---------------------------------- | ---------------------------------------------------- |
 * | acks 'quorum', ok                  | in the final log (I-S1): else `lost-write`           |
 * | any acks, any outcome, once read   | in the final log (I-S2): else `vanished-read`        |
 * | acks 'leader' or 'none', ok, unread| none: may be lost when a leader changes              |
 * | fail                               | absent (provenance.ts)                               |
 * | info, unread                       | none                                                 |
 *
 * Exempt is what retention removed (below the log start, where the topic has retention) and
 * the log of a topic whose deletion began before the final pass ended. Without a complete
 * pass after the acknowledgement, an acknowledged value that nobody ever read is `unseen`:
 * the harness did not look far enough, which is a failure of the run but no proof of loss.
 *
 * Kafka's rule "an acknowledged value below one that was read was never read" needs no check
 * of its own: offsets are contiguous here, so whoever passed it without reading it shows up
 * as poll-skip or inconsistent-offsets, and the final pass decides about its presence.
 */
import type { Findings } from '../anomaly.ts';
import { report } from '../anomaly.ts';
import type { Drains, Pass } from '../drain.ts';
import type { Log, Value } from '../log-facts.ts';
import { isPromised, lowestOffset } from '../log-facts.ts';

/** How many values could not be judged, because retention may have removed them unread. */
export function checkDurability(log: Log, values: Iterable<Value>, drains: Drains, found: Findings): number {
  let unjudged = 0;
  for (const value of values) unjudged += judge(log, value, drains.final, found);
  checkGaps(log, drains.passes, found);
  checkReplicas(log, drains, found);
  return unjudged;
}

function judge(log: Log, value: Value, final: Pass | undefined, found: Findings): number {
  const { send, firstRead, record } = value;
  const isPromise = isPromised(send);
  if (!isPromise && firstRead === undefined) return 0;
  const knownBy = isPromise ? send.to : (firstRead?.to ?? Infinity);
  if (final === undefined || knownBy > final.lastFrom) {
    // A deleted topic cannot be drained.
    if (!isPromise || firstRead !== undefined || log.life.deletableFrom !== Infinity) return 0;
    if (log.life.retention && (lowestOffset(value) ?? Infinity) < log.logStartMax) return 0;
    report(found, 'unseen', log.name, [send.invoke.op], () => `value ${record.id} was acknowledged and never read`);
    return 0;
  }
  if (value.lastDrained >= final.from || log.life.deletableFrom < final.lastFrom) return 0;
  const offset = lowestOffset(value);
  const logStart = final.logStart ?? log.logStartMax;
  // Of an offset that nobody was told it is not known whether retention removed it.
  if (log.life.retention && logStart > 0 && (offset === undefined || offset < logStart)) return offset === undefined ? 1 : 0;
  const operations = firstRead === undefined ? [send.invoke.op, final.lastOp] : [send.invoke.op, firstRead.invoke.op, final.lastOp];
  report(found, isPromise ? 'lost-write' : 'vanished-read', log.name, operations, () => describe(value, final));
  return 0;
}

const describe = ({ record, offsets }: Value, { start, end }: Pass): string =>
  `value ${record.id} (${offsets.length === 0 ? 'offset unknown' : `offset ${offsets[0]}`}) is not in the final log ${start}..${end - 1}`;

function checkGaps(log: Log, passes: readonly Pass[], found: Findings): void {
  for (const { missing, firstMissing, node, lastOp } of passes) {
    if (missing === 0) continue;
    const where = node === undefined ? 'a drain' : `the replica of node ${node}`;
    const detail = (): string => `${where} lacks ${missing} offsets from ${firstMissing} on`;
    report(found, node === undefined ? 'offset-gap' : 'lost-on-node', log.name, [lastOp], detail);
  }
}

/** Every replica that was read has to be read from the log start to the end of the final log. */
function checkReplicas(log: Log, { passes, final }: Drains, found: Findings): void {
  if (final === undefined || log.life.deletableFrom !== Infinity) return;
  const reached = new Map<number, number>();
  const lastOps = new Map<number, number>();
  for (const { node, start, end, lastOp } of passes) {
    if (node === undefined) continue;
    reached.set(node, Math.max(reached.get(node) ?? 0, start <= log.logStartMax ? end : 0));
    lastOps.set(node, lastOp);
  }
  for (const [node, end] of reached) {
    if (end >= final.end) continue;
    const detail = (): string => `the replica of node ${node} was read up to ${end}, the final log ends at ${final.end}`;
    report(found, 'unseen-on-node', log.name, [lastOps.get(node) ?? final.lastOp, final.lastOp], detail);
  }
}
