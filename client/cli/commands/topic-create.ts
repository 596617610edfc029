/** `balsa topic create`. */
import type { Command } from 'commander';
import { during } from '../cli-error.ts';
import { withCluster, withExamples } from '../command.ts';
import type { ClusterOptions } from '../command.ts';
import { withBalsa } from '../connection.ts';
import { integerOption } from '../format/quantity.ts';
import { collectSetting } from '../format/topic-config.ts';
import type { Io } from '../terminal/io.ts';
import { printDone } from '../terminal/output.ts';

interface CreateOptions extends ClusterOptions {
  readonly partitions?: number;
  readonly replicas?: number;
  readonly config: Readonly<Record<string, string>>;
}

export function registerTopicCreate(parent: Command, io: Io): void {
  const command = withCluster(parent.command('create <topic>'))
    .description('Creates a topic and places its replicas.')
    .option('--partitions <n>', "number of partitions (default: the brokers')", integerOption('--partitions', 1, 10_000))
    .option('--replicas <n>', 'copies of each partition (default: 3, or all brokers if fewer)', integerOption('--replicas', 1, 64))
    .option('-c, --config <name=value>', 'a setting; repeat for several', collectSetting, {})
    .action((topic: string, options: CreateOptions) => create(io, topic, options));
  withExamples(
    command,
    'balsa topic create orders --partitions 6',
    'balsa topic create events --partitions 12 --replicas 3 -c retention.ms=86400000',
  );
}

async function create(io: Io, name: string, options: CreateOptions): Promise<void> {
  const { partitions, replicas, config } = options;
  await withBalsa(io, options, async (balsa) => {
    const spec = { partitions, replicas, config };
    const topic = await during(`cannot create topic "${name}"`, () => balsa.admin.topics.create(name, spec, { signal: io.signal }));
    const shape = `${topic.partitions.length} partitions, ${topic.replicas} replicas each`;
    await printDone(io, options.output, `topic ${topic.name} created: ${shape}`, topic);
  });
}
