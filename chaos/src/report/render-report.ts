/**
 * The report of a run as one page that needs nothing else: no script, no font, no request. Pure:
 * the same record gives the same page.
 *
 * Bounds: charts have at most some thousand points, and long lists are cut and say so.
 */
import type { RunRecord } from '../record/read-record.ts';
import { html } from './html.ts';
import { anomaliesSection } from './sections/anomalies.ts';
import { availabilitySection } from './sections/availability.ts';
import { faultsSection } from './sections/faults.ts';
import { surroundingsSection } from './sections/surroundings.ts';
import { timelineSection } from './sections/timeline.ts';
import { verdictSection } from './sections/verdict.ts';
import { styleSheet } from './style.ts';
import { trusted } from './html.ts';

export function renderReport(record: RunRecord): string {
  const { scenario, environment, seed } = record.description;
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${record.outcome.result}: ${scenario.title}</title>
<style>${trusted(styleSheet)}</style>
</head>
<body><main>
<h1>${scenario.title}</h1>
<p class="soft">${scenario.name}, seed ${seed}, ${scenario.cluster.nodes} brokers, ${environment.startedAt.slice(0, 16).replace('T', ' ')} UTC</p>
<p>${scenario.about}</p>
${verdictSection(record)}
${timelineSection(record)}
${availabilitySection(record)}
${anomaliesSection(record)}
${faultsSection(record)}
${surroundingsSection(record)}
</main></body>
</html>
`;
  return page.html;
}
