/** Metrics of a broker as the proofs read them. */
import { increase, parseMetrics } from '@balsa/chaos/nemesis/broker-metrics.ts';
import { expect, test } from 'vitest';

const text = `# HELP balsa_refused_total Requests answered with an error, by error code
# TYPE balsa_refused_total counter
balsa_refused_total{code="DISK_FULL"} 3
balsa_refused_total{code="TIMEOUT"} 4
balsa_journal_sync_seconds_sum 1.25
balsa_odd NaN
half a line`;

test('sums over labels, and nothing else', () => {
  expect([...parseMetrics(text)]).toEqual([
    ['balsa_refused_total', 7],
    ['balsa_journal_sync_seconds_sum', 1.25],
  ]);
});

test('an increase needs both readings', () => {
  const before = parseMetrics('a 1');
  expect(increase(before, parseMetrics('a 3'), 'a')).toBe(2);
  expect(increase(before, new Map(), 'a')).toBeUndefined();
});
