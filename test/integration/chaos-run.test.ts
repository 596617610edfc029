/**
 * The harness from end to end, in short: real brokers under each kind of fault, read back from every
 * replica and judged. Also that it sees what it is there to see: disks that lie lose records.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { readRecord } from '@balsa/chaos/record/read-record.ts';
import type { RunOutcome } from '@balsa/chaos/record/run-record.ts';
import { writeReport } from '@balsa/chaos/report/write-report.ts';
import { runScenario } from '@balsa/chaos/run/run-scenario.ts';
import { checkScenario } from '@balsa/chaos/scenario/check-scenario.ts';
import type { Scenario } from '@balsa/chaos/scenario/scenario.ts';
import { afterAll, expect, test } from 'vitest';

const root = mkdtempSync(path.join(tmpdir(), 'balsa-chaos-run-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

function scenario(name: string, steps: readonly object[], expectations: object = {}): Scenario {
  const checked = checkScenario({
    name,
    title: name,
    topics: [{ name: 'orders', partitions: 2 }],
    load: { recordsPerSecond: 150, probes: { periodMs: 50 } },
    warmupMs: 500,
    calmMs: 500,
    steps,
    seed: 5,
    expect: { ackedMin: 50, ...expectations },
  });
  if ('problems' in checked) throw new Error(JSON.stringify(checked.problems));
  return checked.scenario;
}

async function run(wanted: Scenario): Promise<{ readonly outcome: RunOutcome; readonly folder: string }> {
  const folder = path.join(root, wanted.name);
  const quiet = { onEvent: () => {}, onProgress: () => {} };
  const outcome = await runScenario({
    scenario: wanted,
    folder,
    command: 'npx balsa chaos run',
    keepData: false,
    signal: new AbortController().signal,
    ...quiet,
  });
  return { outcome, folder };
}

const forMs = 2500;

test.each([
  ['kill', [{ strike: 'kill', target: 'leader', forMs }]],
  ['pause', [{ strike: 'pause', target: 'leader', forMs }]],
  ['partition', [{ strike: 'isolate', target: 'leader', forMs }]],
  ['reply-cut', [{ strike: 'reply-cut', target: 'leader', forMs }]],
  ['power-loss', [{ strike: 'power-loss', target: 'all', with: { torn: true }, forMs: 1000 }]],
])('%s: every promise is kept', async (name, steps) => {
  const { outcome, folder } = await run(scenario(name, steps));
  const { result, vacuous, cluster, missed } = outcome;
  expect({ result, vacuous, cluster, missed }).toEqual({ result: 'pass', vacuous: [], cluster: [], missed: [] });
  // The record can be judged and shown again; the brokers' data are gone, their logs are not.
  const record = await readRecord(folder);
  expect(record.outcome.availability.repeats).toHaveLength(1);
  expect(record.probes.length).toBeGreaterThan(100);
  expect(readFileSync(await writeReport(folder), 'utf8')).toContain('Every promise was kept');
  expect(readdirSync(folder).toSorted()).toEqual([
    'history.ndjson',
    'logs',
    'outcome.json',
    'probes.ndjson',
    'report.html',
    'run.json',
    'timeline.ndjson',
  ]);
});

test('disks that acknowledge and do not sync lose acknowledged records, and it is seen', async () => {
  const steps = [
    { begin: 'lie', fault: 'lying-sync', target: 'all' },
    { awaitAcks: 50 },
    { strike: 'power-loss', target: 'all', forMs: 500 },
  ];
  const { outcome } = await run(scenario('lying-sync', steps, { anomalies: ['lost-write'] }));
  expect(outcome).toMatchObject({ result: 'pass', verdict: { outcome: 'fail' } });
  expect(outcome.verdict.counts['lost-write']).toBeGreaterThan(0);
});
