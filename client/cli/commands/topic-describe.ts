/** `balsa topic describe`: leaders, replicas and offsets of every partition. */
import type { Command } from 'commander';
import { BalsaError } from '../../src/mod.ts';
import type { Balsa, TopicDescription } from '../../src/mod.ts';
import { during } from '../cli-error.ts';
import { withCluster, withExamples } from '../command.ts';
import type { ClusterOptions } from '../command.ts';
import { withBalsa } from '../connection.ts';
import type { Column } from '../format/table.ts';
import { formatConfig } from '../format/topic-config.ts';
import type { Io } from '../terminal/io.ts';
import { note, printFacts, printRows } from '../terminal/output.ts';

interface PartitionRow {
  readonly partition: number;
  readonly groupId: number;
  readonly leader: number | null;
  readonly term: number;
  readonly replicas: readonly number[];
  /** First offset kept (inclusive) and first not yet readable (exclusive); null if no leader answered. */
  readonly earliest: number | null;
  readonly latest: number | null;
}

const columns: readonly Column<PartitionRow>[] = [
  { title: 'PARTITION', cell: (row) => row.partition, align: 'right' },
  { title: 'LEADER', cell: (row) => row.leader ?? 'none', align: 'right', style: (row) => (row.leader === null ? 'red' : undefined) },
  { title: 'TERM', cell: (row) => row.term, align: 'right' },
  { title: 'REPLICAS', cell: (row) => row.replicas.join(',') },
  { title: 'EARLIEST', cell: (row) => row.earliest ?? '-', align: 'right' },
  { title: 'LATEST', cell: (row) => row.latest ?? '-', align: 'right' },
  { title: 'RAFT GROUP', cell: (row) => row.groupId, align: 'right' },
];

export function registerTopicDescribe(parent: Command, io: Io): void {
  const command = withCluster(parent.command('describe <topic>'))
    .description('Shows the settings of a topic and the leader, replicas and offsets of each partition.')
    .action((topic: string, options: ClusterOptions) => describe(io, topic, options));
  withExamples(command, 'balsa topic describe orders', "balsa topic describe orders -o json | jq '.partitions[].leader'");
}

async function describe(io: Io, name: string, options: ClusterOptions): Promise<void> {
  await withBalsa(io, options, async (balsa) => {
    const topic = await during(`cannot describe topic "${name}"`, () => balsa.admin.topics.describe(name, { signal: io.signal }));
    const partitions = await partitionRows(io, balsa, topic);
    const { replicas, config } = topic;
    if (options.output !== 'table') return printFacts(io, options.output, { name, replicas, config, partitions }, []);
    await printFacts(io, 'table', topic, [
      ['topic', name],
      ['partitions', partitions.length],
      ['replicas', replicas],
      ['settings', formatConfig(config) || 'defaults'],
    ]);
    io.stdout.write('\n');
    await printRows(io, 'table', partitions, columns);
  });
}

/** Offsets need every leader; without one, the rest is still worth showing. */
async function partitionRows(io: Io, balsa: Balsa, topic: TopicDescription): Promise<readonly PartitionRow[]> {
  const offsets = await balsa
    .topic(topic.name)
    .offsets({ signal: io.signal })
    .catch((cause: unknown) => {
      if (!(cause instanceof BalsaError) || cause.code === 'ABORTED') throw cause;
      note(io, `offsets are not known: ${cause.message}`);
      return [];
    });
  return topic.partitions.map(({ partition, groupId, leader, term, replicas }) => {
    const known = offsets.find((each) => each.partition === partition);
    const [earliest, latest] = known === undefined ? [null, null] : [Number(known.earliest), Number(known.latest)];
    return { partition, groupId, leader: leader ?? null, term, replicas, earliest, latest };
  });
}
