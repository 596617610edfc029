/** `balsa chaos list`: what can be run, what can be done to a cluster, and what this machine allows. */
import type { Command } from 'commander';
import { catalogue } from '../../nemesis/catalogue.ts';
import { families } from '../../nemesis/fault.ts';
import { detectCapabilities } from '../../netns/capabilities.ts';
import { loadScenario, scenarioNames } from '../../scenario/load-scenario.ts';
import type { ChaosIo } from '../io.ts';

export function registerList(parent: Command, io: ChaosIo): void {
  parent
    .command('list')
    .summary('show scenarios, faults, and what this machine allows')
    .option('--json', 'as one JSON document')
    .addHelpText('after', '\nExamples:\n  npx balsa chaos list\n  npx balsa chaos list --json')
    .action(async ({ json }: { readonly json?: boolean }) => {
      const scenarios = await Promise.all((await scenarioNames()).map(loadScenario));
      const faults = [...catalogue.values()].map(({ name, family, summary, needs }) => ({ name, family, summary, needs }));
      const capabilities = await detectCapabilities();
      if (json === true) {
        const named = scenarios.map(({ name, title, about }) => ({ name, title, about }));
        io.stdout.write(`${JSON.stringify({ scenarios: named, faults, capabilities }, undefined, 2)}\n`);
        return;
      }
      const lines = [
        ...section(
          'Scenarios (balsa chaos run NAME)',
          scenarios.map(({ name, title }) => [name, title]),
        ),
        ...families.flatMap((family) =>
          section(
            `Faults: ${family}`,
            faults
              .filter((fault) => fault.family === family)
              .map(({ name, summary, needs }) => [name, needs.length === 0 ? summary : `${summary} (${needs.join(', ')})`]),
          ),
        ),
        ...section(
          'This machine',
          capabilities.map(({ name, available, reason }) => [name, `${available ? 'yes' : 'no'}: ${reason}`]),
        ),
      ];
      io.stdout.write(lines.map((line) => `${line}\n`).join(''));
    });
}

function section(title: string, rows: readonly (readonly [string, string])[]): readonly string[] {
  const width = Math.max(0, ...rows.map(([name]) => name.length));
  return [title, ...rows.map(([name, text]) => `  ${name.padEnd(width)}  ${text}`), ''];
}
