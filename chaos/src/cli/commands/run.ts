/** `balsa chaos run`: one scenario, from the first process to the verdict. */
import type { Command } from 'commander';
import { loadScenario } from '../../scenario/load-scenario.ts';
import { exitCodeOf } from '../exit-codes.ts';
import type { ChaosIo } from '../io.ts';
import { recordFolder, type RunOptions, seedMax, wholeNumber } from '../options.ts';
import type { Finish } from '../program.ts';
import { conduct } from '../conduct.ts';

export function registerRun(parent: Command, io: ChaosIo, finish: Finish): void {
  withRunOptions(parent.command('run'))
    .summary('run a scenario and judge it')
    .description('Starts a cluster, puts load on it, does to it what the scenario says, heals it, reads everything back, and judges.')
    .argument('<scenario>', 'a name (see balsa chaos list) or the path of a YAML file')
    .addHelpText(
      'after',
      '\nExamples:\n  npx balsa chaos run kill-leader\n  npx balsa chaos run kill-leader --repeats 20 --seed 7\n  npx balsa chaos run ./mine.yaml --out /tmp/mine',
    )
    .action(async (name: string, options: RunOptions) => {
      const loaded = await loadScenario(name);
      const scenario = { ...loaded, seed: options.seed ?? loaded.seed, repeats: options.repeats ?? loaded.repeats };
      const command = [
        'npx balsa chaos run',
        name,
        `--seed ${scenario.seed}`,
        ...(options.repeats === undefined ? [] : [`--repeats ${options.repeats}`]),
      ].join(' ');
      const folder = options.out ?? recordFolder(scenario.name, new Date());
      const { result } = await conduct(io, { scenario, folder, command, keepData: options.keepData === true, report: options.report });
      finish(exitCodeOf(result));
    });
}

export function withRunOptions(command: Command): Command {
  return command
    .option('--seed <n>', 'what chance draws from (default: that of the scenario)', wholeNumber(1, seedMax))
    .option('--repeats <n>', 'how often the steps are done (default: that of the scenario)', wholeNumber(1, 1000))
    .option('--out <folder>', 'where the record goes (default: a new one in .balsa/chaos)')
    .option('--keep-data', "keep the brokers' data although everything passed")
    .option('--no-report', 'do not write report.html');
}
