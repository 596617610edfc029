/**
 * Whether each batch is in the log as a whole (I-S17): its records at consecutive offsets, or
 * none of them. Judged for every send whose batches are known, whatever its acks and outcome;
 * a copy of a batch that is not idempotent has to be whole as well.
 *
 * An offset that nobody read proves nothing, unless the final log ends before it.
 */
import type { Findings } from '../anomaly.ts';
import { report } from '../anomaly.ts';
import type { Pass } from '../drain.ts';
import type { Log, Value, Values } from '../log-facts.ts';
import { valuesOf } from '../log-facts.ts';
import type { SendOperation } from '../operations.ts';

export function checkBatches(log: Log, values: Values, final: Pass | undefined, found: Findings): void {
  for (const send of log.sends) {
    const sizes = (send.ok ?? send.notOk)?.batches;
    if (sizes === undefined) continue;
    const sent = valuesOf(values, send.invoke.op);
    let at = 0;
    for (const size of sizes) {
      if (size > 1) checkBatch(log, send, sent.slice(at, at + size), final, found);
      at += size;
    }
  }
}

function checkBatch(log: Log, send: SendOperation, batch: readonly Value[], final: Pass | undefined, found: Findings): void {
  // Where the batch would begin, by every sighting of every one of its records.
  const bases = new Set<number>();
  batch.forEach(({ offsets, log: own }, index) => {
    if (own === log) for (const offset of offsets) bases.add(offset - index);
  });
  // A batch that was seen behind the final log came later than its last poll.
  const isOlder = final !== undefined && batch.every(({ offsets }) => offsets.every((offset) => offset < final.end));
  const end = isOlder ? final.end : Infinity;
  for (const base of bases) {
    const torn = batch.find(({ record }, index) => !mayStand(log, record.id, base + index, end));
    if (torn === undefined) continue;
    const detail = (): string => `a batch begins at ${base}, but its value ${torn.record.id} does not stand in its place`;
    report(found, 'torn-batch', log.name, [send.invoke.op], detail);
    return;
  }
}

function mayStand(log: Log, id: number, offset: number, end: number): boolean {
  const facts = log.offsets.get(offset);
  if (facts !== undefined) return facts.id === id || facts.others.some((other) => other.id === id);
  return offset >= 0 && offset < end;
}
