/**
 * What a study found: one table and one set of plots, as a page and as Markdown with drawings of
 * its own. Pure.
 */
import { barsChart, barsHeight, type Bar } from '../report/charts/study-bars.ts';
import { drawChart } from '../report/charts/draw.ts';
import { type Html, html, trusted } from '../report/html.ts';
import { count, milliseconds } from '../report/quantities.ts';
import { darkVariables, styleSheet, variables } from '../report/style.ts';
import type { Measures } from './measures.ts';
import type { StudyResults, StudyRow } from './run-study.ts';

interface Column {
  readonly experiment: string;
  readonly title: string;
  readonly unit: string;
  readonly value: (measures: Measures) => number | undefined;
  readonly upTo?: (measures: Measures) => number | undefined;
  readonly text: (measures: Measures) => string;
}

/** What each experiment is read for: throughput and latency where nothing was done, gaps and losses where something was. */
function columnsOf({ study, rows }: StudyResults): readonly Column[] {
  return study.experiments.flatMap(({ name }): readonly Column[] => {
    const all = rows.flatMap(({ measures }) => measures[name] ?? []);
    const gaps = (['writeGapMs', 'readGapMs'] as const).filter((field) => all.some(({ [field]: gap }) => gap !== undefined));
    return [
      {
        experiment: name,
        title: `${name}: acknowledged`,
        unit: 'records/s',
        value: ({ ackedPerSecond }) => ackedPerSecond,
        text: ({ ackedPerSecond }) => `${count(Math.round(ackedPerSecond))}/s`,
      },
      ...(all.some(({ latencyMs }) => latencyMs !== undefined) ? [latencyColumn(name)] : []),
      ...gaps.map((field) => gapColumn(name, field)),
      {
        experiment: name,
        title: `${name}: acknowledged and gone`,
        unit: 'records',
        value: ({ ackedAndGone }) => ackedAndGone,
        text: ({ ackedAndGone, acked }) => `${count(ackedAndGone)} of ${count(acked)}`,
      },
    ];
  });
}

const latencyColumn = (experiment: string): Column => ({
  experiment,
  title: `${experiment}: write latency p50, p99`,
  unit: 'ms',
  value: ({ latencyMs }) => latencyMs?.p50,
  upTo: ({ latencyMs }) => latencyMs?.p99,
  text: ({ latencyMs }) => (latencyMs === undefined ? '–' : `${milliseconds(latencyMs.p50)}, ${milliseconds(latencyMs.p99)}`),
});

type GapField = 'writeGapMs' | 'readGapMs';

const gapColumn = (experiment: string, field: GapField): Column => ({
  experiment,
  title: `${experiment}: longest gap of ${field === 'writeGapMs' ? 'writes' : 'reads'}, n: min / p50 / p95 / max`,
  unit: 'ms',
  value: ({ [field]: gap }) => gap?.p50,
  upTo: ({ [field]: gap }) => gap?.max,
  text: ({ [field]: gap }) => (gap === undefined ? '–' : `${gap.n}: ${[gap.min, gap.p50, gap.p95, gap.max].map(milliseconds).join(' / ')}`),
});

/** Columns in which every row says the same nothing are left out of plots. */
const isTelling = ({ experiment, value }: Column, rows: readonly StudyRow[]): boolean =>
  rows.some(({ measures }) => {
    const found = measures[experiment];
    return found !== undefined && (value(found) ?? 0) > 0;
  });

export interface StudyDrawing {
  readonly name: string;
  readonly title: string;
  readonly svg: string;
}

/** Drawings that stand alone: colours for light and dark are inside. */
export function studyDrawings(results: StudyResults): readonly StudyDrawing[] {
  return columnsOf(results)
    .filter((column) => isTelling(column, results.rows))
    .map((column, i) => {
      const name = `${results.study.name}-${i + 1}`;
      const bars = results.rows.map((row) => barOf(row, column));
      const drawn = drawChart(name, barsHeight(bars.length), barsChart({ bars, unit: column.unit }));
      return { name, title: column.title, svg: standAlone(drawn) };
    });
}

function barOf({ point, varies, measures }: StudyRow, { experiment, value, upTo }: Column): Bar {
  const found = measures[experiment];
  return {
    name: varies === undefined ? 'base' : point,
    value: found === undefined ? undefined : value(found),
    upTo: found === undefined ? undefined : upTo?.(found),
    isBase: varies === undefined,
  };
}

const standAlone = (svg: string): string =>
  svg.replace(
    '>',
    `><style>svg { background: var(--page); ${variables} } @media (prefers-color-scheme: dark) { svg { ${darkVariables} } }</style>`,
  );

export function studyPage(results: StudyResults): string {
  const { study, rows } = results;
  const columns = columnsOf(results);
  const page = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${study.title}</title><style>${trusted(styleSheet)}</style></head><body><main>
<h1>${study.title}</h1><p>${study.about}</p>${surroundings(results)}
<h2>Figures</h2><div class="scroll"><table><thead><tr><th></th>${columns.map(({ title }) => html`<th>${title}</th>`)}<th class="text">broken promises</th></tr></thead>
<tbody>${rows.map((row) => html`<tr><td>${nameOf(row, results)}</td>${columns.map((column) => html`<td>${cell(row, column)}</td>`)}<td class="text">${broken(row)}</td></tr>`)}</tbody></table></div>
${studyDrawings(results).map(({ title, svg }) => html`<h3>${title}</h3><div class="scroll"><div class="chart">${trusted(svg)}</div></div>`)}
</main></body></html>
`;
  return page.html;
}

function surroundings({ environment, study }: StudyResults): Html {
  const { cpus, cpuModel, nodeVersion, fsyncMs, startedAt } = environment;
  const experiments = study.experiments.map(({ name, about }) => html`<li><b>${name}</b>: ${about}</li>`);
  return html`<p class="soft">${cpus} × ${cpuModel}, brokers and clients share it; Node ${nodeVersion}; write and fdatasync p50 ${milliseconds(fsyncMs.p50)},
    p99 ${milliseconds(fsyncMs.p99)}; ${startedAt.slice(0, 10)}.</p><ul>${experiments}</ul>`;
}

const cell = ({ measures }: StudyRow, { experiment, text }: Column): string => {
  const found = measures[experiment];
  return found === undefined ? 'did not work' : text(found);
};

const nameOf = ({ point, varies }: StudyRow, { study }: StudyResults): string =>
  varies === undefined && study.mode === 'each' ? `base: ${point}` : point;

function broken({ measures }: StudyRow): string {
  const found = Object.entries(measures).flatMap(([experiment, each]) =>
    each?.anomalies.length ? [`${experiment}: ${each.anomalies.join(', ')}`] : [],
  );
  return found.length === 0 ? 'none' : found.join('; ');
}

/** The table and links to the drawings, which stand in files beside it. */
export function studyMarkdown(results: StudyResults, drawingFile: (drawing: StudyDrawing) => string): string {
  const { rows } = results;
  const columns = columnsOf(results);
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |\n`;
  return [
    line(['', ...columns.map(({ title }) => title), 'broken promises']),
    line(['---', ...columns.map(() => '---:'), '---']),
    ...rows.map((row) => line([nameOf(row, results), ...columns.map((column) => cell(row, column)), broken(row)])),
    ...studyDrawings(results).map((drawing) => `\n**${drawing.title}**\n\n![${drawing.title}](${drawingFile(drawing)})\n`),
  ].join('');
}
