/** `balsa chaos report`: the page of a recorded run, made again. */
import type { Command } from 'commander';
import { writeReport } from '../../report/write-report.ts';
import type { ChaosIo } from '../io.ts';

export function registerReport(parent: Command, io: ChaosIo): void {
  parent
    .command('report')
    .summary('write the report of a recorded run')
    .description(
      'Writes report.html into the folder of a run: one file that needs nothing else, with verdict, timeline, figures and evidence.',
    )
    .argument('<folder>', 'what "balsa chaos run" left behind')
    .addHelpText('after', '\nExamples:\n  npx balsa chaos report .balsa/chaos/kill-leader-20260131-120000')
    .action(async (folder: string) => void io.stdout.write(`${await writeReport(folder)}\n`));
}
