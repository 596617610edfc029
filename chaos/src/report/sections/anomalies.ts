/** What the checker found, with the operations that show it and what happened around them. */
import type { Finding } from '../../history/anomaly.ts';
import type { HistoryEvent } from '../../history/event.ts';
import type { RunRecord } from '../../record/read-record.ts';
import { type Html, html, nothing } from '../html.ts';
import { count, seconds } from '../quantities.ts';
import { meaningOf } from './verdict.ts';

const findingsMax = 30;
const eventsMax = 30;
const neighbours = 3;
const eventCharsMax = 600;

export function anomaliesSection({ outcome, history }: RunRecord): Html {
  const { findings, counts } = outcome.verdict;
  if (findings.length === 0) return nothing;
  const total = Object.values(counts).reduce((sum, each) => sum + each, 0);
  const byOp = Map.groupBy(history, ({ op }) => op);
  return html`<h2>Anomalies</h2>
    <p class="soft">${count(total)} in all; ${Math.min(findings.length, findingsMax)} are shown with the operations that prove them (bold) and those of the same
      partition around them.</p>
    ${findings.slice(0, findingsMax).map((finding) => findingPart(finding, history, byOp))}`;
}

function findingPart(
  { anomaly, invariant, subject, detail, operations }: Finding,
  history: readonly HistoryEvent[],
  byOp: Map<number, HistoryEvent[]>,
): Html {
  const proving = new Set(operations);
  const own = operations.flatMap((op) => byOp.get(op) ?? []);
  const shown = [...new Set([...own, ...around(own, history)])].toSorted((a, b) => a.tNs - b.tNs).slice(0, eventsMax);
  return html`<details><summary><b>${anomaly}</b> (${invariant}), ${subject}: ${detail}</summary>
    <p class="soft">${meaningOf(anomaly)}.</p>
    <pre>${shown.map((event) => eventLine(event, proving.has(event.op)))}</pre></details>`;
}

/** The nearest events of the same partition before and after each. */
function around(own: readonly HistoryEvent[], history: readonly HistoryEvent[]): readonly HistoryEvent[] {
  const places = new Set(own.flatMap((event) => ('partition' in event ? [`${event.topic}/${event.partition}`] : [])));
  const related = history.filter((event) => 'partition' in event && places.has(`${event.topic}/${event.partition}`));
  return own.flatMap((event) => {
    const at = related.indexOf(event);
    return at < 0 ? [] : related.slice(Math.max(0, at - neighbours), at + neighbours + 1);
  });
}

function eventLine({ tNs, op, process, type, f, ...facts }: HistoryEvent, isProof: boolean): Html {
  const text = `${seconds(tNs).padStart(10)}  #${op}  ${process}  ${type} ${f}  ${JSON.stringify(facts).slice(0, eventCharsMax)}\n`;
  return isProof ? html`<b>${text}</b>` : html`${text}`;
}
