/** `balsa raft status`: leader, term, commit, applied, durable and lag of every replica. */
import type { Command } from 'commander';
import { during, usageError } from '../cli-error.ts';
import { withCluster, withExamples } from '../command.ts';
import type { ClusterOptions } from '../command.ts';
import { withBalsa } from '../connection.ts';
import { integerOption } from '../format/quantity.ts';
import { noAnswer, raftRows } from '../format/raft-rows.ts';
import type { RaftRow } from '../format/raft-rows.ts';
import type { Column, Style } from '../format/table.ts';
import type { Io } from '../terminal/io.ts';
import { note, printRows } from '../terminal/output.ts';

interface StatusOptions extends ClusterOptions {
  readonly group?: number;
  readonly topic?: string;
}

const columns: readonly Column<RaftRow>[] = [
  { title: 'GROUP', cell: (row) => row.groupId, align: 'right' },
  { title: 'NAME', cell: (row) => row.name },
  { title: 'NODE', cell: (row) => row.nodeId, align: 'right' },
  { title: 'ROLE', cell: roleText, style: roleStyle },
  { title: 'TERM', cell: (row) => row.term ?? '-', align: 'right' },
  { title: 'COMMIT', cell: (row) => row.commit ?? '-', align: 'right' },
  { title: 'APPLIED', cell: (row) => row.applied ?? '-', align: 'right' },
  { title: 'DURABLE', cell: (row) => row.durable ?? '-', align: 'right' },
  { title: 'LAG', cell: (row) => row.lag ?? '-', align: 'right', style: (row) => ((row.lag ?? 0) > 0 ? 'yellow' : undefined) },
  { title: 'ACTIVE', cell: (row) => (row.active === null ? '-' : row.active ? 'yes' : 'no') },
];

export function roleText({ role, faulty, leaving }: RaftRow): string {
  return [role, ...(faulty ? ['damaged'] : []), ...(leaving ? ['leaving'] : [])].join(', ');
}

function roleStyle(row: RaftRow): Style | undefined {
  if (row.faulty || row.role === noAnswer || row.role.endsWith('candidate')) return 'red';
  return row.role === 'leader' ? 'green' : undefined;
}

export function registerRaftStatus(parent: Command, io: Io): void {
  const command = withCluster(parent.command('status'))
    .description('Shows every replica of every raft group as it sees itself. Lag is in entries, as the leader knows it.')
    .option('-g, --group <id>', 'only this raft group; 0 is the metadata', integerOption('--group', 0))
    .option('-t, --topic <topic>', 'only the partitions of this topic')
    .action((options: StatusOptions) => status(io, options));
  withExamples(command, 'balsa raft status', 'balsa raft status --topic orders', "balsa raft status -o jsonl | jq 'select(.lag > 0)'");
}

async function status(io: Io, options: StatusOptions): Promise<void> {
  const { group, topic } = options;
  if (group !== undefined && topic !== undefined) throw usageError('--group and --topic exclude each other', 'give one of them');
  await withBalsa(io, options, async (balsa) => {
    const raft = await during('cannot read the status of the raft groups', async () => {
      if (topic !== undefined) await balsa.admin.topics.describe(topic, { signal: io.signal });
      return balsa.admin.raft.status({ group }, { signal: io.signal });
    });
    const groups = topic === undefined ? raft.groups : raft.groups.filter((each) => each.topic === topic);
    await printRows(io, options.output, raftRows(groups), columns);
    for (const { nodeId, error } of raft.unreachable) note(io, `node ${nodeId} does not answer (${error.code})`);
  });
}
