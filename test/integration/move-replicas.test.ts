/** Replicas that move between real brokers under load: by order of an operator, step by step, and without losing anything. */
import type { Balsa, RaftGroup } from '@balsa/client';
import type { LocalCluster } from '@balsa/node/local-cluster/local-cluster.ts';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCli } from '../../client/cli/program.ts';
import { testTerminal } from '../unit/cli/stand-ins/terminal.ts';
import { cleanUp } from './fixture/clean-up.ts';
import { ackedCount, expectKept, type KeyedLoad, startKeyedLoad } from './fixture/keyed-load.ts';
import { connectTo, killNode, restart, startTestCluster } from './fixture/test-cluster.ts';
import { until } from './fixture/until.ts';

const topic = 'moving';
/** What a busy machine may take for an election in between. */
const gapMsMax = 3_000;
const watchMs = 50;
/** Longer than a leader needs to follow an order that it can follow. */
const settleMs = 6_000;

let cluster: LocalCluster;
let balsa: Balsa;
let load: KeyedLoad;
beforeAll(async () => {
  cluster = await startTestCluster({ nodes: 4 });
  balsa = await connectTo(cluster);
  await balsa.admin.topics.create(topic, { partitions: 1, replicas: 3 });
  load = startKeyedLoad(balsa, topic);
  await untilAcked(1_000);
});
afterAll(cleanUp);

const nodeOf = (id: number) => cluster.nodes.find((node) => node.id === id)!;

async function untilAcked(more: number): Promise<void> {
  const before = ackedCount(load);
  await until(`${more} more acknowledgements`, () => ackedCount(load) >= before + more);
}

async function placed(): Promise<readonly number[]> {
  return (await balsa.admin.topics.describe(topic)).partitions[0]!.replicas;
}

async function group(): Promise<RaftGroup | undefined> {
  return (await balsa.admin.raft.status()).groups.find((each) => each.topic === topic);
}

/** What the leader of the group says. */
async function leaderRow(): Promise<RaftGroup['replicas'][number] | undefined> {
  const found = await group();
  return found?.replicas.find(({ nodeId, role }) => nodeId === found.leader && role === 'leader');
}

async function leader(): Promise<number> {
  let found: number | undefined;
  await until('a leader', async () => {
    found = (await leaderRow())?.nodeId;
    return found !== undefined;
  });
  return found!;
}

/** Every distinct membership that is seen, as "voters/learners", until the returned function is called. */
function watchMembership(): () => Promise<readonly string[]> {
  const seen: string[] = [];
  let isOver = false;
  const watching = (async () => {
    while (!isOver) {
      const row = await leaderRow().catch(() => undefined);
      const text = row === undefined ? undefined : `${row.voters.join()}/${row.learners.join()}`;
      if (text !== undefined && text !== seen.at(-1)) seen.push(text);
      await delay(watchMs);
    }
  })();
  return async () => {
    isOver = true;
    await watching;
    return seen;
  };
}

/** As an operator does it: orders, waits, and is told that it is done. Records are acknowledged all the while. */
async function move(nodes: readonly number[]): Promise<readonly string[]> {
  const stopWatching = watchMembership();
  const { io, out, err } = testTerminal({ nowMs: Date.now });
  load.forgetGaps();
  const order = ['topic', 'move', topic, '--partition', '0', '--replicas', nodes.join(), '--wait-for', '60s'];
  const code = await runCli([...order, '--address', cluster.address], io);
  expect({ code, out: out(), err: err() }).toEqual({ code: 0, out: `ok ${topic}/0 is on nodes ${nodes.join(', ')}\n`, err: '' });
  await untilAcked(500);
  expect(load.longestGapMs()).toBeLessThan(gapMsMax);
  expect(await placed()).toEqual(nodes);
  expect(nodes).toContain(await leader());
  const seen = await stopWatching();
  expect(seen.at(-1)).toBe(`${nodes.toSorted((a, b) => a - b).join()}/`);
  return seen;
}

/** Everything that the replica of a node holds. */
async function heldBy(node: number): Promise<readonly string[]> {
  const held: string[] = [];
  for (let offset = 0n; ; ) {
    const { records, highWatermark } = await balsa.admin.topics.readReplica({ topic, partition: 0, node, offset });
    held.push(
      ...records.map((record) => `${record.offset} ${Buffer.from(record.key!).toString()} ${Buffer.from(record.value!).toString()}`),
    );
    offset = (records.at(-1)?.offset ?? offset - 1n) + 1n;
    if (offset >= highWatermark) return held;
  }
}

test('from a live follower to a node without a replica, which learns first', async () => {
  const before = await placed();
  const spare = cluster.nodes.find(({ id }) => !before.includes(id))!.id;
  const old = await leader();
  const leaving = before.find((id) => id !== old)!;
  const seen = await move(before.map((id) => (id === leaving ? spare : id)));
  expect(seen).toContain(`${before.toSorted((a, b) => a - b).join()}/${spare}`);
  await until('the old replica is gone', async () => (await group())?.replicas.every(({ nodeId }) => nodeId !== leaving) === true);
  // It is asked for what it has no more.
  await expect(balsa.admin.topics.readReplica({ topic, partition: 0, node: leaving, offset: 0n })).rejects.toMatchObject({
    code: 'UNKNOWN_GROUP',
  });
});

test('away from the leader', async () => {
  const before = await placed();
  const spare = cluster.nodes.find(({ id }) => !before.includes(id))!.id;
  const old = await leader();
  await move([spare, ...before.filter((id) => id !== old)]);
});

test('from a dead node to a live one; the dead one comes back and gives its replica up', async () => {
  const before = await placed();
  const spare = cluster.nodes.find(({ id }) => !before.includes(id))!.id;
  const old = await leader();
  const victim = before.find((id) => id !== old)!;
  await killNode(nodeOf(victim));
  await move(before.map((id) => (id === victim ? spare : id)));
  await restart(cluster, nodeOf(victim));
  await until('the old replica is gone', async () => {
    const found = await group();
    return found !== undefined && found.replicas.length === 3 && found.replicas.every(({ nodeId }) => nodeId !== victim);
  });
});

test('an order that cannot be carried out harms nothing, and can be taken back', async () => {
  const before = await placed();
  const spare = cluster.nodes.find(({ id }) => !before.includes(id))!.id;
  await move([before[0]!]);
  await killNode(nodeOf(spare));
  const { io, err } = testTerminal({ nowMs: Date.now });
  load.forgetGaps();
  const order = ['topic', 'move', topic, '--partition', '0', '--replicas', `${before[0]},${spare}`, '--wait-for', `${settleMs}ms`];
  expect(await runCli([...order, '--address', cluster.address], io)).toBe(3);
  expect(err()).toMatch(new RegExp(`node ${spare} cannot be reached by its leader; its voters are still node ${before[0]}`));
  await untilAcked(500);
  expect(load.longestGapMs()).toBeLessThan(gapMsMax);
  await move([before[0]!]);
  await restart(cluster, nodeOf(spare));
});

test('from one replica to three again; all of them hold the same, and nothing is lost', async () => {
  const [first = 0] = await placed();
  const others = cluster.nodes.map(({ id }) => id).filter((id) => id !== first);
  await move([others[0]!, first, others[2]!]);
  await load.stop();
  expect(load.errors).toEqual([]);
  await expectKept(balsa, topic, load);
  const nodes = await placed();
  const end = (await balsa.topic(topic).offsets({ partitions: [0] }))[0]!.latest;
  await until('all replicas have applied everything', async () => {
    const { replicas = [] } = (await group()) ?? {};
    return replicas.length === 3 && replicas.every(({ highWatermark }) => BigInt(highWatermark) === end);
  });
  const held = await Promise.all(nodes.map(heldBy));
  expect(held[0]).toHaveLength(Number(end));
  for (const other of held.slice(1)) expect(other).toEqual(held[0]);
});
