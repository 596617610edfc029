/**
 * The stronger tier: brokers in network namespaces, with faults below TCP. Where the
 * machine does not allow it (no root, no iproute2 or nftables) the reason is printed and
 * only the report of that is tested.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect as connectSocket } from 'node:net';
import { applyFor } from '@balsa/chaos/cluster/lasting.ts';
import type { Proof } from '@balsa/chaos/cluster/proofs.ts';
import { processState } from '@balsa/chaos/cluster/process-state.ts';
import { detectCapabilities } from '@balsa/chaos/netns/capabilities.ts';
import { type NamespaceCluster, startNamespaceCluster } from '@balsa/chaos/netns/namespace-cluster.ts';
import { dropOneWay, healPackets, isolateFromClients, isolateFromPeers, rejectPair } from '@balsa/chaos/netns/packet-faults.ts';
import { proveConnected, proveHeard, proveRejected, proveUnheard } from '@balsa/chaos/netns/packet-proofs.ts';
import { limitRate } from '@balsa/chaos/netns/rate-limit.ts';
import { runTool } from '@balsa/chaos/netns/tools.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cleanUp, onCleanUp } from './fixture/clean-up.ts';
import { rawClient, soundBatch } from './fixture/raw-client.ts';
import { type TopicUnderFire, topicUnderFire } from './fixture/topic-under-fire.ts';
import { until } from './fixture/until.ts';

const topicName = 'below-tcp';
const capabilities = await detectCapabilities();
const missing = capabilities.filter(({ available }) => !available);
for (const { name, reason } of missing) process.stderr.write(`not tested on this machine: ${name} (${reason})\n`);

afterAll(cleanUp);

/** All that a run has made on the machine, by its prefix. */
async function traces(prefix: string): Promise<readonly string[]> {
  const listed = await Promise.all([runTool(['ip', 'netns', 'list']), runTool(['ip', '-o', 'link'])]);
  return listed.flatMap((text) => text.split('\n').filter((line) => line.includes(prefix)));
}

test('every capability is reported with a reason, and looking for it leaves nothing', async () => {
  expect(capabilities.map(({ name }) => name)).toEqual(['network-namespaces', 'packet-filter', 'rate-limit']);
  for (const { reason } of capabilities) expect(reason).not.toBe('');
  if (missing.length === 0) await until('no trace of the trial', async () => !(await traces('-trial')).some((line) => line !== ''));
});

describe.runIf(missing.length === 0)('brokers in namespaces', () => {
  let cluster: NamespaceCluster;
  let topic: TopicUnderFire;
  beforeAll(async () => {
    cluster = await startNamespaceCluster({ nodes: 3, config: { 'maintenance.balanceCheckMs': 600_000 } });
    onCleanUp(cluster.stop);
    topic = await topicUnderFire(cluster, topicName);
  });

  const failed = (proofs: readonly Proof[]): readonly Proof[] => proofs.filter(({ holds }) => !holds);

  async function converge(): Promise<void> {
    expect(failed(await proveConnected(cluster.network))).toEqual([]);
    await cluster.untilReady();
    await topic.untilAllAgree();
    await topic.produce();
  }

  test('connect to each other', async () => {
    await topic.produce();
    await converge();
  });

  test('an isolated leader is replaced and acknowledges nothing; healed, all agree', async () => {
    const { network } = cluster;
    const old = await topic.leader();
    const [one, other] = topic.othersThan(old);
    const raw = rawClient(old.clientAddress);
    const fault = await isolateFromPeers(network, old.id);
    const proofs = [
      proveUnheard(network, old.id, one!.id),
      proveUnheard(network, one!.id, old.id),
      proveUnheard(network, old.id, other!.id),
      proveHeard(network, one!.id, other!.id),
    ];
    expect(failed(await Promise.all(proofs))).toEqual([]);
    expect(await fault.struck()).toBeGreaterThan(0);
    await topic.untilAnotherLeads(old);
    await topic.produce(3);
    const answer = await raw.produce(topicName, 0, soundBatch('never acknowledged'), 500);
    expect(answer.error?.code).toMatch(/^(LEADER_NOT_AVAILABLE|NOT_LEADER|LEADER_CHANGED|TIMEOUT)$/);
    await fault.heal();
    await converge();
  });

  test('a leader that hears and is not heard is replaced', async () => {
    const { network } = cluster;
    const old = await topic.leader();
    const [one, other] = topic.othersThan(old);
    await Promise.all([dropOneWay(network, old.id, one!.id), dropOneWay(network, old.id, other!.id)]);
    const proofs = [proveUnheard(network, old.id, one!.id), proveHeard(network, one!.id, old.id), proveHeard(network, one!.id, other!.id)];
    expect(failed(await Promise.all(proofs))).toEqual([]);
    await topic.untilAnotherLeads(old);
    await topic.produce();
    await healPackets(network);
    expect(network.faults.size).toBe(0);
    await converge();
  });

  test('a leader and a follower whose packets are answered with resets', async () => {
    const { network } = cluster;
    const leader = await topic.leader();
    const [one] = topic.othersThan(leader);
    const fault = await rejectPair(network, leader.id, one!.id);
    const proofs = [proveRejected(network, fault, leader.id, one!.id), proveRejected(network, fault, one!.id, leader.id)];
    expect(failed(await Promise.all(proofs))).toEqual([]);
    await topic.produce();
    await fault.heal();
    await fault.heal();
    await converge();
  });

  test('a fault ends by itself when its time is over', async () => {
    const { network } = cluster;
    const fault = await applyFor(async () => (await isolateFromPeers(network, 1)).heal, 5_000);
    expect(await proveUnheard(network, 2, 1)).toMatchObject({ holds: true });
    await until('the end of its time', () => fault.ended() === 'expired');
    expect(network.faults.size).toBe(0);
    await converge();
  });

  test('a leader that its clients cannot reach is still observed, and what was sent arrives when it is over', async () => {
    const leader = await topic.leader();
    const fault = await isolateFromClients(cluster.network, leader.id);
    const [host, port] = leader.clientAddress.split(':');
    const socket = connectSocket({ host: host!, port: Number(port) });
    onCleanUp(() => socket.destroy());
    await until('a packet that was dropped', async () => (await fault.struck()) > 0);
    expect([socket.connecting, await leader.isReady()]).toEqual([true, true]);
    socket.destroy();
    const producing = topic.produce();
    const struck = await fault.struck();
    await until('more of them', async () => (await fault.struck()) > struck);
    await fault.heal();
    await producing;
    await converge();
  });

  test('a rate is kept by the kernel', async () => {
    const leader = await topic.leader();
    const fault = await limitRate(cluster.network, leader.id, 20_000);
    await until('packets that have to wait', async () => {
      await topic.produce(50);
      return (await fault.struck()) > 0;
    });
    await fault.heal();
    await converge();
  });

  test('nothing acknowledged is missing or doubled', async () => {
    const values = await topic.read();
    expect(values.filter((value) => value !== 'never acknowledged')).toEqual(topic.acked);
  });

  test('at the end no process, namespace, interface or folder is left', async () => {
    const { prefix } = cluster.network;
    const pids = cluster.nodes.map((node) => node.pid()!);
    expect((await traces(prefix)).length).toBeGreaterThan(4);
    await isolateFromPeers(cluster.network, 1);
    await cluster.stop();
    expect(await Promise.all(pids.map(processState))).toEqual(pids.map(() => 'gone'));
    expect(await traces(prefix)).toEqual([]);
    expect(existsSync(cluster.folder)).toBe(false);
  });

  test('not even if the harness is killed in the middle of a fault', async () => {
    const harness = startHarness();
    const [line] = (await once(harness.stdout!, 'data')) as [Buffer];
    const { pids, folder, prefix } = JSON.parse(line.toString()) as { pids: readonly number[]; folder: string; prefix: string };
    expect((await traces(prefix)).length).toBeGreaterThan(3);
    expect(await Promise.all(pids.map(processState))).toEqual(['paused', 'running']);
    harness.kill('SIGKILL');
    await until('the end of the brokers', async () => (await Promise.all(pids.map(processState))).every((state) => state === 'gone'));
    await until('the end of namespaces and interfaces', async () => (await traces(prefix)).length === 0);
    await until('the end of the folder', () => !existsSync(folder));
  });
});

/** A process that starts two brokers, cuts them off from each other, pauses the first, tells about them, and waits. */
function startHarness(): ChildProcess {
  const script = `
    const { startNamespaceCluster } = await import('@balsa/chaos/netns/namespace-cluster.ts');
    const { isolateFromPeers } = await import('@balsa/chaos/netns/packet-faults.ts');
    const { nodes, folder, network } = await startNamespaceCluster({ nodes: 2 });
    await isolateFromPeers(network, 1);
    await nodes[0].pause();
    process.stdout.write(JSON.stringify({ pids: nodes.map((node) => node.pid()), folder, prefix: network.prefix }));`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd: import.meta.dirname,
  });
  onCleanUp(() => child.kill('SIGKILL'));
  return child;
}
