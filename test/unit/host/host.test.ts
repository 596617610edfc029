import { HostError } from '@balsa/node/host/vocabulary.ts';
import { describe, expect, test } from 'vitest';
import { bytes, group, type HostCluster, type HostNode, startHosts } from './host-cluster.ts';

const quorum = { durability: 'quorum', timeoutMs: 5000 } as const;

const reasonOf = (error: unknown): string => (error instanceof HostError ? error.refusal.reason : String(error));

async function propose(cluster: HostCluster, node: HostNode, text: string): Promise<number> {
  const result = await cluster.settle(node.host.propose(group, bytes(text), quorum));
  return result.outcome as number;
}

describe('three hosts', () => {
  test('elect a leader, replicate in order, and answer with outcome and copies', async () => {
    const cluster = await startHosts(3);
    const leader = await cluster.elect();
    const results = await cluster.settle(Promise.all(['a', 'b', 'c'].map((text) => leader.host.propose(group, bytes(text), quorum))));
    expect(results.map(({ outcome }) => outcome)).toEqual([0, 1, 2]);
    for (const { durableCopies } of results) expect(durableCopies).toBeGreaterThanOrEqual(2);
    await cluster.clock.until('all have applied', () => cluster.nodes.every(({ machine }) => machine.items().length === 3), 2000);
    for (const node of cluster.nodes) expect(node.machine.items()).toEqual(['a', 'b', 'c']);
  });

  test('a follower refuses and names the leader', async () => {
    const cluster = await startHosts(3);
    const leader = await cluster.elect();
    const follower = cluster.nodes.find((node) => node !== leader)!;
    const error = await follower.host.propose(group, bytes('x'), quorum).catch((thrown: unknown) => thrown);
    expect((error as HostError).refusal).toMatchObject({ reason: 'not-leader', leader: leader.id });
  });

  test('a killed leader is replaced well under a second, and nothing acknowledged is lost', async () => {
    const cluster = await startHosts(3);
    const first = await cluster.elect();
    for (let i = 0; i < 20; i += 1) await propose(cluster, first, `item ${i}`);
    const killedMs = cluster.clock.monotonicMs();
    cluster.kill(first);
    const second = await cluster.elect();
    expect(cluster.clock.monotonicMs() - killedMs).toBeLessThan(500);
    expect(await propose(cluster, second, 'after')).toBe(20);
    await cluster.restart(first);
    await cluster.clock.until('the old leader caught up', () => first.machine.items().length === 21, 5000);
    expect(first.machine.items()).toEqual(second.machine.items());
  });

  test('everything acknowledged survives a crash of all nodes at once', async () => {
    const cluster = await startHosts(3);
    const leader = await cluster.elect();
    for (let i = 0; i < 5; i += 1) await propose(cluster, leader, `item ${i}`);
    for (const node of cluster.nodes) cluster.kill(node);
    for (const node of cluster.nodes) await cluster.restart(node);
    const next = await cluster.elect();
    expect(await propose(cluster, next, 'after')).toBe(5);
  });

  test('without a majority nothing is acknowledged or read, and it heals by itself', async () => {
    const cluster = await startHosts(3);
    const leader = await cluster.elect();
    const [one, two] = cluster.nodes.filter((node) => node !== leader) as [HostNode, HostNode];
    cluster.kill(one);
    cluster.kill(two);
    const write = cluster.settle(leader.host.propose(group, bytes('lonely'), { ...quorum, timeoutMs: 3000 }));
    expect(reasonOf(await write.catch((error: unknown) => error))).toMatch(/leader-changed|timeout/);
    const read = await cluster.settle(leader.host.confirmRead(group, 1000)).catch((error: unknown) => error);
    expect(reasonOf(read)).toMatch(/not-leader|timeout/);
    await cluster.restart(one);
    const next = await cluster.elect();
    await propose(cluster, next, 'together');
    expect(next.machine.items()).toContain('together');
  });

  test('a confirmed read sees everything acknowledged before it', async () => {
    const cluster = await startHosts(3);
    const leader = await cluster.elect();
    await propose(cluster, leader, 'written');
    const index = await cluster.settle(leader.host.confirmRead(group, 1000));
    expect(index).toBe(leader.host.status(group)?.applied);
    expect(leader.machine.items()).toEqual(['written']);
  });

  test('leadership moves on request', async () => {
    const cluster = await startHosts(3);
    const leader = await cluster.elect();
    const target = cluster.nodes.find((node) => node !== leader)!;
    expect(await cluster.settle(leader.host.transfer(group, target.id, 2000))).toBe(target.id);
    expect((await cluster.elect()).id).toBe(target.id);
  });

  test('a restart uses a checkpoint, and the log is cut where the machine allows', async () => {
    const cluster = await startHosts(3, { checkpointCommands: 10 });
    const leader = await cluster.elect();
    for (let i = 0; i < 35; i += 1) await propose(cluster, leader, `item ${i}`);
    for (const { machine } of cluster.nodes) machine.keepFrom = 25;
    await cluster.settle(leader.host.compact(group));
    await cluster.clock.until('the log starts later', () => (leader.host.status(group)?.first ?? 0) > 20, 2000);
    cluster.kill(leader);
    await cluster.restart(leader);
    await cluster.elect();
    await cluster.clock.until('caught up', () => leader.machine.items().length === 35, 5000);
    expect(leader.machine.items()).toEqual(Array.from({ length: 35 }, (_, i) => `item ${i}`));
  });

  test('a replica behind the start of the log gets a snapshot', async () => {
    const cluster = await startHosts(3, { checkpointCommands: 10 });
    const leader = await cluster.elect();
    const behind = cluster.nodes.find((node) => node !== leader)!;
    await propose(cluster, leader, 'item 0');
    cluster.kill(behind);
    for (let i = 1; i < 35; i += 1) await propose(cluster, leader, `item ${i}`);
    leader.machine.keepFrom = 25;
    await cluster.settle(leader.host.compact(group));
    await cluster.clock.until('the log starts later', () => (leader.host.status(group)?.first ?? 0) > 20, 2000);
    await cluster.restart(behind);
    await cluster.clock.until('caught up', () => behind.machine.items().length === 35, 10_000);
    expect(behind.machine.items()).toEqual(leader.machine.items());
    expect(behind.fatal).toEqual([]);
  });

  test('a removed replica stops taking part', async () => {
    const cluster = await startHosts(3);
    const leader = await cluster.elect();
    const rest = cluster.nodes.filter((node) => node !== leader);
    const removed = rest[0]!;
    await propose(cluster, leader, 'with all');
    await cluster.settle(leader.host.changeMembership(group, { voters: [leader.id, rest[1]!.id], learners: [] }, 5000));
    await propose(cluster, leader, 'without it');
    expect(leader.host.status(group)?.membership.voters).not.toContain(removed.id);
    expect(removed.machine.items()).not.toContain('without it');
  });

  test('whoever waits for a transfer or a membership is answered when the group is removed, or the host stops', async () => {
    for (const end of ['remove', 'stop'] as const) {
      const cluster = await startHosts(3);
      const leader = await cluster.elect();
      const [one, other] = cluster.nodes.filter((node) => node !== leader);
      await propose(cluster, leader, 'its term has begun');
      cluster.kill(one!);
      cluster.kill(other!);
      const waits = [
        leader.host.changeMembership(group, { voters: [leader.id, one!.id], learners: [] }, 60_000),
        leader.host.transfer(group, one!.id, 60_000),
      ].map(async (wait) => reasonOf(await wait.catch((error: unknown) => error)));
      await cluster.clock.advance(50);
      const { generation } = leader.host.status(group)!;
      await cluster.settle(end === 'remove' ? leader.host.remove({ group, generation }) : leader.host.stop({ handOverMs: 10 }));
      expect(await cluster.settle(Promise.all(waits), 100)).toEqual(['timeout', 'timeout']);
    }
  });

  test('proposals beyond the byte limit are refused without effect', async () => {
    const cluster = await startHosts(3, { proposalBytesMax: 4096 });
    const leader = await cluster.elect();
    const results = await cluster.settle(
      Promise.allSettled(Array.from({ length: 8 }, () => leader.host.propose(group, new Uint8Array(1024), quorum))),
    );
    const refused = results.filter((result) => result.status === 'rejected');
    expect(refused.length).toBeGreaterThan(0);
    for (const { reason } of refused as PromiseRejectedResult[]) expect(reasonOf(reason)).toBe('overloaded');
    const accepted = results.length - refused.length;
    await cluster.clock.advance(500);
    expect(leader.machine.items().length).toBe(accepted);
    await propose(cluster, leader, 'space again');
  });
});
