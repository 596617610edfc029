/** Where and how the run was made, and how to make it again. */
import { scenarioText } from '../../scenario/load-scenario.ts';
import type { RunRecord } from '../../record/read-record.ts';
import { type Html, html } from '../html.ts';
import { milliseconds, seconds } from '../quantities.ts';

const remarksMax = 100;

export function surroundingsSection({ description, timeline }: RunRecord): Html {
  const { environment, scenario, seed, command } = description;
  const { startedAt, nodeVersion, platform, cpuModel, cpus, memoryBytes, fsyncMs, loadBefore, commit } = environment;
  const facts: readonly (readonly [string, string])[] = [
    ['started', startedAt],
    ['machine', `${cpus} × ${cpuModel}, ${(memoryBytes / 2 ** 30).toFixed(0)} GiB, ${platform}`],
    ['brokers and clients', `share this machine; Node ${nodeVersion}`],
    ['write of 1 KiB and fdatasync', `p50 ${milliseconds(fsyncMs.p50)}, p99 ${milliseconds(fsyncMs.p99)}`],
    ['load average before', loadBefore.toFixed(2)],
    ['sources', commit ?? 'not in a checkout'],
    ['seed', String(seed)],
  ];
  const remarks = timeline.flatMap((event) => (event.kind === 'remark' ? [`${seconds(event.tNs)}  ${event.text}\n`] : []));
  return html`<h2>How it was made</h2>
    <p>Again: <code>${command}</code></p>
    <div class="scroll"><table><tbody>${facts.map(([name, value]) => html`<tr><td>${name}</td><td class="text">${value}</td></tr>`)}</tbody></table></div>
    ${remarks.length === 0 ? html`` : html`<details><summary>${remarks.length} remarks</summary><pre>${remarks.slice(0, remarksMax)}</pre></details>`}
    <details><summary>Scenario</summary><pre>${scenarioText(scenario)}</pre></details>`;
}
