/** `balsa topic list`. */
import type { Command } from 'commander';
import type { TopicDescription } from '../../src/mod.ts';
import { during } from '../cli-error.ts';
import { withCluster, withExamples } from '../command.ts';
import type { ClusterOptions } from '../command.ts';
import { withBalsa } from '../connection.ts';
import type { Column } from '../format/table.ts';
import { formatConfig } from '../format/topic-config.ts';
import type { Io } from '../terminal/io.ts';
import { printRows } from '../terminal/output.ts';

const leaderless = (topic: TopicDescription): number => topic.partitions.filter((partition) => partition.leader === undefined).length;

const columns: readonly Column<TopicDescription>[] = [
  { title: 'TOPIC', cell: (topic) => topic.name },
  { title: 'PARTITIONS', cell: (topic) => topic.partitions.length, align: 'right' },
  { title: 'REPLICAS', cell: (topic) => topic.replicas, align: 'right' },
  { title: 'LEADERLESS', cell: leaderless, align: 'right', style: (topic) => (leaderless(topic) > 0 ? 'red' : undefined) },
  { title: 'SETTINGS', cell: (topic) => formatConfig(topic.config) },
];

export function registerTopicList(parent: Command, io: Io): void {
  const command = withCluster(parent.command('list'))
    .alias('ls')
    .description('Lists all topics.')
    .action((options: ClusterOptions) =>
      withBalsa(io, options, async (balsa) => {
        const topics = await during('cannot list the topics', () => balsa.admin.topics.list({ signal: io.signal }));
        await printRows(io, options.output, topics, columns);
      }),
    );
  withExamples(command, 'balsa topic list', "balsa topic list -o jsonl | jq -r '.name'");
}
