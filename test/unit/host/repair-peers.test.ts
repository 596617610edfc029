/** Repairs that depend on which peer is asked, and on what it has seen meanwhile. */
import type { MemoryDisk } from '@balsa/node/storage/disk/memory-disk.ts';
import { expect, test } from 'vitest';
import { bytes, group, type HostCluster, type HostNode, startHosts } from './host-cluster.ts';

async function propose(cluster: HostCluster, node: HostNode, text: string): Promise<void> {
  await cluster.settle(node.host.propose(group, bytes(text), { durability: 'quorum', timeoutMs: 5000 }));
}

const faulty = (node: HostNode): boolean | undefined => node.host.status(group)?.faulty;

/** Flips a byte of the newest place in the journal where `text` is written. */
async function damage(disk: MemoryDisk, text: string): Promise<void> {
  for (const name of (await disk.list('journal')).toReversed()) {
    const at = Buffer.from(disk.bytesOf(`journal/${name}`)).lastIndexOf(text);
    if (at === -1) continue;
    const file = await disk.openFile(`journal/${name}`, 'write');
    await file.write(at, [Buffer.from('#')]);
    await file.datasync();
    await file.close();
    return;
  }
  throw new Error(`${text} is nowhere`);
}

async function fill(cluster: HostCluster, from: number, to: number): Promise<HostNode> {
  const leader = await cluster.elect();
  for (let i = from; i < to; i += 1) await propose(cluster, leader, `item ${i};`);
  await cluster.clock.until('applied', () => cluster.nodes.every(({ up, machine }) => !up || machine.items().length === to), 10_000);
  return leader;
}

test('a peer that cannot help does not keep another one from it', async () => {
  for (const silent of [0, 1]) {
    const cluster = await startHosts(3);
    const leader = await fill(cluster, 0, 30);
    const damaged = cluster.nodes.find((node) => node !== leader)!;
    const peers = cluster.nodes.filter((node) => node !== damaged);
    peers[silent]!.answer = () => Promise.resolve(undefined);
    cluster.kill(damaged);
    await damage(damaged.disk, 'item 12;');
    await cluster.restart(damaged);
    expect(faulty(damaged)).toBe(true);
    await cluster.clock.until('healed', () => faulty(damaged) === false, 30_000);
  }
});

test('a log start of a newer term raises the term of the damaged group with it', async () => {
  const cluster = await startHosts(3, { checkpointCommands: 10 });
  const leader = await fill(cluster, 0, 20);
  const damaged = cluster.nodes.find((node) => node !== leader)!;
  cluster.kill(damaged);
  await damage(damaged.disk, 'item 12;');
  const other = cluster.nodes.find((node) => node !== leader && node !== damaged)!;
  await cluster.settle(leader.host.transfer(group, other.id, 2000));
  await fill(cluster, 20, 50);
  const peers = cluster.nodes.filter((node) => node !== damaged);
  for (const node of peers) {
    node.machine.keepFrom = 45;
    await cluster.settle(node.host.compact(group));
    await cluster.clock.until('the log starts later', () => (node.host.status(group)?.first ?? 0) > 30, 2000);
  }
  await cluster.restart(damaged);
  expect(faulty(damaged)).toBe(true);
  await cluster.clock.until('healed', () => faulty(damaged) === false || damaged.fatal.length > 0, 30_000);
  expect(damaged.fatal).toEqual([]);
  await cluster.clock.until('caught up', () => damaged.machine.items().length === 50, 5000);
});
