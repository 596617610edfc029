/** The specification accepts what whole hosts do: journal, checkpoints, snapshots, transfers, crashes, damage. */
import type { Event } from './raft-spec.ts';
import { traceObserver } from '@balsa/node/host/trace.ts';
import { expect, test } from 'vitest';
import { bytes, group, type HostCluster, type HostNode, startHosts } from '../unit/host/host-cluster.ts';
import { createRaftSpec } from './raft-spec.ts';

const quorum = { durability: 'quorum', timeoutMs: 5000 } as const;

async function observedHosts(count: number): Promise<{ readonly cluster: HostCluster; readonly kinds: Map<string, number> }> {
  const spec = createRaftSpec();
  const kinds = new Map<string, number>();
  const cluster = await startHosts(count, { checkpointCommands: 10 }, {}, (node) =>
    traceObserver(node, (event) => {
      spec.observe(event);
      const kind = kindOf(event);
      kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    }),
  );
  return { cluster, kinds };
}

const kindOf = (event: Event): string =>
  event.type !== 'step' ? event.type : event.input.type === 'message' ? event.input.message.kind : event.input.type;

/** Writes, and writes again what a change of leaders interrupted; then reads. */
async function write(cluster: HostCluster, count: number): Promise<void> {
  for (let written = 0; written < count; ) {
    const leader = await cluster.elect();
    const proposal = leader.host.propose(group, bytes(`item ${written}`), quorum);
    written += await cluster.settle(
      proposal.then(
        () => 1,
        () => 0,
      ),
    );
  }
  const leader = await cluster.elect();
  await cluster.settle(leader.host.confirmRead(group, 1000));
}

const followersOf = (cluster: HostCluster): readonly HostNode[] => cluster.nodes.filter((node) => node !== cluster.leader());

async function untilEqual({ clock, nodes }: HostCluster): Promise<void> {
  const states = (): readonly string[] => nodes.map(({ machine }) => machine.items().join());
  await clock.until('all replicas are equal', () => new Set(states()).size === 1, 20_000);
  expect(nodes.flatMap(({ fatal }) => fatal)).toEqual([]);
}

test('crashes of the leader, of a follower and of all nodes at once', async () => {
  const { cluster, kinds } = await observedHosts(3);
  for (let round = 0; round < 4; round += 1) {
    await write(cluster, 5);
    const victims = [[await cluster.elect()], [followersOf(cluster)[0]!], cluster.nodes][round % 3]!;
    const under = cluster
      .leader()!
      .host.propose(group, bytes(`under way ${round}`), quorum)
      .catch(() => {});
    for (const victim of victims) cluster.kill(victim);
    if (victims.length === 1) await write(cluster, 2);
    for (const victim of victims) await cluster.restart(victim);
    void under;
  }
  await write(cluster, 1);
  await untilEqual(cluster);
  expect(kinds.get('recovered')).toBe(3 + 1 + 1 + 3 + 1);
});

test('snapshots, compaction, transfers and changes of membership', async () => {
  const { cluster, kinds } = await observedHosts(3);
  await write(cluster, 1);
  const [behind, target] = followersOf(cluster) as [HostNode, HostNode];
  cluster.kill(behind);
  await write(cluster, 35);
  const leader = cluster.leader()!;
  for (const { machine } of cluster.nodes) machine.keepFrom = 25;
  await cluster.settle(leader.host.compact(group));
  await cluster.restart(behind);
  await untilEqual(cluster);
  await cluster.settle(leader.host.transfer(group, target.id, 2000));
  await write(cluster, 1);
  const next = await cluster.elect();
  await cluster.settle(next.host.changeMembership(group, { voters: [next.id, leader.id], learners: [behind.id] }, 5000));
  await write(cluster, 3);
  await cluster.settle(next.host.changeMembership(group, { voters: [behind.id, leader.id], learners: [next.id] }, 5000));
  await write(cluster, 3);
  await untilEqual(cluster);
  for (const kind of ['compact', 'snapshot-request', 'timeout-now', 'change-membership', 'read', 'persisted']) {
    expect(kinds.get(kind), kind).toBeGreaterThan(0);
  }
});

test('a damaged replica is silent, and comes back with what its peers gave it', async () => {
  const { cluster, kinds } = await observedHosts(3);
  await write(cluster, 8);
  const [damaged] = followersOf(cluster) as [HostNode];
  cluster.kill(damaged);
  const [file = ''] = await damaged.disk.list('journal');
  const at = Buffer.from(damaged.disk.bytesOf(`journal/${file}`)).indexOf('item 4');
  const open = await damaged.disk.openFile(`journal/${file}`, 'write');
  await open.write(at, [Buffer.from('#')]);
  await open.datasync();
  await open.close();
  await cluster.restart(damaged);
  await cluster.clock.until('repaired', () => damaged.host.status(group)?.faulty === false, 15_000);
  await write(cluster, 2);
  await untilEqual(cluster);
  expect(kinds.get('damaged')).toBe(1);
  expect(kinds.get('recovered')).toBe(3 + 1);
});
