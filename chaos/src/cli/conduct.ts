/** Runs a scenario on a terminal: what happens as it happens, then the outcome and where the record is. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { writeReport } from '../report/write-report.ts';
import { files, type RunOutcome } from '../record/run-record.ts';
import type { TimelineEvent } from '../record/timeline.ts';
import { type RunRequest, runScenario } from '../run/run-scenario.ts';
import { outcomeRows, outcomeSentence } from '../terminal/outcome-text.ts';
import { createScreen } from '../terminal/screen.ts';
import { eventText } from '../terminal/event-text.ts';
import type { ChaosIo } from './io.ts';
import { UsageError } from './usage-error.ts';

export interface Conducted extends Pick<RunRequest, 'scenario' | 'folder' | 'command' | 'keepData'> {
  readonly report: boolean;
}

const count = (value: number): string => value.toLocaleString('en-US');

export async function conduct({ stdout, signal }: ChaosIo, { report, ...request }: Conducted): Promise<RunOutcome> {
  const { scenario, folder } = request;
  if (existsSync(path.join(folder, files.run)))
    throw new UsageError(`${folder} holds the record of another run`, 'give another folder with --out');
  const screen = createScreen(stdout, performance.now());
  screen.step(`${scenario.title} (seed ${scenario.seed}, ${scenario.cluster.nodes} nodes)`);
  let phase = 'starting the cluster';
  const onEvent = (event: TimelineEvent): void => {
    if (event.kind === 'phase') phase = event.repeat > 0 ? `${event.phase} ${event.repeat} of ${scenario.repeats}` : event.phase;
    const text = eventText(event);
    if (text !== undefined) screen.step(text);
  };
  const outcome = await runScenario({
    ...request,
    signal,
    onEvent,
    onProgress: (acked) => screen.progress(`${phase}: ${count(acked)} records acknowledged`),
  });
  screen.table(outcomeRows(outcome));
  screen.sentence(outcomeSentence(outcome), outcome.result === 'pass');
  const page = report ? await writeReport(folder) : undefined;
  screen.step(page === undefined ? `record: ${folder}` : `report: ${page}`);
  if (outcome.result !== 'pass') screen.step(`again:  ${request.command}`);
  return outcome;
}
