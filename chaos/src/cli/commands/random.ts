/** `balsa chaos random`: a mix of faults that the seed draws. */
import type { Command } from 'commander';
import { randomScenario } from '../../scenario/random-scenario.ts';
import { scenarioText } from '../../scenario/load-scenario.ts';
import { conduct } from '../conduct.ts';
import { exitCodeOf } from '../exit-codes.ts';
import type { ChaosIo } from '../io.ts';
import { recordFolder, type RunOptions, seedMax, wholeNumber } from '../options.ts';
import type { Finish } from '../program.ts';

interface RandomOptions extends RunOptions {
  readonly minutes: number;
  readonly print?: boolean;
}

const minutesMax = 24 * 60;

export function registerRandom(parent: Command, io: ChaosIo, finish: Finish): void {
  parent
    .command('random')
    .summary('run what chance draws')
    .description('Draws which kinds of faults there are, when they strike and whom. The same seed is the same scenario.')
    .option('--minutes <n>', 'how long faults strike', wholeNumber(1, minutesMax), 5)
    .option('--seed <n>', 'what chance draws from (default: a fresh one, which is printed)', wholeNumber(1, seedMax))
    .option('--print', 'write the scenario as YAML and do not run it')
    .option('--out <folder>', 'where the record goes (default: a new one in .balsa/chaos)')
    .option('--keep-data', "keep the brokers' data although everything passed")
    .option('--no-report', 'do not write report.html')
    .addHelpText(
      'after',
      '\nExamples:\n  npx balsa chaos random --minutes 10\n  npx balsa chaos random --minutes 10 --seed 7\n  npx balsa chaos random --seed 7 --print > mine.yaml',
    )
    .action(async ({ minutes, seed = freshSeed(), print, out, keepData, report }: RandomOptions) => {
      const scenario = randomScenario({ minutes, seed });
      if (print === true) return void io.stdout.write(scenarioText(scenario));
      const command = `npx balsa chaos random --minutes ${minutes} --seed ${seed}`;
      const folder = out ?? recordFolder(scenario.name, new Date());
      const { result } = await conduct(io, { scenario, folder, command, keepData: keepData === true, report });
      finish(exitCodeOf(result));
    });
}

const freshSeed = (): number => 1 + Math.floor(Math.random() * seedMax);
