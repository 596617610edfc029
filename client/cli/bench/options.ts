/** Options that all bench commands share. */
import { Option } from 'commander';
import type { Command } from 'commander';
import type { Acks } from '../../src/mod.ts';
import { withCluster } from '../command.ts';
import type { ClusterOptions } from '../command.ts';
import { integerOption } from '../format/quantity.ts';

export interface BenchOptions extends ClusterOptions {
  readonly recordBytes: number;
  readonly partitions: number;
  readonly replicas: number;
  readonly acks: Acks;
  readonly keep?: boolean;
}

const recordBytesMax = 16 * 1024 * 1024;

export function withBench(command: Command): Command {
  return withCluster(command)
    .option('--record-bytes <n>', 'size of a value', integerOption('--record-bytes', 8, recordBytesMax), 1024)
    .option('--partitions <n>', 'partitions of the topic', integerOption('--partitions', 1, 10_000), 6)
    .option('--replicas <n>', 'copies of each partition', integerOption('--replicas', 1, 64), 3)
    .addOption(
      new Option('--acks <level>', 'copies that must be on disk before a record counts')
        .choices(['quorum', 'leader', 'none'])
        .default('quorum'),
    )
    .option('--keep', 'do not delete the topic afterwards');
}
