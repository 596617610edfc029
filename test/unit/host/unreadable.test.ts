/** EIO on entry bytes takes the way of damage: the group falls silent, is healed by its peers, and the process goes on. */
import { asRaftIndex } from '@balsa/node/core/ids.ts';
import { HostError } from '@balsa/node/host/vocabulary.ts';
import { expect, test } from 'vitest';
import { type BadSectors, createBadSectors } from '../journal/bad-sectors.ts';
import { bytes, group, type HostCluster, type HostNode, startHosts } from './host-cluster.ts';

const items = 30;
const quorum = { durability: 'quorum', timeoutMs: 5000 } as const;
const last = asRaftIndex(items + 1);

interface Struck {
  readonly cluster: HostCluster;
  readonly node: HostNode;
  readonly sectors: BadSectors;
}

const fill = async (cluster: HostCluster, from: number, to: number): Promise<void> => {
  for (let i = from; i < to; i += 1) await cluster.settle((await cluster.elect()).host.propose(group, bytes(`item ${i};`), quorum));
  await cluster.clock.until('applied', () => cluster.nodes.every(({ up, machine }) => !up || machine.items().length === to), 10_000);
};

/** `count` hosts without a cache; one of them cannot read an entry that it has applied. */
async function strike(count: number, wants: 'leader' | 'follower', limits = {}): Promise<Struck> {
  const cluster = await startHosts(count, limits, { cacheBytesMax: 0 });
  await fill(cluster, 0, items);
  const leader = await cluster.elect();
  const node = count === 1 ? leader : cluster.nodes.find((other) => other !== leader)!;
  const sectors = createBadSectors();
  cluster.kill(node);
  node.disk = node.disk.crash(() => false, { onOperation: sectors.onOperation });
  await cluster.restart(node);
  await cluster.elect();
  await cluster.clock.until('applied again', () => node.machine.items().length === items, 10_000);
  if (wants === 'leader' && count > 1) await cluster.settle((await cluster.elect()).host.transfer(group, node.id, 5000));
  await cluster.elect();
  await sectors.strike(node.disk, 'journal', 'item 15;');
  return { cluster, node, sectors };
}

const readAll = ({ cluster, node }: Struck): Promise<unknown> =>
  cluster.settle(node.host.read(group, asRaftIndex(1), last, 1e6).catch((thrown: unknown) => thrown));

const faulty = (node: HostNode): boolean | undefined => node.host.status(group)?.faulty;

const healed = async ({ cluster, node }: Struck): Promise<void> => {
  await cluster.clock.until('healed', () => node.repairs.at(-1)?.type === 'ended' && faulty(node) === false, 15_000);
  for (const each of cluster.nodes) expect(each.fatal).toEqual([]);
};

test('a read on the leader is refused, and the group heals', async () => {
  const struck = await strike(3, 'leader');
  const error = await readAll(struck);
  expect(error).toBeInstanceOf(HostError);
  expect((error as HostError).refusal).toEqual({ reason: 'faulty' });
  await healed(struck);
  expect(struck.sectors.failed).toBeGreaterThan(0);
  expect(await readAll(struck)).toHaveLength(items + 1);
});

test('the scrub does not stop the process: it finds the loss, and the group heals', async () => {
  const struck = await strike(3, 'follower', { scrubPassMs: 1000 });
  await struck.cluster.clock.until('found', () => struck.node.repairs.length > 0 || struck.node.fatal.length > 0, 10_000);
  await healed(struck);
});

test('a leader that cannot read what a follower lacks makes way for one that can', async () => {
  const struck = await strike(3, 'leader');
  const { cluster, node } = struck;
  const behind = cluster.nodes.find((other) => other !== node)!;
  cluster.kill(behind);
  await fill(cluster, items, items + 3);
  await struck.sectors.strike(node.disk, 'journal', 'item 31;');
  await cluster.restart(behind);
  await cluster.clock.until('found', () => node.repairs.length > 0, 10_000);
  await healed(struck);
  await fill(cluster, items + 3, items + 4);
  expect(behind.machine.items()).toEqual(node.machine.items());
});

test('a peer that asks for what cannot be read here gets an answer without it', async () => {
  const struck = await strike(3, 'follower');
  const { node } = struck;
  const key = { group, generation: 1 };
  const answer = await struck.cluster.settle(node.serve(node.id, { ...key, first: asRaftIndex(1), last, bytesMax: 1e6 }));
  expect(answer).toMatchObject({ entries: [], commit: last });
  await healed(struck);
});

test('a lone node says that the group is faulty until a start can read it', async () => {
  const struck = await strike(1, 'leader');
  const { cluster, node, sectors } = struck;
  expect(await readAll(struck)).toMatchObject({ refusal: { reason: 'faulty' } });
  await cluster.clock.advance(30_000);
  expect(faulty(node)).toBe(true);
  expect(node.fatal).toEqual([]);
  expect(await readAll(struck)).toMatchObject({ refusal: { reason: 'faulty' } });
  expect(node.repairs.at(-1)).toMatchObject({ type: 'stalled', reason: 'no other member of the group is connected' });
  sectors.heal();
  cluster.kill(node);
  await cluster.restart(node);
  expect(faulty(node)).toBe(false);
  expect(await readAll(struck)).toHaveLength(items + 1);
});
