import { asRaftIndex, asTerm } from '@balsa/node/core/ids.ts';
import type { EntriesAnswer } from '@balsa/node/ports/network.ts';
import { HostError } from '@balsa/node/host/vocabulary.ts';
import type { MemoryDisk } from '@balsa/node/storage/disk/memory-disk.ts';
import { describe, expect, test } from 'vitest';
import { bytes, group, type HostCluster, type HostNode, startHosts } from './host-cluster.ts';

const quorum = { durability: 'quorum', timeoutMs: 5000 } as const;
const key = { group, generation: 1 };

async function propose(cluster: HostCluster, node: HostNode, text: string): Promise<void> {
  await cluster.settle(node.host.propose(group, bytes(text), quorum));
}

async function fill(cluster: HostCluster, count: number): Promise<HostNode> {
  const leader = await cluster.elect();
  for (let i = 0; i < count; i += 1) await propose(cluster, leader, `item ${i};`);
  await applied(cluster, count);
  return leader;
}

const applied = (cluster: HostCluster, count: number, limitMs = 10_000): Promise<void> =>
  cluster.clock.until(
    `everybody has ${count}`,
    () => cluster.nodes.every(({ up, machine }) => !up || machine.items().length === count),
    limitMs,
  );

const faulty = (node: HostNode): boolean | undefined => node.host.status(group)?.faulty;
const others = (cluster: HostCluster, node: HostNode): HostNode[] => cluster.nodes.filter((other) => other !== node);

/** Flips a byte of every place in the journal where `text` is written. */
async function damage(disk: MemoryDisk, text: string): Promise<void> {
  let places = 0;
  for (const name of await disk.list('journal')) {
    const content = Buffer.from(disk.bytesOf(`journal/${name}`));
    for (let at = content.indexOf(text); at !== -1; at = content.indexOf(text, at + 1)) {
      const file = await disk.openFile(`journal/${name}`, 'write');
      await file.write(at, [Buffer.from('#')]);
      await file.datasync();
      await file.close();
      places += 1;
    }
  }
  expect(places).toBeGreaterThan(0);
}

/** What a node says about the group while it is damaged: nothing at all. */
function hear(node: HostNode): readonly string[] {
  const said: string[] = [];
  node.onSend = (messages) => {
    if (faulty(node) !== false) said.push(...messages.map(({ message }) => message.kind));
  };
  return said;
}

describe('a damaged group', () => {
  test('heals from its peers, and says nothing until then', async () => {
    const cluster = await startHosts(3);
    const leader = await fill(cluster, 30);
    const damaged = others(cluster, leader)[0]!;
    cluster.kill(damaged);
    await damage(damaged.disk, 'item 12;');
    await damage(damaged.disk, 'item 20;');
    for (const node of others(cluster, damaged)) cluster.hub.disconnect(node.id, damaged.id);
    await cluster.restart(damaged);
    expect(damaged.host.status(group)).toMatchObject({ faulty: true, role: 'follower' });
    const said = hear(damaged);
    await cluster.clock.advance(3000);
    expect(faulty(damaged)).toBe(true);
    await expect(damaged.host.propose(group, bytes('x'), quorum)).rejects.toMatchObject({ refusal: { reason: 'faulty' } });
    for (const node of others(cluster, damaged)) cluster.hub.connect(node.id, damaged.id);
    await cluster.clock.until('healed', () => faulty(damaged) === false, 15_000);
    await propose(cluster, await cluster.elect(), 'after;');
    await applied(cluster, 31);
    expect(damaged.machine.items()).toEqual(leader.machine.items());
    expect(said).toEqual([]);
    expect(damaged.fatal).toEqual([]);
    expect(damaged.repairs.map(({ type }) => type)).toEqual(['begun', 'stalled', 'ended']);
  });

  test('stays sound after the repair: the next start finds nothing', async () => {
    const cluster = await startHosts(3);
    const leader = await fill(cluster, 30);
    const damaged = others(cluster, leader)[0]!;
    cluster.kill(damaged);
    await damage(damaged.disk, 'item 12;');
    await cluster.restart(damaged);
    await cluster.clock.until('healed', () => faulty(damaged) === false, 15_000);
    cluster.kill(damaged);
    await cluster.restart(damaged);
    expect(faulty(damaged)).toBe(false);
    await applied(cluster, 30);
  });

  test('heals from the only other member that is up, which alone could not lead', async () => {
    const cluster = await startHosts(3);
    const leader = await fill(cluster, 30);
    const [damaged, last] = others(cluster, leader) as [HostNode, HostNode];
    for (const node of cluster.nodes) cluster.kill(node);
    await damage(damaged.disk, 'item 12;');
    await cluster.restart(last);
    await cluster.restart(damaged);
    expect(faulty(damaged)).toBe(true);
    const next = await cluster.elect();
    expect(faulty(damaged)).toBe(false);
    await propose(cluster, next, 'after;');
    await applied(cluster, 31);
    expect(damaged.machine.items()).toEqual(last.machine.items());
  });

  test('two members damaged in different places heal each other', async () => {
    const cluster = await startHosts(3);
    const leader = await fill(cluster, 30);
    const [one, two] = others(cluster, leader) as [HostNode, HostNode];
    for (const node of cluster.nodes) cluster.kill(node);
    await damage(one.disk, 'item 12;');
    await damage(two.disk, 'item 7;');
    await cluster.restart(one);
    await cluster.restart(two);
    const next = await cluster.elect();
    await propose(cluster, next, 'after;');
    await applied(cluster, 31);
  });

  test('without a vote of the damaged member there is no leader, however long it takes', async () => {
    const cluster = await startHosts(3);
    const leader = await fill(cluster, 10);
    const [damaged, last] = others(cluster, leader) as [HostNode, HostNode];
    cluster.kill(last);
    // Committed by the leader and this member alone; only the leader is left with it. The last batch of a journal could be torn.
    await propose(cluster, leader, 'item 10;');
    await propose(cluster, leader, 'item 11;');
    await cluster.clock.until('applied', () => damaged.machine.items().length === 12, 2000);
    cluster.kill(leader);
    cluster.kill(damaged);
    await damage(damaged.disk, 'item 10;');
    await cluster.restart(last);
    await cluster.restart(damaged);
    const said = hear(damaged);
    await cluster.clock.advance(20_000);
    expect(cluster.leader()).toBeUndefined();
    expect(faulty(damaged)).toBe(true);
    expect(said).toEqual([]);
    await cluster.restart(leader);
    await cluster.elect();
    await applied(cluster, 12, 20_000);
    for (const { machine } of cluster.nodes) expect(machine.items().slice(-2)).toEqual(['item 10;', 'item 11;']);
  });

  test('a damaged entry that was never committed is cut once the others have committed another one', async () => {
    const cluster = await startHosts(3);
    const leader = await fill(cluster, 5);
    for (const node of others(cluster, leader)) cluster.hub.disconnect(leader.id, node.id);
    for (const text of ['lonely;', 'last;']) {
      leader.host.propose(group, bytes(text), quorum).catch(() => {});
      await cluster.clock.advance(20);
    }
    cluster.kill(leader);
    await damage(leader.disk, 'lonely;');
    const next = await cluster.elect();
    await propose(cluster, next, 'instead;');
    for (const node of others(cluster, leader)) cluster.hub.connect(leader.id, node.id);
    await cluster.restart(leader);
    expect(faulty(leader)).toBe(true);
    await cluster.clock.until('healed', () => faulty(leader) === false, 15_000);
    await applied(cluster, 6);
    expect(leader.machine.items().at(-1)).toBe('instead;');
  });

  test('the first entry that the others committed is enough to cut what contradicts it', async () => {
    const cluster = await startHosts(3);
    const leader = await fill(cluster, 5);
    for (const node of others(cluster, leader)) cluster.hub.disconnect(leader.id, node.id);
    for (let i = 0; i < 6; i += 1) {
      leader.host.propose(group, bytes(`lonely ${i};`), quorum).catch(() => {});
      await cluster.clock.advance(20);
    }
    const { last, commit } = leader.host.status(group)!;
    const own = { ...key, first: asRaftIndex(commit + 1), last, bytesMax: 1000 };
    expect(await leader.serve(leader.id, own)).toMatchObject({ commit, entries: [] });
    cluster.kill(leader);
    await damage(leader.disk, 'lonely 4;');
    await cluster.elect();
    for (const node of others(cluster, leader)) cluster.hub.connect(leader.id, node.id);
    await cluster.restart(leader);
    const lost = leader.journal.group(key)!.faulty!.first;
    expect(cluster.leader()!.host.status(group)!.last).toBeLessThan(lost);
    await cluster.clock.until('healed', () => faulty(leader) === false, 15_000);
    await propose(cluster, await cluster.elect(), 'after;');
    await applied(cluster, 6);
    expect(leader.machine.items().at(-1)).toBe('after;');
  });

  test('a group that is removed while it is damaged is gone', async () => {
    const cluster = await startHosts(3);
    const leader = await fill(cluster, 30);
    const damaged = others(cluster, leader)[0]!;
    cluster.kill(damaged);
    await damage(damaged.disk, 'item 12;');
    await cluster.restart(damaged);
    await cluster.settle(damaged.host.remove(key));
    await cluster.clock.advance(5000);
    expect(damaged.host.status(group)).toBeUndefined();
    expect(damaged.journal.group(key)).toBeUndefined();
    expect(damaged.fatal).toEqual([]);
  });

  test('damage before the start of the logs of all others: their log start takes its place', async () => {
    const cluster = await startHosts(3, { checkpointCommands: 10 });
    const leader = await fill(cluster, 35);
    const damaged = others(cluster, leader)[0]!;
    cluster.kill(damaged);
    await damage(damaged.disk, 'item 12;');
    for (const node of others(cluster, damaged)) {
      node.machine.keepFrom = 25;
      await cluster.settle(node.host.compact(group));
      await cluster.clock.until('the log starts later', () => (node.host.status(group)?.first ?? 0) > 20, 2000);
    }
    await cluster.restart(damaged);
    expect(faulty(damaged)).toBe(true);
    await cluster.clock.until('healed', () => faulty(damaged) === false, 15_000);
    expect(damaged.host.status(group)?.first).toBeGreaterThan(20);
    await propose(cluster, await cluster.elect(), 'after;');
    await applied(cluster, 36);
    expect(damaged.machine.items()).toEqual(leader.machine.items());
  });

  test('a lost log start comes from the peers', async () => {
    const cluster = await startHosts(3, { checkpointCommands: 10 });
    const leader = await fill(cluster, 35);
    for (const node of cluster.nodes) {
      node.machine.keepFrom = 25;
      await cluster.settle(node.host.compact(group));
    }
    await cluster.clock.until('logs start later', () => cluster.nodes.every(({ host }) => (host.status(group)?.first ?? 0) > 20), 2000);
    await propose(cluster, leader, 'more;');
    await applied(cluster, 36);
    const damaged = others(cluster, leader)[0]!;
    cluster.kill(damaged);
    await damage(damaged.disk, '["item 0;","item 1;"');
    await cluster.restart(damaged);
    expect(faulty(damaged)).toBe(true);
    await cluster.clock.until('healed', () => faulty(damaged) === false, 15_000);
    await propose(cluster, await cluster.elect(), 'after;');
    await applied(cluster, 37);
    expect(damaged.machine.items()).toEqual(leader.machine.items());
  });

  test('a lost birth comes from peers whose logs have not moved on either', async () => {
    const cluster = await startHosts(3);
    const leader = await fill(cluster, 12);
    const damaged = others(cluster, leader)[0]!;
    cluster.kill(damaged);
    // The state that the machine was born with; no entry looks like it.
    await damage(damaged.disk, '[]');
    await cluster.restart(damaged);
    expect(damaged.host.status(group)).toMatchObject({ faulty: true });
    await cluster.clock.until('healed', () => faulty(damaged) === false, 15_000);
    expect(damaged.journal.group(key)).toMatchObject({ first: 1, snapshot: { index: 0 } });
    await propose(cluster, await cluster.elect(), 'after;');
    await applied(cluster, 13);
    expect(damaged.machine.items()).toEqual(leader.machine.items());
  });

  test('a lost log start waits, and says so, until the log of a peer starts there or later', async () => {
    const cluster = await startHosts(3, { checkpointCommands: 10 });
    const leader = await fill(cluster, 35);
    const damaged = others(cluster, leader)[0]!;
    const compact = async (node: HostNode): Promise<void> => {
      node.machine.keepFrom = 25;
      await cluster.settle(node.host.compact(group));
      await cluster.clock.until('the log starts later', () => (node.host.status(group)?.first ?? 0) > 20, 2000);
    };
    await compact(damaged);
    await propose(cluster, leader, 'more;');
    await applied(cluster, 36);
    cluster.kill(damaged);
    await damage(damaged.disk, '["item 0;","item 1;"');
    await cluster.restart(damaged);
    expect(faulty(damaged)).toBe(true);
    await cluster.clock.advance(1000);
    expect(faulty(damaged)).toBe(true);
    expect(damaged.repairs.at(-1)).toMatchObject({ type: 'stalled', reason: expect.stringContaining('starts before') as unknown });
    await compact(leader);
    await cluster.clock.until('healed', () => faulty(damaged) === false, 30_000);
    await propose(cluster, await cluster.elect(), 'after;');
    await applied(cluster, 37);
    expect(damaged.machine.items()).toEqual(leader.machine.items());
  });

  test('entries that are not those of this log are never taken', async () => {
    const cluster = await startHosts(3);
    const leader = await fill(cluster, 30);
    const damaged = others(cluster, leader)[0]!;
    cluster.kill(damaged);
    await damage(damaged.disk, 'item 12;');
    await cluster.restart(damaged);
    const lost = damaged.journal.group(key)!.faulty!;
    const [own] = await leader.journal.read(key, lost.first, lost.first, 1e6);
    const answer: EntriesAnswer = {
      logStart: asRaftIndex(0),
      commit: asRaftIndex(31),
      entries: [{ ...own!, term: asTerm(99) }],
      snapshot: undefined,
    };
    for (const node of others(cluster, damaged)) node.answer = async () => answer;
    await cluster.clock.advance(5000);
    expect(faulty(damaged)).toBe(true);
    expect(damaged.journal.group(key)).toMatchObject({ faulty: lost, last: asRaftIndex(31) });
  });
});

describe('damage found while running', () => {
  const uncached = (): Promise<HostCluster> => startHosts(3, {}, { cacheBytesMax: 0 });
  const healed = (cluster: HostCluster): Promise<void> =>
    cluster.clock.until('healed', () => cluster.nodes.every((node) => node.up && faulty(node) === false), 15_000);

  test('by a read: refused, silent, healed', async () => {
    const cluster = await uncached();
    const leader = await fill(cluster, 30);
    await damage(leader.disk, 'item 15;');
    const said = hear(leader);
    const waiting = leader.host.propose(group, bytes('waiting;'), quorum).catch((error: unknown) => error);
    const error = await cluster.settle(leader.host.read(group, asRaftIndex(1), asRaftIndex(31), 1e6).catch((thrown: unknown) => thrown));
    expect((error as HostError).refusal).toEqual({ reason: 'faulty' });
    expect(faulty(leader)).toBe(true);
    expect(await waiting).toBeInstanceOf(HostError);
    await healed(cluster);
    await propose(cluster, await cluster.elect(), 'after;');
    await applied(cluster, cluster.leader()!.machine.items().length);
    expect(said).toEqual([]);
    expect(leader.fatal).toEqual([]);
  });

  test('by a leader that sends to a follower: the follower gets the entry in the end', async () => {
    const cluster = await uncached();
    const leader = await fill(cluster, 10);
    const behind = others(cluster, leader)[0]!;
    cluster.kill(behind);
    for (let i = 10; i < 30; i += 1) await propose(cluster, leader, `item ${i};`);
    await damage(leader.disk, 'item 15;');
    await cluster.restart(behind);
    await cluster.clock.until('damage found', () => leader.repairs.length > 0, 5000);
    await healed(cluster);
    await propose(cluster, await cluster.elect(), 'after;');
    await applied(cluster, 31);
    expect(behind.machine.items()).toEqual(leader.machine.items());
    expect(leader.fatal).toEqual([]);
  });

  test('by a follower that applies: what was applied stays, the rest follows', async () => {
    const cluster = await uncached();
    const leader = await fill(cluster, 10);
    const follower = others(cluster, leader)[0]!;
    const restored: unknown[] = [];
    const { restore } = follower.machine;
    Object.assign(follower.machine, { restore: (state: Uint8Array | undefined) => (restored.push(state), restore(state)) });
    const next = leader.host.status(group)!.last + 1;
    const proposed = leader.host.propose(group, bytes('item 10;'), quorum);
    await cluster.clock.until('on disk', () => (follower.host.status(group)?.durable ?? 0) >= next, 1000);
    expect(follower.host.status(group)?.applied).toBeLessThan(next);
    await damage(follower.disk, 'item 10;');
    await cluster.settle(proposed);
    await cluster.clock.until('damage found', () => follower.repairs.length > 0, 5000);
    await healed(cluster);
    await applied(cluster, 11);
    expect(restored).toEqual([]);
    expect(follower.fatal).toEqual([]);
  });
});

describe('the scrub', () => {
  test('finds a flipped bit that nobody reads, also while memory has the entry, and the group heals', async () => {
    const cluster = await startHosts(3, { scrubPassMs: 60_000 });
    const leader = await fill(cluster, 30);
    await applied(cluster, 30);
    const damaged = others(cluster, leader)[0]!;
    await damage(damaged.disk, 'item 12;');
    await cluster.clock.advance(50_000);
    expect(damaged.repairs).toEqual([]);
    await cluster.clock.until('the next pass finds it', () => damaged.repairs.some(({ type }) => type === 'begun'), 20_000);
    await cluster.clock.until('healed', () => faulty(damaged) === false, 15_000);
    expect(damaged.machine.items()).toEqual(leader.machine.items());
    for (const node of cluster.nodes) expect(node.fatal).toEqual([]);
    expect(others(cluster, damaged).flatMap(({ repairs }) => repairs)).toEqual([]);
  });

  test('keeps to its rate', async () => {
    const reads: number[] = [];
    const cluster = await startHosts(1, { scrubPassMs: 1000, scrubBytesPerSecond: 100 });
    const only = await fill(cluster, 30);
    const verify = only.journal.verify;
    Object.assign(only.journal, {
      verify: async (...args: Parameters<typeof verify>) => {
        const result = await verify(...args);
        reads.push(cluster.clock.monotonicMs(), result.bytes);
        return result;
      },
    });
    await cluster.clock.advance(60_000);
    const [firstMs = 0, bytes = 0, secondMs = 0] = reads;
    expect(bytes).toBeGreaterThan(100);
    expect(secondMs - firstMs).toBeGreaterThanOrEqual((bytes / 100) * 1000);
  });
});
