/** The page of a run: complete, harmless whatever was recorded, the same every time, and of bounded size. */
import { escapeHtml, html } from '@balsa/chaos/report/html.ts';
import { renderReport } from '@balsa/chaos/report/render-report.ts';
import { describe, expect, test } from 'vitest';
import { madeRun } from './made-run.ts';

const evil = `"><script>alert('1')</script><img src=x onerror=alert(2)>`;

test('tells of verdict, run, availability, faults with proofs, and how to do it again', () => {
  const page = renderReport(madeRun());
  for (const wanted of [
    'The run',
    'Throughput',
    'Latency of probes',
    'Nodes',
    'Leaders',
    'Availability',
    'write: longest gap',
    'proof',
    'How it was made',
  ]) {
    expect(page).toContain(wanted);
  }
  expect(page).toContain('npx balsa chaos run kill -9 of node 1');
  // The gap of the close-up: 300 ms of missed probes and the period around them.
  expect(page).toMatch(/Longest gaps: write 32\d ms/);
  expect(page.match(/<svg/g)?.length).toBe(5);
});

test('nothing that was recorded becomes markup, and nothing is fetched', () => {
  const findings = [{ anomaly: 'lost-write', invariant: 'I-S1', subject: evil, detail: evil, operations: [3] } as const];
  const page = renderReport(madeRun({ text: evil, findings }));
  expect(page).not.toMatch(/<script|<img|onerror=alert\(2\)>/);
  expect(page).toContain(escapeHtml(evil));
  expect(page.replaceAll(/xmlns(:xlink)?="[^"]*"/g, '')).not.toMatch(/(src|href)="|https?:\/\//);
});

test('is the same every time, whatever was drawn before', () => {
  const first = renderReport(madeRun());
  renderReport(madeRun({ repeats: 5 }));
  expect(renderReport(madeRun())).toBe(first);
});

test('names of parts of the drawings are unique in the page', () => {
  const page = renderReport(madeRun({ repeats: 4, seconds: 30 }));
  const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
  expect(new Set(ids).size).toBe(ids.length);
});

test('looks light and dark by what the reader prefers', () => {
  const page = renderReport(madeRun());
  expect(page).toContain('@media (prefers-color-scheme: dark)');
  const colors = new Set([...page.matchAll(/(?:fill|stroke)="(#[0-9a-fA-F]+)"/g)].map(([, color]) => color));
  // What clips a drawing has a colour that nobody sees.
  expect([...colors].filter((color) => color !== '#000')).toEqual([]);
});

test('a long run stays small', () => {
  const page = renderReport(madeRun({ seconds: 600, repeats: 100 }));
  expect(page.length).toBeLessThan(3_000_000);
  expect(page).toContain('The 3 worst repeats');
});

describe('html', () => {
  test('escapes what is put in, and leaves what is HTML already', () => {
    expect(html`<b>${'<&"\'>'}</b>${html`<i>${1}</i>`}${[html`<u></u>`, '<']}${undefined}`.html).toBe(
      '<b>&lt;&amp;&quot;&#39;&gt;</b><i>1</i><u></u>&lt;',
    );
  });
});
