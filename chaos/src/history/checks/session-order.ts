/**
 * Whether the values of one producer session stand in the order in which it sent them (I-S7),
 * pipelined ones included, acknowledged or not, as far as they are known to be in the log.
 *
 * Promised to idempotent sessions of every acks class: a broker takes their batches in
 * sequence, and a session that lost batches goes on under a new epoch behind them. Without
 * idempotence a repeated batch may overtake its successor, so only the order inside a batch
 * (batches.ts) and the real-time order of acknowledged sends (real-time.ts) are promised.
 */
import type { Findings } from '../anomaly.ts';
import { report } from '../anomaly.ts';
import type { Log, Values } from '../log-facts.ts';
import { lowestOffset, valuesOf } from '../log-facts.ts';

interface Last {
  offset: number;
  op: number;
}

export function checkSessionOrder(log: Log, values: Values, found: Findings): void {
  const sessions = new Map<string, Last>();
  for (const { invoke } of log.sends) {
    if (!invoke.idempotent) continue;
    const last = sessions.get(invoke.session) ?? { offset: -1, op: invoke.op };
    sessions.set(invoke.session, last);
    let isFirst = true;
    for (const value of valuesOf(values, invoke.op)) {
      const offset = lowestOffset(value);
      if (offset === undefined || value.log !== log) continue;
      if (offset <= last.offset) {
        const detail = (): string =>
          `value ${value.record.id} of session ${invoke.session} is at ${offset}, its predecessor at ${last.offset}`;
        report(found, isFirst ? 'nonmonotonic-send' : 'int-nonmonotonic-send', log.name, [last.op, invoke.op], detail);
      }
      isFirst = false;
      last.offset = offset;
      last.op = invoke.op;
    }
  }
}
