/** The account of probes, under a clock that is a number: one sample for each that was due. */
import type { ProbeKind, ProbeSample } from '@balsa/chaos/record/probe-sample.ts';
import { createArrivals } from '@balsa/chaos/workload/arrivals.ts';
import { createOpenLoop, takeDue } from '@balsa/chaos/workload/open-loop.ts';
import { createLedger, type EndProbe } from '@balsa/chaos/workload/probe-ledger.ts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

const nsPerMs = 1e6;
const place = { topic: 'orders', partition: 1 };
const deadlineMs = 1000;

const ledgerOf = (samples: ProbeSample[], openMax = 100, kinds: readonly ProbeKind[] = ['write', 'read']) =>
  createLedger({ deadlineMs, openMax, kinds: new Set(kinds), onSample: (sample) => samples.push(sample) });

describe('the ledger', () => {
  test('an answer in time counts from when it was due, errors as well', () => {
    const samples: ProbeSample[] = [];
    const ledger = ledgerOf(samples);
    ledger.begin('write', place, 100)?.(300);
    ledger.begin('read', place, 200)?.(250, 'NOT_LEADER');
    expect(samples).toEqual([
      { probe: 'write', ...place, dueNs: 100, doneNs: 300 },
      { probe: 'read', ...place, dueNs: 200, doneNs: 250, error: 'NOT_LEADER' },
    ]);
  });

  test('what comes behind the deadline, or tells of none, is no answer', () => {
    const samples: ProbeSample[] = [];
    const ledger = ledgerOf(samples);
    const deadlineNs = deadlineMs * nsPerMs;
    ledger.begin('write', place, 5)?.(5 + deadlineNs);
    ledger.begin('write', place, 5)?.(6 + deadlineNs);
    ledger.begin('write', place, 5)?.(7, 'TIMEOUT');
    expect(samples.map(({ doneNs, error }) => [doneNs, error])).toEqual([
      [5 + deadlineNs, undefined],
      [undefined, 'TIMEOUT'],
      [undefined, 'TIMEOUT'],
    ]);
  });

  test('beyond the bound nothing is sent, and the sample says so', () => {
    const samples: ProbeSample[] = [];
    const ledger = ledgerOf(samples, 1);
    const end = ledger.begin('write', place, 1);
    expect(ledger.begin('write', place, 2)).toBeUndefined();
    expect(samples).toEqual([{ probe: 'write', ...place, dueNs: 2, error: 'NOT_SENT' }]);
    end?.(3);
    expect(ledger.open()).toBe(0);
    expect(ledger.begin('write', place, 4)).toBeDefined();
  });

  test('a kind that is not wanted counts as open and leaves no samples', () => {
    const samples: ProbeSample[] = [];
    const ledger = ledgerOf(samples, 1, ['consume']);
    const end = ledger.begin('write', place, 1);
    expect(ledger.begin('write', place, 1)).toBeUndefined();
    end?.(2);
    expect(samples).toEqual([]);
  });

  test('whatever becomes of probes, each that was due ends as one sample and none waits for another', () => {
    const latencies = fc.array(fc.integer({ min: 0, max: 3000 }), { minLength: 1, maxLength: 200 });
    const property = fc.property(
      latencies,
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 1, max: 300 }),
      (answersMs, openMax, askEveryMs) => {
        const samples: ProbeSample[] = [];
        const ledger = ledgerOf(samples, openMax);
        const loop = createOpenLoop(0, 20);
        const open: { readonly atMs: number; readonly end: EndProbe }[] = [];
        const endMs = answersMs.length * 20 - 1;
        let due = 0;
        for (let nowMs = 0; nowMs <= endMs + askEveryMs; nowMs += askEveryMs) {
          for (const { atMs, end } of open.filter((each) => each.atMs <= nowMs)) end(atMs * nsPerMs);
          open.splice(0, open.length, ...open.filter((each) => each.atMs > nowMs));
          for (const dueMs of takeDue(loop, Math.min(nowMs, endMs))) {
            const end = ledger.begin('read', place, dueMs * nsPerMs);
            if (end !== undefined) open.push({ atMs: nowMs + answersMs[due]!, end });
            due += 1;
          }
          expect(ledger.open()).toBe(open.length);
          expect(open.length).toBeLessThanOrEqual(openMax);
        }
        for (const { atMs, end } of open) end(atMs * nsPerMs);
        expect(samples.map(({ dueNs }) => dueNs / nsPerMs).toSorted((a, b) => a - b)).toEqual(answersMs.map((_, i) => i * 20));
        for (const { dueNs, doneNs, error } of samples) {
          expect(doneNs === undefined).toBe(error !== undefined);
          expect((doneNs ?? dueNs) - dueNs).toBeLessThanOrEqual(deadlineMs * nsPerMs);
        }
      },
    );
    fc.assert(property);
  });
});

describe('arrivals', () => {
  const start = () => {
    const samples: ProbeSample[] = [];
    return { samples, arrivals: createArrivals(place, deadlineMs, (sample) => samples.push(sample)) };
  };

  test('count from the acknowledgement, also if they came before it', () => {
    const { samples, arrivals } = start();
    arrivals.sent(1);
    arrivals.acknowledged(1, 100);
    arrivals.arrived(1, 150);
    arrivals.sent(2);
    arrivals.arrived(2, 200);
    arrivals.acknowledged(2, 230);
    expect(samples).toEqual([
      { probe: 'consume', ...place, dueNs: 100, doneNs: 150 },
      { probe: 'consume', ...place, dueNs: 230, doneNs: 230 },
    ]);
    expect(arrivals.awaited()).toBe(0);
  });

  test('that are late or never come are told once, as missed', () => {
    const { samples, arrivals } = start();
    const deadlineNs = deadlineMs * nsPerMs;
    for (const id of [1, 2]) {
      arrivals.sent(id);
      arrivals.acknowledged(id, id);
    }
    arrivals.sweep(1 + deadlineNs);
    expect(samples).toEqual([]);
    arrivals.arrived(1, 2 + deadlineNs);
    arrivals.sweep(3 + deadlineNs);
    arrivals.arrived(2, 4 + deadlineNs);
    expect(samples).toEqual([1, 2].map((dueNs) => ({ probe: 'consume', ...place, dueNs, error: 'TIMEOUT' })));
    expect(arrivals.awaited()).toBe(0);
  });

  test('of others, of failed probes and of the same record again are nobody’s', () => {
    const { samples, arrivals } = start();
    arrivals.arrived(7, 1);
    arrivals.acknowledged(7, 1);
    expect(arrivals.awaited(), 'nothing is kept of records that were not sent').toBe(1);
    arrivals.arrived(7, 2);
    expect(samples.splice(0)).toHaveLength(1);
    arrivals.sent(8);
    arrivals.failed(8);
    arrivals.arrived(8, 2);
    arrivals.sent(9);
    arrivals.acknowledged(9, 3);
    arrivals.arrived(9, 4);
    arrivals.arrived(9, 5);
    expect(samples).toEqual([{ probe: 'consume', ...place, dueNs: 3, doneNs: 4 }]);
  });
});
