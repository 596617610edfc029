/** What came out, in one sentence, and the numbers under it. */
import { anomalies, type Anomaly } from '../../history/anomaly.ts';
import type { RunRecord } from '../../record/read-record.ts';
import type { RunOutcome } from '../../record/run-record.ts';
import { type Html, html, nothing } from '../html.ts';
import { count, milliseconds, percent } from '../quantities.ts';

const headlines = {
  pass: 'Every promise was kept',
  fail: 'A promise was broken',
  vacuous: 'This run proves nothing',
  unavailable: 'Nothing was lost, but it was unavailable for longer than its bar allows',
} as const;

export function verdictSection({ outcome, description }: RunRecord): Html {
  const { result, vacuous, missed, cluster } = outcome;
  const isProvoked = description.scenario.expect.anomalies.length > 0;
  return html`<div class="verdict ${result}"><strong>${isProvoked && result === 'pass' ? 'The checker found what this scenario provokes' : headlines[result]}</strong><p>${sentence(outcome)}</p>
    ${list([
      ...vacuous.map(({ gate, detail }) => `not shown (${gate}): ${detail}`),
      ...missed.map(({ gate, detail }) => `bar missed (${gate}): ${detail}`),
      ...cluster.map(({ node, what }) => `${node === 0 ? 'clients' : `node ${node}`}: ${what}`),
    ])}</div>
    ${isProvoked ? html`<p class="soft">This scenario breaks a promise on purpose: it passes if the checker finds ${description.scenario.expect.anomalies.join(', ')}.</p>` : nothing}
    ${tiles(outcome)}`;
}

const list = (lines: readonly string[]): Html =>
  lines.length === 0 ? nothing : html`<ul>${lines.map((line) => html`<li>${line}</li>`)}</ul>`;

function sentence({ verdict, availability }: RunOutcome): string {
  const { send } = verdict.figures.operations;
  const gap = availability.write?.longestGapMs;
  const kept = `${count(send.ok)} sends were acknowledged, and ${foundCount(verdict.counts) === 0 ? 'every acknowledged record is there, once and in order' : `${foundCount(verdict.counts)} findings say what went wrong with them`}.`;
  return gap === undefined ? kept : `${kept} Writes to a partition paused for ${milliseconds(gap.max)} at the longest.`;
}

const foundCount = (counts: Readonly<Record<Anomaly, number>>): number => Object.values(counts).reduce((sum, each) => sum + each, 0);

/** Anomalies under the names that people use for them. */
const lossOf: readonly Anomaly[] = ['lost-write', 'vanished-read', 'lost-on-node', 'unexpected-log-start'];
const orderOf: readonly Anomaly[] = [
  'nonmonotonic-send',
  'int-nonmonotonic-send',
  'realtime-order',
  'nonmonotonic-poll',
  'int-nonmonotonic-poll',
];

function tiles({ verdict, availability }: RunOutcome): Html {
  const { counts, figures } = verdict;
  const { send } = figures.operations;
  const sum = (names: readonly Anomaly[]): number => names.reduce((total, name) => total + counts[name], 0);
  const promise = (value: number, name: string): Html => tile(count(value), name, value === 0 ? 'good' : 'bad');
  const others = foundCount(counts) - sum(lossOf) - counts.duplicate - sum(orderOf);
  return html`<div class="tiles">
    ${tile(count(send.ok), 'sends acknowledged')}
    ${promise(sum(lossOf), 'lost')}
    ${promise(counts.duplicate, 'duplicated')}
    ${promise(sum(orderOf), 'reordered')}
    ${promise(others, 'other anomalies')}
    ${tile(`${count(send.fail)} / ${count(send.info)}`, 'refused / unknown')}
    ${tile(count(figures.recordsRead), 'records read')}
    ${availability.write === undefined ? nothing : tile(milliseconds(availability.write.longestGapMs.max), 'longest gap of writes')}
    ${availability.repeats.length === 0 ? nothing : tile(percent(availability.blastRadiusMax), 'of partitions hit (gap over 1 s)')}
  </div>`;
}

const tile = (value: string, name: string, mood = ''): Html => html`<div class="tile ${mood}"><b>${value}</b><span>${name}</span></div>`;

/** What each kind of finding means, for the sections that show them. */
export const meaningOf = (anomaly: Anomaly): string => anomalies[anomaly].meaning;
