/** A replica that moves away and comes back to the same node: its data are gone, its promises are not. */
import { simpleMembership } from '@balsa/node/host/state.ts';
import { retiredKey } from '@balsa/node/host/retired.ts';
import { expect, test } from 'vitest';
import { bytes, createListMachine, group, type HostCluster, type HostNode, startHosts } from './host-cluster.ts';

const key = { group, generation: 1 };
const quorum = { durability: 'quorum', timeoutMs: 5000 } as const;

interface Moved {
  readonly cluster: HostCluster;
  readonly node: HostNode;
  readonly others: readonly HostNode[];
  /** Of the replica when it left. */
  readonly last: number;
  readonly term: number;
}

/** Three hosts; one follower is taken out of the group and retired. */
async function moveAway(): Promise<Moved> {
  const cluster = await startHosts(3);
  const leader = await cluster.elect();
  for (let i = 0; i < 5; i += 1) await cluster.settle(leader.host.propose(group, bytes(`item ${i};`), quorum));
  const node = cluster.nodes.find((other) => other !== leader)!;
  const others = cluster.nodes.filter((other) => other !== node);
  const voters = others.map(({ id }) => id);
  await cluster.clock.until('the follower has everything', () => node.host.status(group)!.last === leader.host.status(group)!.last, 5000);
  await cluster.settle(leader.host.changeMembership(group, { voters, learners: [] }, 5000));
  const { last, term } = node.host.status(group)!;
  await cluster.settle(node.host.retire(key));
  return { cluster, node, others, last, term };
}

const reopen = ({ node, others }: Moved): Promise<void> =>
  node.host.open({ ...key, birth: simpleMembership(others.map(({ id }) => id)), machine: createListMachine() });

test('data go, and what binds a later replica stays, also over a restart', async () => {
  const moved = await moveAway();
  const { cluster, node, last, term } = moved;
  expect(node.journal.group(key)).toBeUndefined();
  expect(node.journal.group(retiredKey(key))).toMatchObject({ hardState: { term }, snapshot: { index: last }, last });
  cluster.kill(node);
  // The fixture opens the group again, as one that it was never told to leave.
  await cluster.restart(node);
  expect(node.journal.group(key)).toMatchObject({ hardState: { term, votedFor: node.id }, last: 0 });
});

test('it does not elect, from an empty log, who lacks what it had acknowledged', async () => {
  const moved = await moveAway();
  const { cluster, node, others } = moved;
  // A member that has nothing but the beginning asks; for the new replica that would be as good as its own log.
  await cluster.settle(reopen(moved));
  for (const other of others) cluster.hub.disconnect(node.id, other.id);
  const status = () => node.host.status(group)!;
  node.host.campaign(group);
  await cluster.clock.advance(10_000);
  expect(status()).toMatchObject({ role: 'follower', term: moved.term, last: 0 });
});

test('taken back, it catches up and counts again', async () => {
  const moved = await moveAway();
  const { cluster, node, last } = moved;
  await cluster.settle(reopen(moved));
  const leader = await cluster.elect();
  const voters = cluster.nodes.map(({ id }) => id);
  await cluster.settle(leader.host.changeMembership(group, { voters, learners: [] }, 5000));
  await cluster.settle(leader.host.propose(group, bytes('more;'), quorum));
  await cluster.clock.until('it has caught up', () => node.host.status(group)!.last > last, 5000);
  // With the leader gone the other one and this one elect and decide.
  cluster.kill(leader);
  const next = await cluster.elect();
  expect(await cluster.settle(next.host.propose(group, bytes('last;'), quorum))).toMatchObject({ outcome: expect.any(Number) });
});

test('a second departure remembers the further end of both', async () => {
  const moved = await moveAway();
  const { cluster, node, last, term } = moved;
  await cluster.settle(reopen(moved));
  await cluster.settle(node.host.retire(key));
  expect(node.journal.group(retiredKey(key))).toMatchObject({ hardState: { term }, snapshot: { index: last } });
});

test('of a deleted group nothing stays', async () => {
  const moved = await moveAway();
  const { cluster, node } = moved;
  await cluster.settle(reopen(moved));
  await cluster.settle(node.host.remove(key));
  expect(node.journal.group(retiredKey(key))).toBeUndefined();
});
