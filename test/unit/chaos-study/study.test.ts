/** Points of a study, what is measured at them, and how it is shown. */
import type { HistoryEvent } from '@balsa/chaos/history/event.ts';
import type { RunRecord } from '@balsa/chaos/record/read-record.ts';
import { loadStudy, studyNames } from '@balsa/chaos/study/load-study.ts';
import { measuresOf, steadyWindow } from '@balsa/chaos/study/measures.ts';
import { merge, pointName, pointsOf, scenarioAt } from '@balsa/chaos/study/points.ts';
import type { StudyResults } from '@balsa/chaos/study/run-study.ts';
import { studyDrawings, studyMarkdown, studyPage } from '@balsa/chaos/study/study-page.ts';
import { type Study, studySchema } from '@balsa/chaos/study/study.ts';
import { describe, expect, test } from 'vitest';
import { madeRun } from '../chaos-report/made-run.ts';

const study = (mode: Study['mode'] = 'each'): Study =>
  studySchema.parse({
    name: 'small',
    title: 'A small study',
    mode,
    base: { load: { recordsPerSecond: 50, producers: 3 } },
    axes: [
      { name: 'nodes', values: [{ name: '3' }, { name: '5', set: { cluster: { nodes: 5 } } }] },
      {
        name: 'acks',
        values: [
          { name: 'quorum' },
          { name: 'leader', set: { load: { acks: ['leader'] } } },
          { name: 'slow', before: [{ begin: 'slow', fault: 'slow-disk' }] },
        ],
      },
    ],
    experiments: [{ name: 'failover', steps: [{ strike: 'kill' }], repeats: 2 }],
  });

describe('points', () => {
  test('one axis at a time, the base first', () => {
    expect(pointsOf(study()).map(pointName)).toEqual(['nodes 3, acks quorum', 'nodes 5', 'acks leader', 'acks slow']);
  });
  test('all combinations', () => {
    expect(pointsOf(study('grid')).map(pointName)).toHaveLength(6);
  });
  test('a scenario is the base with what the point sets, and begins with what belongs to the point', () => {
    const [, , , slow] = pointsOf(study());
    const { load, steps, repeats, cluster } = scenarioAt(study(), slow!, study().experiments[0]!);
    expect({ load, repeats, cluster }).toMatchObject({
      load: { recordsPerSecond: 50, producers: 3, acks: ['quorum'] },
      repeats: 2,
      cluster: { nodes: 3 },
    });
    expect(steps.map((step) => Object.keys(step)[0])).toEqual(['begin', 'wait', 'strike']);
  });
  test('what is no scenario is refused before anything runs', () => {
    const bad = { ...study(), base: { load: { recordsPerSecond: 'many' } } };
    expect(() => scenarioAt(bad, pointsOf(bad)[0]!, bad.experiments[0]!)).toThrow(/recordsPerSecond/);
  });
  test('objects are merged, lists are replaced', () => {
    expect(merge({ a: { b: 1, c: [1, 2] } }, { a: { c: [3] }, d: 4 })).toEqual({ a: { b: 1, c: [3] }, d: 4 });
  });
  test('the studies that come with the harness are valid at every point', async () => {
    const names = await studyNames();
    expect(names.length).toBeGreaterThan(0);
    for (const name of names) {
      const loaded = await loadStudy(name);
      for (const point of pointsOf(loaded)) for (const experiment of loaded.experiments) scenarioAt(loaded, point, experiment);
    }
  });
});

describe('measures', () => {
  const run = madeRun();

  test('the steady window ends with the first fault that is not part of the point', () => {
    expect(steadyWindow(run.timeline, 0)).toEqual({ fromNs: 9.5e9, toNs: 10e9 });
    expect(steadyWindow(run.timeline, 1)).toEqual({ fromNs: 10e9, toNs: 19e9 });
  });
  test('acknowledged records per second and latency there', () => {
    // One send every 50 ms; probes answered after 1 to 7 ms.
    expect(measuresOf(run, 0)).toMatchObject({ ackedPerSecond: 20, latencyMs: { p50: 4, p99: 7 } });
  });
  test('what was acknowledged and is not in the log is counted, whatever the acks promise', () => {
    const drained: HistoryEvent[] = [
      { type: 'invoke', f: 'poll', op: 9000, tNs: 2e10, process: 'd', topic: 'orders', partition: 0, source: 'drain' },
      { type: 'ok', f: 'poll', op: 9000, tNs: 2e10, process: 'd', records: [{ offset: 0, id: 1 }] },
    ];
    const { acked, ackedAndGone } = measuresOf({ ...run, history: [...run.history, ...drained] } as RunRecord, 0);
    expect(ackedAndGone).toBe(acked - 1);
    expect(acked).toBe(20 * 20 - 6);
  });
});

describe('shown', () => {
  const measured = measuresOf(madeRun(), 0);
  const results: StudyResults = {
    format: 1,
    study: { ...study(), title: 'A <b>small</b> study' },
    environment: madeRun().description.environment,
    rows: [
      { point: 'nodes 3, acks quorum', varies: undefined, measures: { failover: { ...measured, ackedAndGone: 0 } } },
      { point: 'acks leader', varies: 'acks', measures: { failover: { ...measured, ackedAndGone: 7, anomalies: ['lost-write'] } } },
      { point: 'nodes 5', varies: 'nodes', measures: { failover: undefined } },
    ],
  };

  test('as a page without anything from outside', () => {
    const page = studyPage(results);
    expect(page).toContain('A &lt;b&gt;small&lt;/b&gt; study');
    expect(page).toContain('failover: lost-write');
    expect(page).toContain('did not work');
    expect(page).not.toContain('<script');
  });
  test('as a table with drawings that carry their own colours', () => {
    const markdown = studyMarkdown(results, ({ name }) => `${name}.svg`);
    expect(markdown).toContain('| base: nodes 3, acks quorum |');
    expect(markdown).toMatch(/\| acks leader \|.*7 of \d+/);
    const drawings = studyDrawings(results);
    expect(drawings.map(({ title }) => title)).toEqual([
      'failover: acknowledged',
      'failover: write latency p50, p99',
      'failover: longest gap of writes, n: min / p50 / p95 / max',
      'failover: acknowledged and gone',
    ]);
    for (const { svg } of drawings) expect(svg).toMatch(/^<svg [^>]*><style>svg \{/);
  });
});
