/** `balsa topic move`: says where the replicas of a partition shall be. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import type { Balsa, RaftGroup } from '../../src/mod.ts';
import { CliError, during, usageError } from '../cli-error.ts';
import { withCluster, withExamples } from '../command.ts';
import type { ClusterOptions } from '../command.ts';
import { withBalsa } from '../connection.ts';
import { exitCodes } from '../exit-codes.ts';
import { durationOption, integerOption } from '../format/quantity.ts';
import type { Io } from '../terminal/io.ts';
import { printDone } from '../terminal/output.ts';

interface MoveOptions extends ClusterOptions {
  readonly partition: number;
  readonly replicas: readonly number[];
  readonly wait: boolean;
  readonly waitFor: number;
}

const pollMs = 200;

export function registerTopicMove(parent: Command, io: Io): void {
  const command = withCluster(parent.command('move <topic>'))
    .description(
      'Says which nodes shall hold the replicas of a partition, the preferred leader first. They move in the background while the partition serves; a replica that leaves keeps counting until the new one has caught up.',
    )
    .requiredOption('--partition <n>', 'number of the partition', integerOption('--partition', 0, 9_999))
    .requiredOption('--replicas <nodes>', 'ids of the nodes, separated by commas', parseNodes)
    .option('--no-wait', 'return when the wish is accepted, not when it is fulfilled')
    .option('--wait-for <duration>', 'how long to wait', durationOption('--wait-for'), 60_000)
    .action((topic: string, options: MoveOptions) => move(io, topic, options));
  withExamples(
    command,
    'balsa topic move orders --partition 0 --replicas 1,2,4',
    '# a node shall be emptied: see who holds what, then move each',
    'balsa topic describe orders',
    'balsa topic move orders --partition 3 --replicas 2,4,5 --no-wait',
  );
}

export function parseNodes(text: string): readonly number[] {
  const nodes = text.split(',').map(Number);
  if (nodes.every((node) => Number.isInteger(node) && node >= 1 && node <= nodeMax)) return nodes;
  throw usageError(`"${text}" is no list of node ids`, 'for example --replicas 1,2,4');
}
const nodeMax = 65_535;

async function move(io: Io, topic: string, options: MoveOptions): Promise<void> {
  const { partition, replicas, wait, waitFor } = options;
  const name = `${topic}/${partition}`;
  await withBalsa(io, options, async (balsa) => {
    const accepted = await during(`cannot move ${name}`, () =>
      balsa.admin.topics.setReplicas(topic, partition, replicas, { signal: io.signal }),
    );
    const groupId = accepted.partitions.find((each) => each.partition === partition)?.groupId;
    if (wait && groupId !== undefined) await untilMoved(io, balsa, { name, groupId, replicas, waitForMs: waitFor });
    const done = wait
      ? `${name} is on nodes ${replicas.join(', ')}`
      : `${name} moves to nodes ${replicas.join(', ')}; see balsa raft status`;
    await printDone(io, options.output, done, { topic, partition, replicas, moved: wait });
  });
}

interface Wish {
  readonly name: string;
  readonly groupId: number;
  readonly replicas: readonly number[];
  readonly waitForMs: number;
}

async function untilMoved(io: Io, balsa: Balsa, { name, groupId, replicas, waitForMs }: Wish): Promise<void> {
  const endMs = io.nowMs() + waitForMs;
  for (;;) {
    const { groups } = await balsa.admin.raft.status({ group: groupId }, { signal: io.signal });
    const voters = votersOf(groups.find((group) => group.groupId === groupId));
    if (voters.length === replicas.length && replicas.every((node) => voters.includes(node))) return;
    if (io.nowMs() > endMs) {
      throw new CliError({
        what: `${name} has not moved within ${waitForMs / 1000} s`,
        why: `its members are still nodes ${voters.join(', ')}; the wish is accepted, and the leader goes on with it`,
        next: 'see that the nodes named are up (balsa cluster status), and watch balsa raft status',
        exitCode: exitCodes.unavailable,
      });
    }
    await delay(pollMs, undefined, { signal: io.signal });
  }
}

/** As the leader has them; nobody's if there is none. */
const votersOf = (group: RaftGroup | undefined): readonly number[] =>
  group?.replicas.find(({ nodeId }) => nodeId === group.leader)?.voters ?? [];
