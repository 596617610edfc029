/** `balsa chaos study`: what a setting buys and what it risks, measured. */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Command } from 'commander';
import { loadStudy } from '../../study/load-study.ts';
import { runStudy, type StudyResults } from '../../study/run-study.ts';
import { studyDrawings, studyMarkdown, studyPage } from '../../study/study-page.ts';
import { milliseconds } from '../../report/quantities.ts';
import { createScreen } from '../../terminal/screen.ts';
import type { ChaosIo } from '../io.ts';
import { recordFolder } from '../options.ts';

const pageFile = 'study.html';

interface StudyOptions {
  readonly out?: string;
}

export function registerStudy(parent: Command, io: ChaosIo): void {
  parent
    .command('study')
    .summary('compare settings: throughput, latency, failover, and what is at risk')
    .description(
      'Runs the experiments of a study at each of its points and writes one table and one set of plots (study.html, study.md, *.svg), anew after each point.',
    )
    .argument('<study>', 'a name (chaos/studies) or the path of a YAML file')
    .option('--out <folder>', 'where the record goes (default: a new one in .balsa/chaos)')
    .addHelpText('after', '\nExamples:\n  npx balsa chaos study trade-offs\n  npx balsa chaos study ./mine.yaml --out /tmp/mine')
    .action(async (name: string, { out }: StudyOptions) => {
      const study = await loadStudy(name);
      const folder = out ?? recordFolder(study.name, new Date());
      const screen = createScreen(io.stdout, performance.now());
      screen.step(study.title);
      await runStudy({
        study,
        folder,
        signal: io.signal,
        onPoint: (results) => writeStudy(results, folder),
        onExperiment: (point, experiment, measures, problem) => {
          const gap = measures?.writeGapMs === undefined ? '' : `, longest gap ${milliseconds(measures.writeGapMs.max)}`;
          const text =
            measures === undefined
              ? `did not work: ${problem}`
              : `${Math.round(measures.ackedPerSecond)} records/s${gap}, ${measures.ackedAndGone} gone`;
          screen.step(`${experiment.padEnd(12)} ${point}: ${text}`);
        },
      });
      screen.step(`page: ${path.join(folder, pageFile)}`);
    });
}

async function writeStudy(results: StudyResults, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, 'results.json'), `${JSON.stringify(results, undefined, 2)}\n`);
  await writeFile(path.join(folder, pageFile), studyPage(results));
  for (const { name, svg } of studyDrawings(results)) await writeFile(path.join(folder, `${name}.svg`), svg);
  await writeFile(
    path.join(folder, 'study.md'),
    studyMarkdown(results, ({ name }) => `${name}.svg`),
  );
}
