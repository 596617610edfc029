/** What is read from the logs of brokers after a run. */
import { factsOf } from '@balsa/chaos/run/broker-log.ts';
import { expect, test } from 'vitest';

const started = Date.parse('2026-01-01T00:00:00.000Z');
const leads = (ms: number, subject: string): string =>
  JSON.stringify({ level: 30, time: new Date(started + ms).toISOString(), node: 2, group: 1, subject, term: 3, msg: 'broker: leads' });

test('leaders of partitions, with the time of the run; the metadata has none', () => {
  const { leaders, findings } = factsOf(2, [leads(1500, 'my-topic-4'), leads(1600, 'the cluster metadata'), ''].join('\n'), started);
  expect(leaders).toEqual([{ kind: 'leader', tNs: 1_500_000_000, topic: 'my-topic', partition: 4, leader: 2, term: 3 }]);
  expect(findings).toEqual([]);
});

test('words for people and half a line of a killed process are passed over', () => {
  expect(factsOf(1, ['balsa node 1', leads(5, 'a-0').slice(0, 40)].join('\n'), started)).toEqual({ leaders: [], findings: [] });
});

test('a broken invariant and a fatal line are findings, whatever their form', () => {
  const fatal = JSON.stringify({ level: 60, time: new Date(started).toISOString(), msg: 'ending' });
  const { findings } = factsOf(1, ['InvariantViolation: a frame fits', fatal, '{"level":50,"msg":"an error"}'].join('\n'), started);
  expect(findings).toEqual([
    { node: 1, what: 'InvariantViolation: a frame fits' },
    { node: 1, what: fatal },
  ]);
});

test('an end for a reason that its exit code tells is judged by that', () => {
  const ended = (code: string): string =>
    JSON.stringify({ level: 60, time: new Date(started).toISOString(), code, msg: 'the node cannot go on' });
  expect(factsOf(1, [ended('STORAGE_FAILED'), ended('DATA_CORRUPT')].join('\n'), started).findings).toEqual([]);
  expect(factsOf(1, ended('INVARIANT'), started).findings).toEqual([{ node: 1, what: ended('INVARIANT') }]);
});
