/** What proves to a replica that it was removed while it was down or cut off, and what does not. */
import { asNodeId, asRaftIndex, asTerm, type NodeId } from '@balsa/node/core/ids.ts';
import type { Entry } from '@balsa/node/core/raft/entry.ts';
import type { Membership } from '@balsa/node/core/raft/membership.ts';
import { simpleMembership } from '@balsa/node/host/state.ts';
import { expect, test } from 'vitest';
import { bytes, group, type HostCluster, type HostNode, startHosts } from './host-cluster.ts';

const quorum = { durability: 'quorum', timeoutMs: 5000 } as const;
const key = { group, generation: 1 };

interface Parted {
  readonly cluster: HostCluster;
  /** The one that is cut off. */
  readonly node: HostNode;
  readonly others: readonly HostNode[];
}

async function send(cluster: HostCluster, nodes: readonly HostNode[], count: number, text = 'item'): Promise<void> {
  const leads = (): HostNode | undefined => nodes.find(({ host }) => host.status(group)?.role === 'leader');
  await cluster.clock.until('a leader', () => leads() !== undefined, 10_000);
  for (let i = 0; i < count; i += 1) await cluster.settle(leads()!.host.propose(group, bytes(`${text} ${i};`), quorum));
  const last = leads()!.host.status(group)!.last;
  await cluster.clock.until('applied', () => nodes.every(({ host }) => host.status(group)?.applied === last), 10_000);
}

/** Four hosts, one of which is cut off with the log that it has by then. */
async function part(who: 'leader' | 'follower', limits = {}): Promise<Parted> {
  const cluster = await startHosts(4, limits);
  await cluster.elect();
  await send(cluster, cluster.nodes, 5);
  // So that there are older terms.
  await cluster.settle((await cluster.elect()).host.transfer(group, undefined, 5000));
  await send(cluster, cluster.nodes, 1);
  const leader = await cluster.elect();
  const node = who === 'leader' ? leader : cluster.nodes.find((other) => other !== leader)!;
  const others = cluster.nodes.filter((other) => other !== node);
  for (const other of others) cluster.hub.disconnect(node.id, other.id);
  return { cluster, node, others };
}

const ids = (nodes: readonly HostNode[]): NodeId[] => nodes.map(({ id }) => id);

async function remove({ cluster, others }: Parted): Promise<void> {
  await send(cluster, others, 1);
  const leader = others.find(({ host }) => host.status(group)?.role === 'leader')!;
  await cluster.settle(leader.host.changeMembership(group, { voters: ids(others), learners: [] }, 5000));
}

/** The node can be reached again, and has had the time to hear of a leader if there is one for it. */
async function rejoin({ cluster, node, others }: Parted): Promise<void> {
  for (const other of others) cluster.hub.connect(node.id, other.id);
  await cluster.clock.advance(5000);
}

const asked = ({ cluster, node, others }: Parted, peer = others[0]!): Promise<boolean> =>
  cluster.settle(node.host.wasRemoved(group, peer.id));

/** A membership entry, `ahead` of the end of the node's log. */
function membershipAt({ node }: Parted, ahead: number, membership: Membership): Entry<Uint8Array> {
  const { last, term } = node.host.status(group)!;
  return { kind: 'membership', index: asRaftIndex(last + ahead), term, size: 20, membership };
}

/** The others show these entries. */
function show({ others }: Parted, ...entries: readonly Entry<Uint8Array>[]): void {
  const commit = entries.at(-1)!.index;
  for (const other of others) other.answer = async () => ({ logStart: asRaftIndex(0), commit, entries, snapshot: undefined });
}

test('a replica that was cut off hears nothing of its removal until it asks', async () => {
  const parted = await part('follower');
  const { node } = parted;
  await remove(parted);
  await rejoin(parted);
  expect(node.host.status(group)).toMatchObject({ leader: 0, membership: { voters: [1, 2, 3, 4] } });
  for (const peer of parted.others) expect(await asked(parted, peer)).toBe(true);
  expect(node.fatal).toEqual([]);
});

test('the start of a log that begins later is proof too', async () => {
  const parted = await part('follower', { checkpointCommands: 5 });
  const { cluster, others } = parted;
  await remove(parted);
  await send(cluster, others, 20);
  for (const other of others) {
    other.machine.keepFrom = 20;
    await cluster.settle(other.host.compact(group));
    await cluster.clock.until('the log starts later', () => other.host.status(group)!.first > 15, 2000);
  }
  await rejoin(parted);
  expect(await asked(parted)).toBe(true);
});

test('a leader that was cut off with entries of its own is told although its log is longer', async () => {
  const parted = await part('leader');
  const { cluster, node } = parted;
  for (let i = 0; i < 12; i += 1) node.host.propose(group, bytes(`lonely ${i};`), quorum).catch(() => {});
  await cluster.clock.advance(3000);
  const { last } = node.host.status(group)!;
  await remove(parted);
  await rejoin(parted);
  expect(parted.others[0]!.host.status(group)!.last).toBeLessThan(last);
  expect(await asked(parted)).toBe(true);
});

test('a member is not removed, whatever it missed', async () => {
  const parted = await part('follower');
  const { cluster, others } = parted;
  await send(cluster, others, 5);
  for (const peer of others) expect(await asked(parted, peer)).toBe(false);
});

test('a learner is a member, now or once a change is done', async () => {
  const { learners, outgoing, ...rest } = simpleMembership([asNodeId(2)]);
  for (const lists of [{ learners: 'all' }, { outgoing: 'all' }, { learnersNext: 'all' }, {}] as const) {
    const parted = await part('follower');
    const all = [1, 2, 3, 4].map(asNodeId);
    const named = Object.fromEntries(Object.keys(lists).map((list) => [list, all]));
    const voters = ids(parted.others);
    show(parted, membershipAt(parted, 1, { ...rest, learners, outgoing, ...named, voters }));
    await rejoin(parted);
    expect(await asked(parted)).toBe(Object.keys(lists).length === 0);
  }
});

test('a long log is looked through piece by piece', async () => {
  const parted = await part('follower');
  await send(parted.cluster, parted.others, 70, 'x'.repeat(30_000));
  await remove(parted);
  await rejoin(parted);
  const answers: boolean[] = [];
  for (let i = 0; i < 4; i += 1) answers.push(await asked(parted, parted.others[i % 3]));
  expect(answers).toEqual([false, false, true, true]);
});

test('a removal that was taken back in what is shown is none', async () => {
  const parted = await part('follower');
  const gone = membershipAt(parted, 1, simpleMembership(ids(parted.others)));
  show(parted, gone, membershipAt(parted, 2, simpleMembership([1, 2, 3, 4].map(asNodeId))));
  await rejoin(parted);
  expect(await asked(parted)).toBe(false);
  const later = await part('follower');
  show(later, membershipAt(later, 1, simpleMembership(ids(later.others))));
  await rejoin(later);
  expect(await asked(later)).toBe(true);
});

test('a removal that this log holds itself, but was never told to be committed, is told too', async () => {
  const parted = await part('leader');
  const { cluster, node, others } = parted;
  for (const other of others) cluster.hub.connect(node.id, other.id);
  await send(cluster, cluster.nodes, 1);
  // The leader removes itself and proposes more; the answers of the others do not get back.
  const leader = await cluster.elect();
  const rest = cluster.nodes.filter((other) => other !== leader);
  for (const other of rest) cluster.hub.cut(other.id, leader.id);
  leader.host.changeMembership(group, { voters: ids(rest), learners: [] }, 5000).catch(() => {});
  leader.host.propose(group, bytes('last;'), quorum).catch(() => {});
  const { last } = leader.host.status(group)!;
  await cluster.clock.until('the removal is everywhere', () => rest.every(({ host }) => host.status(group)!.last > last), 1000);
  for (const other of rest) {
    cluster.hub.heal(other.id, leader.id);
    cluster.hub.disconnect(leader.id, other.id);
  }
  await send(cluster, rest, 1);
  const gone = { ...parted, node: leader, others: rest };
  await rejoin(gone);
  const left = leader.host.status(group)!;
  expect(left).toMatchObject({ leader: 0, membership: { voters: ids(rest) } });
  expect(left.commit).toBeLessThan(left.last);
  expect(leader.journal.facts(key, left.last, left.last)).toEqual(rest[0]!.journal.facts(key, left.last, left.last));
  for (const peer of rest) expect(await asked(gone, peer)).toBe(true);
});

/** A leader that removed itself and stepped down, with an entry behind its removal that it does not know to be committed. */
async function stepDown(): Promise<Parted> {
  const cluster = await startHosts(4);
  const node = await cluster.elect();
  const others = cluster.nodes.filter((other) => other !== node);
  await send(cluster, cluster.nodes, 1);
  node.host.changeMembership(group, { voters: ids(others), learners: [] }, 5000).catch(() => {});
  const status = () => node.host.status(group)!;
  await cluster.clock.until('the removal is in its log', () => status().membership.voters.length === 3, 1000);
  node.host.propose(group, bytes('behind;'), quorum).catch(() => {});
  await cluster.clock.until('it has stepped down', () => status().role === 'follower', 1000);
  for (const other of others) cluster.hub.disconnect(node.id, other.id);
  await send(cluster, others, 1);
  expect(status()).toMatchObject({ membership: { voters: ids(others), outgoing: [] }, commit: status().last - 1 });
  return { cluster, node, others };
}

test('a removal that this replica knows of counts although entries follow it', async () => {
  const parted = await stepDown();
  await rejoin(parted);
  for (const peer of parted.others) expect(await asked(parted, peer)).toBe(true);
});

test('a removal that was taken back in an earlier answer is none', async () => {
  const parted = await stepDown();
  await rejoin(parted);
  const { last, term } = parted.node.host.status(group)!;
  const again = membershipAt(parted, 0, simpleMembership([1, 2, 3, 4].map(asNodeId)));
  show(parted, { ...again, term: asTerm(term + 1) });
  expect(await asked(parted)).toBe(false);
  show(parted, { kind: 'noop', index: asRaftIndex(last + 1), term: asTerm(term + 1), size: 20 });
  expect(await asked(parted)).toBe(false);
  const gone = membershipAt(parted, 2, simpleMembership(ids(parted.others)));
  show(parted, { ...gone, term: asTerm(term + 1) });
  expect(await asked(parted)).toBe(true);
});

test('what ends before the log of this replica proves nothing: it may have been taken back behind that', async () => {
  const parted = await part('leader');
  const { node, others } = parted;
  for (let i = 0; i < 12; i += 1) node.host.propose(group, bytes(`lonely ${i};`), quorum).catch(() => {});
  await remove(parted);
  await rejoin(parted);
  const { last, commit, term } = node.host.status(group)!;
  expect(last).toBeGreaterThan(commit + 1);
  const gone = membershipAt(parted, commit + 1 - last, simpleMembership(ids(others)));
  show(parted, { ...gone, term: asTerm(term - 1) });
  expect(await asked(parted)).toBe(false);
  show(parted, gone);
  expect(await asked(parted)).toBe(false);
  show(parted, { kind: 'noop', index: asRaftIndex(commit + 2), term: asTerm(term + 1), size: 20 });
  expect(await asked(parted)).toBe(true);
});

test('what ends in an older term proves nothing, however far it goes', async () => {
  const parted = await part('follower');
  await remove(parted);
  await rejoin(parted);
  const gone = membershipAt(parted, 1, simpleMembership(ids(parted.others)));
  show(parted, { ...gone, term: asTerm(gone.term - 1) });
  expect(await asked(parted)).toBe(false);
  show(parted, { kind: 'noop', index: asRaftIndex(gone.index + 1), term: gone.term, size: 20 });
  expect(await asked(parted)).toBe(true);
});

/** Flips a byte of the entry with this payload. */
async function damage({ disk }: HostNode, text: string): Promise<void> {
  for (const name of await disk.list('journal')) {
    const at = Buffer.from(disk.bytesOf(`journal/${name}`)).indexOf(text);
    if (at === -1) continue;
    const file = await disk.openFile(`journal/${name}`, 'write');
    await file.write(at, [Buffer.from('#')]);
    await file.datasync();
    await file.close();
  }
}

test('a damaged replica counts what it lost', async () => {
  const parted = await part('follower');
  const { cluster, node, others } = parted;
  const { last, term } = node.host.status(group)!;
  cluster.kill(node);
  await damage(node, 'item 0;');
  const shown: Entry<Uint8Array>[] = [];
  for (const other of others) {
    // The repair asks for more at once, and gets no answer.
    other.answer = async (_from, { first, bytesMax }) => {
      const entries = shown.filter(({ index }) => index >= first);
      return bytesMax > 1024 * 1024 ? undefined : { logStart: asRaftIndex(0), commit: last, entries, snapshot: undefined };
    };
  }
  await cluster.restart(node);
  await rejoin(parted);
  const left = node.host.status(group)!;
  expect(left.faulty).toBe(true);
  expect(left.last).toBeLessThan(last);
  shown.push({ ...membershipAt(parted, 1, simpleMembership(ids(others))), term });
  for (let index = left.last + 2; index <= last; index += 1) {
    expect(await asked(parted)).toBe(false);
    shown.push({ kind: 'noop', index: asRaftIndex(index), term, size: 20 });
  }
  expect(await asked(parted)).toBe(true);
});

test('nobody there, nothing to say: no', async () => {
  const parted = await part('follower');
  const { cluster, node, others } = parted;
  await remove(parted);
  expect(await asked(parted)).toBe(false);
  await rejoin(parted);
  others[0]!.answer = () => Promise.resolve(undefined);
  expect(await asked(parted)).toBe(false);
  const question = node.host.wasRemoved(group, others[1]!.id);
  await cluster.settle(node.host.remove(key));
  expect(await cluster.settle(question)).toBe(false);
});
