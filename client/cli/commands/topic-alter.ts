/** `balsa topic alter`. */
import type { Command } from 'commander';
import { during, usageError } from '../cli-error.ts';
import { withCluster, withExamples } from '../command.ts';
import type { ClusterOptions } from '../command.ts';
import { withBalsa } from '../connection.ts';
import { integerOption } from '../format/quantity.ts';
import { collectSetting, formatConfig } from '../format/topic-config.ts';
import type { Io } from '../terminal/io.ts';
import { printDone } from '../terminal/output.ts';

interface AlterOptions extends ClusterOptions {
  readonly partitions?: number;
  readonly config: Readonly<Record<string, string>>;
}

export function registerTopicAlter(parent: Command, io: Io): void {
  const command = withCluster(parent.command('alter <topic>'))
    .description('Adds partitions to a topic or changes its settings. Records with a key may go to another partition afterwards.')
    .option('--partitions <n>', 'new total; it cannot shrink', integerOption('--partitions', 1, 10_000))
    .option('-c, --config <name=value>', 'a setting; an empty value returns to the default', collectSetting, {})
    .action((topic: string, options: AlterOptions) => alter(io, topic, options));
  withExamples(command, 'balsa topic alter orders --partitions 12', '# back to the default', 'balsa topic alter orders -c retention.ms=');
}

async function alter(io: Io, name: string, options: AlterOptions): Promise<void> {
  const { partitions, config } = options;
  if (partitions === undefined && Object.keys(config).length === 0) {
    throw usageError('nothing to change', 'give --partitions or --config');
  }
  await withBalsa(io, options, async (balsa) => {
    const change = { partitions, config };
    const topic = await during(`cannot alter topic "${name}"`, () => balsa.admin.topics.alter(name, change, { signal: io.signal }));
    const settings = formatConfig(topic.config) || 'default settings';
    await printDone(io, options.output, `topic ${name}: ${topic.partitions.length} partitions, ${settings}`, topic);
  });
}
