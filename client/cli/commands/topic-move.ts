/** `balsa topic move`: says where the replicas of a partition shall be, and waits for it if asked to. */
import { Option } from 'commander';
import type { Command } from 'commander';
import type { TopicDescription } from '../../src/mod.ts';
import { during, usageError } from '../cli-error.ts';
import { withCluster, withExamples } from '../command.ts';
import type { ClusterOptions } from '../command.ts';
import { withBalsa } from '../connection.ts';
import { durationOption, integerOption } from '../format/quantity.ts';
import { untilMoved } from '../replica-move.ts';
import type { Io } from '../terminal/io.ts';
import { printDone } from '../terminal/output.ts';

interface MoveOptions extends ClusterOptions {
  readonly partition: number;
  readonly replicas: readonly number[];
  readonly wait?: boolean;
  readonly waitFor: number;
}

const replicasMax = 7;
const nodeMax = 65_535;
const waitMsDefault = 600_000;

export function registerTopicMove(parent: Command, io: Io): void {
  const command = withCluster(parent.command('move <topic>'))
    .description(
      'Says which nodes shall hold the replicas of a partition, all of them, the preferred leader first. The partition serves on meanwhile: a new replica copies first and counts when it has caught up; only then do others leave.',
    )
    .requiredOption('-p, --partition <number>', 'the partition', integerOption('--partition', 0))
    .requiredOption('--replicas <nodes>', 'ids of the nodes, separated by commas', parseNodes)
    .option('--wait', 'return when the replicas are there, not when the order is accepted')
    .addOption(
      new Option('--wait-for <duration>', 'wait, but no longer than this')
        .argParser(durationOption('--wait-for'))
        .default(waitMsDefault, '10m')
        .implies({ wait: true }),
    )
    .action((topic: string, options: MoveOptions) => move(io, topic, options));
  withExamples(
    command,
    'balsa topic move orders --partition 0 --replicas 1,2,4 --wait',
    '# who holds what, what was ordered, and how far it is',
    'balsa topic describe orders',
    'balsa raft status --topic orders',
    '# a second and a third copy of a partition that has one on node 1',
    'balsa topic move orders --partition 3 --replicas 1,2,3',
  );
}

export function parseNodes(text: string): readonly number[] {
  const nodes = text.split(',').map((part) => (/^\d+$/.test(part) ? Number(part) : Number.NaN));
  const areNodes = nodes.every((node) => node >= 1 && node <= nodeMax);
  if (areNodes && new Set(nodes).size === nodes.length && nodes.length <= replicasMax) return nodes;
  throw usageError(`--replicas is "${text}"`, `give 1 to ${replicasMax} ids of nodes, each once, for example 1,2,4 (balsa cluster status)`);
}

async function move(io: Io, topic: string, options: MoveOptions): Promise<void> {
  const { partition, replicas, wait = false, waitFor } = options;
  const name = `${topic}/${partition}`;
  await withBalsa(io, options, async (balsa) => {
    const placed = await during(`cannot move the replicas of ${name}`, () =>
      balsa.admin.topics.setReplicas(topic, partition, replicas, { signal: io.signal }),
    );
    const groupId = groupOf(placed, partition);
    if (wait) await untilMoved(io, balsa, { name, groupId, replicas, waitMs: waitFor });
    const done = wait
      ? `${name} is on nodes ${replicas.join(', ')}`
      : `${name} moves to nodes ${replicas.join(', ')}; see balsa raft status`;
    await printDone(io, options.output, done, { topic, partition, groupId, replicas, moved: wait });
  });
}

function groupOf({ name, partitions }: TopicDescription, partition: number): number {
  const found = partitions.find((each) => each.partition === partition);
  if (found === undefined) throw new Error(`the broker accepted replicas for ${name}/${partition} and does not name it`);
  return found.groupId;
}
