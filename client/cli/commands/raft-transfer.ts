/** `balsa raft transfer`: hands the leadership of a raft group to another replica. */
import type { Command } from 'commander';
import type { Balsa } from '../../src/mod.ts';
import { CliError, during, usageError } from '../cli-error.ts';
import { withCluster, withExamples } from '../command.ts';
import type { ClusterOptions } from '../command.ts';
import { withBalsa } from '../connection.ts';
import { exitCodes } from '../exit-codes.ts';
import { integerOption } from '../format/quantity.ts';
import type { Io } from '../terminal/io.ts';
import { printDone } from '../terminal/output.ts';

interface TransferOptions extends ClusterOptions {
  readonly to?: number;
}

/** A raft group by its id, or by the partition that it replicates. */
export type GroupName = { readonly groupId: number } | { readonly topic: string; readonly partition: number };

export function parseGroupName(text: string): GroupName {
  if (/^\d+$/.test(text)) return { groupId: Number(text) };
  const match = /^([A-Za-z0-9._-]+)\/(\d+)$/.exec(text);
  if (match?.[1] !== undefined) return { topic: match[1], partition: Number(match[2]) };
  throw usageError(`"${text}" names no raft group`, 'give its id (7) or a partition (orders/0)');
}

export function registerRaftTransfer(parent: Command, io: Io): void {
  const command = withCluster(parent.command('transfer <group>'))
    .description('Hands the leadership of a raft group to another replica, without losing or stopping anything.')
    .option('--to <node>', 'the new leader (default: the replica that has most)', integerOption('--to', 1, 65_535))
    .action((group: string, options: TransferOptions) => transfer(io, parseGroupName(group), options));
  withExamples(command, '# by partition', 'balsa raft transfer orders/0 --to 2', '# the metadata group', 'balsa raft transfer 0');
}

async function transfer(io: Io, name: GroupName, options: TransferOptions): Promise<void> {
  await withBalsa(io, options, async (balsa) => {
    const { groupId, leader } = await during('cannot move the leadership', async () => {
      const target = { to: options.to };
      return balsa.admin.raft.transfer(await groupIdOf(io, balsa, name), target, { signal: io.signal });
    });
    await printDone(io, options.output, `raft group ${groupId} is led by node ${leader}`, { groupId, leader });
  });
}

async function groupIdOf(io: Io, balsa: Balsa, name: GroupName): Promise<number> {
  if ('groupId' in name) return name.groupId;
  const { partitions } = await balsa.admin.topics.describe(name.topic, { signal: io.signal });
  const found = partitions.find((partition) => partition.partition === name.partition);
  if (found !== undefined) return found.groupId;
  throw new CliError({
    what: `topic "${name.topic}" has no partition ${name.partition}`,
    why: `it has ${partitions.length}, numbered from 0`,
    next: `balsa topic describe ${name.topic}`,
    exitCode: exitCodes.notFound,
    code: 'UNKNOWN_PARTITION',
  });
}
