/** Real brokers behind links: every fault takes effect, provably, and is over when it is healed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect as connectSocket } from 'node:net';
import { type ChaosCluster, startChaosCluster } from '@balsa/chaos/cluster/chaos-cluster.ts';
import type { ChaosNode } from '@balsa/chaos/cluster/chaos-node.ts';
import { proveCpuThrottled, throttleCpu } from '@balsa/chaos/cluster/cpu-throttle.ts';
import { applyFor } from '@balsa/chaos/cluster/lasting.ts';
import { killNode, pauseNode, stopNode } from '@balsa/chaos/cluster/node-faults.ts';
import { cutClients, cutOneWay, cutPair, mute, partition } from '@balsa/chaos/cluster/partitions.ts';
import { processState } from '@balsa/chaos/cluster/process-state.ts';
import {
  type Proof,
  proveClogged,
  proveCut,
  proveGone,
  proveHealed,
  provePaused,
  proveRefused,
  proveSlow,
  proveThrottled,
} from '@balsa/chaos/cluster/proofs.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cleanUp, onCleanUp } from './fixture/clean-up.ts';
import { rawClient, soundBatch } from './fixture/raw-client.ts';
import { type TopicUnderFire, topicUnderFire } from './fixture/topic-under-fire.ts';
import { until } from './fixture/until.ts';

const topicName = 'under-fire';
const probeMs = 150;

let cluster: ChaosCluster;
let topic: TopicUnderFire;

beforeAll(async () => {
  cluster = await startChaosCluster({ nodes: 3, config: { 'maintenance.balanceCheckMs': 600_000 } });
  onCleanUp(cluster.stop);
  topic = await topicUnderFire(cluster, topicName);
});
afterAll(cleanUp);

const idsOf = (nodes: readonly ChaosNode[]): readonly number[] => nodes.map(({ id }) => id);
const failed = (proofs: readonly Proof[]): readonly Proof[] => proofs.filter(({ holds }) => !holds);

/** Healed, proven, and all replicas agree on the leader and on what is applied. */
async function healAndConverge(): Promise<void> {
  cluster.heal();
  await converge();
}

async function converge(): Promise<void> {
  await cluster.untilReady();
  await topic.untilAllAgree();
  await topic.produce();
  expect(failed(await proveHealed(cluster))).toEqual([]);
}

const refusal = expect.stringMatching(/^(LEADER_NOT_AVAILABLE|NOT_LEADER|LEADER_CHANGED|TIMEOUT)$/);

test('brokers talk to each other and to clients through their links, and only there', async () => {
  await topic.produce();
  for (const link of cluster.links) {
    expect(link.counts(), link.name).toMatchObject({ refused: 0, resets: 0, upstream: { swallowedBytes: 0 } });
  }
  const from = await topic.leader();
  for (const { id } of topic.othersThan(from)) {
    await until('heartbeats', () => cluster.link(from.id, id).counts().downstream.forwardedMessages > 5);
  }
  expect(failed(await proveHealed(cluster))).toEqual([]);
});

describe('partitions', () => {
  test('a leader cut off from both followers is replaced, and refuses; healed, all agree', async () => {
    const old = await topic.leader();
    const others = topic.othersThan(old);
    const raw = rawClient(old.clientAddress);
    partition(cluster, [old.id], idsOf(others));
    for (const { id } of others) {
      const proofs = [proveCut(cluster.link(old.id, id), 'downstream', probeMs), proveCut(cluster.link(id, old.id), 'upstream', probeMs)];
      for (const proof of await Promise.all(proofs)) expect(proof).toMatchObject({ holds: true });
    }
    await topic.untilAnotherLeads(old);
    await topic.produce();
    expect(await raw.produce(topicName, 0, soundBatch('never acknowledged'), 500)).toMatchObject({ error: { code: refusal } });
    await healAndConverge();
  });

  test('a leader that hears and is not heard is replaced', async () => {
    const old = await topic.leader();
    mute(cluster, old.id, idsOf(topic.othersThan(old)));
    const [follower] = topic.othersThan(old);
    // Asymmetric: one direction of the pair is silent, the other is not.
    expect(await proveCut(cluster.link(old.id, follower!.id), 'downstream', probeMs)).toMatchObject({ holds: true });
    expect(await proveCut(cluster.link(follower!.id, old.id), 'downstream', probeMs)).toMatchObject({ holds: false });
    await topic.untilAnotherLeads(old);
    await topic.produce();
    await healAndConverge();
  });

  test('one that nobody heals ends by itself, and nothing else with it', async () => {
    const old = await topic.leader();
    const [one, other] = topic.othersThan(old);
    const others = [one!.id, other!.id];
    const undoPair = cutPair(cluster, one!.id, other!.id);
    const fault = await applyFor(() => partition(cluster, [old.id], others), 3_000);
    expect(await proveCut(cluster.link(old.id, one!.id), 'downstream', probeMs)).toMatchObject({ holds: true });
    await until('the end of its time', () => fault.ended() === 'expired');
    expect(await proveCut(cluster.link(old.id, one!.id), 'downstream', probeMs)).toMatchObject({ holds: false });
    expect(await proveCut(cluster.link(one!.id, other!.id), 'downstream', probeMs)).toMatchObject({ holds: true });
    undoPair();
    // Without `heal`: there is nothing left to heal.
    await converge();
  });

  test('two followers that are cut off from each other change nothing; one path less, neither', async () => {
    const steady = await topic.leader();
    const [one, other] = topic.othersThan(steady);
    cutPair(cluster, one!.id, other!.id);
    await topic.produce();
    cluster.heal();
    cutOneWay(cluster, one!.id, other!.id);
    await topic.produce();
    expect((await topic.leader()).id).toBe(steady.id);
    await healAndConverge();
  });
});

test('a slow, a clogged and a refusing client link', async () => {
  const link = cluster.clientLink(1);
  link.impair({ delayMs: 40 });
  expect(await proveSlow(link, 80)).toMatchObject({ holds: true });
  link.impair({ delivery: 'hold' }, 'upstream');
  expect(await proveClogged(link, 'upstream', probeMs)).toMatchObject({ holds: true });
  link.heal();
  expect(await proveClogged(link, 'upstream', probeMs)).toMatchObject({ holds: false });
  link.refuse();
  expect(await proveRefused(link, probeMs)).toMatchObject({ holds: true });
  await healAndConverge();
});

test('a follower behind a narrow link gets everything, later', async () => {
  const leader = await topic.leader();
  const [slow] = topic.othersThan(leader);
  const link = cluster.link(leader.id, slow!.id);
  const before = link.counts();
  const fault = await applyFor(() => link.impair({ bytesPerSecond: 2_000 }, 'downstream'), 60_000);
  await topic.produce(20);
  expect(proveThrottled(link, 'downstream', before)).toMatchObject({ holds: true });
  await fault.heal();
  await converge();
});

test('a produce request whose reply is cut is in the log once, though it was sent twice', async () => {
  const link = cluster.clientLink((await topic.leader()).id);
  await topic.produce();
  const before = link.counts();
  const cut = link.cutReply({ after: { messages: 1 } });
  await topic.produce();
  expect(await cut).toMatchObject({ outcome: 'cut' });
  expect(link.counts().resets).toBe(before.resets + 1);
  await healAndConverge();
});

describe('processes', () => {
  test('a paused leader is replaced, and follows when it goes on', async () => {
    const old = await topic.leader();
    await old.pause();
    expect(old.state()).toBe('paused');
    expect(await provePaused(old, probeMs)).toMatchObject({ holds: true });
    await topic.untilAnotherLeads(old);
    await topic.produce();
    await old.resume();
    await healAndConverge();
    expect(old.endings()).toEqual([]);
  });

  test('a killed leader is replaced, and follows when it is started again', async () => {
    const old = await topic.leader();
    const pid = old.pid()!;
    const incarnation = old.incarnation();
    const ending = await old.kill();
    expect(ending).toEqual({ code: null, signal: 'SIGKILL', expected: true, incarnation, pid });
    expect(await proveGone(old)).toMatchObject({ holds: true });
    await topic.untilAnotherLeads(old);
    await topic.produce();
    old.start();
    expect(old.incarnation()).toBe(incarnation + 1);
    await healAndConverge();
    expect(await proveGone(old)).toMatchObject({ holds: false });
  });

  test('a leader with a tenth of the processor goes on or is replaced; nothing is lost', async () => {
    const slow = await topic.leader();
    const fault = await applyFor(() => throttleCpu(slow, 0.1), 60_000);
    const proof = await proveCpuThrottled(slow, 0.1);
    expect(proof, proof.evidence).toMatchObject({ holds: true });
    await topic.produce(3);
    await fault.heal();
    expect(await proveCpuThrottled(slow, 0.1, 300)).toMatchObject({ holds: false });
    await converge();
  });

  test('faults of processes heal to what was there before', async () => {
    for (const [strike, state] of [
      [pauseNode, 'paused'],
      [killNode, 'down'],
      [stopNode, 'down'],
    ] as const) {
      const node = await topic.leader();
      const incarnation = node.incarnation();
      const fault = await applyFor(() => strike(node), 60_000);
      expect(node.state()).toBe(state);
      await topic.untilAnotherLeads(node);
      await topic.produce();
      await fault.heal();
      expect([node.state(), node.incarnation()]).toEqual(['running', incarnation + (state === 'down' ? 1 : 0)]);
      await converge();
    }
  });

  test('a graceful stop ends with exit code 0, also if clients are cut off and never answer', async () => {
    const node = await topic.leader();
    cutClients(cluster, node.id);
    expect(await proveCut(cluster.clientLink(node.id), 'upstream', probeMs)).toMatchObject({ holds: true });
    expect(await node.stop()).toMatchObject({ code: 0, signal: null, expected: true });
    node.start();
    await healAndConverge();
  });

  test('a graceful stop ends with exit code 0, also of a paused process', async () => {
    const node = await topic.leader();
    await node.pause();
    expect(await node.stop()).toMatchObject({ code: 0, signal: null, expected: true });
    expect(node.state()).toBe('down');
    node.start();
    await healAndConverge();
  });
});

test('nothing acknowledged is missing or doubled', async () => {
  const values = await topic.read();
  expect(values.filter((value) => value !== 'never acknowledged')).toEqual(topic.acked);
});

describe('the end', () => {
  test('no process, no port and no folder is left', async () => {
    const pids = cluster.nodes.flatMap((node) => [node.pid()!, ...node.endings().map(({ pid }) => pid)]);
    const [dead] = cluster.nodes;
    await dead!.pause();
    await cluster.stop();
    expect(await Promise.all(pids.map(processState))).toEqual(pids.map(() => 'gone'));
    const ports = [...cluster.links.flatMap(({ address, target }) => [address, target]), ...cluster.nodes.map((node) => node.httpAddress)];
    for (const address of ports) expect(await listens(address), address).toBe(false);
    expect(existsSync(cluster.folder)).toBe(false);
  });

  test('not even if the harness is killed while a broker is paused', async () => {
    const harness = startHarness();
    const [line] = (await once(harness.stdout!, 'data')) as [Buffer];
    const { pids, folder } = JSON.parse(line.toString()) as { readonly pids: readonly number[]; readonly folder: string };
    onCleanUp(() => pids.forEach((pid) => killIfThere(pid)));
    expect(await Promise.all(pids.map(processState))).toEqual(['paused', 'running']);
    expect(existsSync(folder)).toBe(true);
    harness.kill('SIGKILL');
    await until('the end of the brokers', async () => (await Promise.all(pids.map(processState))).every((state) => state === 'gone'));
    await until('the end of the folder', () => !existsSync(folder));
  });
});

async function listens(address: string): Promise<boolean> {
  const [host, port] = address.split(':');
  const socket = connectSocket({ host: host!, port: Number(port) });
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** A process that starts two brokers, pauses the first, tells about them, and waits. */
function startHarness(): ChildProcess {
  const script = `
    const { startChaosCluster } = await import('@balsa/chaos/cluster/chaos-cluster.ts');
    const { nodes, folder } = await startChaosCluster({ nodes: 2 });
    await nodes[0].pause();
    process.stdout.write(JSON.stringify({ pids: nodes.map((node) => node.pid()), folder }));`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd: import.meta.dirname,
  });
  onCleanUp(() => child.kill('SIGKILL'));
  return child;
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended, as it should.
  }
}
