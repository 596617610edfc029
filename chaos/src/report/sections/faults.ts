/** Every fault with the proof that it had its effect. */
import type { RunRecord } from '../../record/read-record.ts';
import { type Html, html } from '../html.ts';
import { seconds } from '../quantities.ts';

const faultsMax = 200;
const endings = { schedule: 'as the schedule said', ttl: 'by its time limit', 'final-heal': 'by the final heal' } as const;

export function faultsSection({ timeline }: RunRecord): Html {
  const faults = timeline.filter((event) => event.kind === 'fault-began');
  const rows = faults.slice(0, faultsMax).map(({ fault, tNs, what, repeat }) => {
    const ended = timeline.find((event) => event.kind === 'fault-ended' && event.fault === fault);
    const proofs = timeline.flatMap((event) => (event.kind === 'fault-proven' && event.fault === fault ? event.proofs : []));
    const until = ended?.kind === 'fault-ended' ? `${seconds(ended.tNs)}, ${endings[ended.by]}` : 'the end of the run';
    return html`<tr><td class="text">${what}</td><td>${repeat}</td><td>${seconds(tNs)}</td><td class="text">${until}</td><td class="text">${proofs.map(
      ({ claim, holds, evidence }) =>
        html`<div><span class="${holds ? 'ok' : 'no'}">${holds ? '✓' : '✗'}</span> ${claim} <span class="soft">(${evidence})</span></div>`,
    )}</td></tr>`;
  });
  return html`<h2>Faults, and the proof that they had an effect</h2>
    <details ${faults.length <= openMax ? html`open` : html``}><summary>${faults.length} faults${faults.length > faultsMax ? `, the first ${faultsMax}` : ''}</summary>
    <div class="scroll"><table><thead><tr><th class="text">fault</th><th>repeat</th><th>from</th><th class="text">until</th><th class="text">proof</th></tr></thead>
    <tbody>${rows}</tbody></table></div></details>`;
}
const openMax = 5;
