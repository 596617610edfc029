/**
 * Whether all observers agree on what stands where: one value per offset (I-S5), one offset
 * per value (I-S6), the same contents for ever (I-S11). All acks classes are promised this:
 * what was read or acknowledged with an offset was committed.
 */
import type { Findings } from '../anomaly.ts';
import { report } from '../anomaly.ts';
import type { Log, Values } from '../log-facts.ts';
import { copiesMax } from '../log-facts.ts';

export function checkAgreement(log: Log, values: Values, found: Findings): void {
  for (const [offset, facts] of log.offsets) {
    if (facts.others.length === 0 && !isChanged(facts, values)) continue;
    const claims = [facts, ...facts.others];
    const operations = claims.slice(0, 5).map(({ by }) => by);
    const ids = new Set(claims.map(({ id }) => id));
    if (ids.size > 1) report(found, 'inconsistent-offsets', log.name, operations, () => `offset ${offset} held ${[...ids].join(', ')}`);
    if (claims.length > ids.size || claims.some((claim) => isChanged(claim, values))) {
      report(found, 'changed-record', log.name, operations, () => `the record at offset ${offset} (value ${facts.id}) changed`);
    }
  }
}

function isChanged({ id, fingerprint }: { readonly id: number; readonly fingerprint: number | undefined }, values: Values) {
  const sent = values.byId.get(id)?.record.fingerprint;
  return sent !== undefined && fingerprint !== undefined && sent !== fingerprint;
}

/** Copies of all values, wherever they were read. */
export function checkDuplicates(values: Values, found: Findings): void {
  for (const { record, send, offsets, log } of values.byId.values()) {
    if (offsets.length < 2 || offsets.length <= copiesMax(send)) continue;
    const subject = log?.name ?? send.invoke.topic;
    report(found, 'duplicate', subject, [send.invoke.op], () => `value ${record.id} stands at ${offsets.slice(0, 5).join(', ')}`);
  }
}
