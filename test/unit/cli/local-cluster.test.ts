import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { claimFolder } from '@balsa/node/local-cluster/folder.ts';
import { reservePorts } from '@balsa/node/local-cluster/free-ports.ts';
import { startLocalCluster } from '@balsa/node/local-cluster/local-cluster.ts';
import type { LocalCluster, LocalClusterOptions } from '@balsa/node/local-cluster/local-cluster.ts';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

const standIn = (name: string): string => fileURLToPath(new URL(`./stand-ins/${name}.ts`, import.meta.url));
let dir = '';
let cluster: LocalCluster | undefined;
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'balsa-local-cluster-'));
});
afterEach(async () => {
  await cluster?.stop();
  cluster = undefined;
  rmSync(dir, { recursive: true, force: true });
});

async function start(nodes: number, mood = '', more: Partial<LocalClusterOptions> = {}): Promise<LocalCluster> {
  const env = { STAND_IN: mood, NODE_OPTIONS: '' };
  cluster = await startLocalCluster({ nodes, dir, portBase: 'free', program: standIn('broker'), env, ...more });
  return cluster;
}

const alive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe('local cluster', () => {
  test('starts processes that know each other, and stops them', async () => {
    const { nodes, waitReady, stop, address } = await start(3);
    await waitReady();
    expect(address).toBe(nodes.map((node) => node.clientAddress).join(','));
    expect(new Set(nodes.flatMap((node) => [node.clientAddress, node.peerAddress, node.httpAddress])).size).toBe(9);
    const members = nodes.map((node) => `${node.id}=${node.peerAddress}/${node.clientAddress}`).join(',');
    for (const node of nodes)
      expect(readFileSync(node.logFile, 'utf8')).toBe(`node ${node.id} of ${members} in ${path.join(dir, `node-${node.id}`)}\n`);
    const pids = nodes.map((node) => node.pid!);
    await stop();
    expect(pids.filter(alive)).toEqual([]);
    expect(nodes.map((node) => node.lastExit)).toEqual(nodes.map(() => ({ code: 0, signal: null, expected: true })));
  });

  test('a killed node is down, the others stay, and it comes back under its addresses', async () => {
    const unexpected = vi.fn();
    const { nodes, waitReady } = await start(2, '', { onUnexpectedExit: unexpected });
    await waitReady();
    const [victim, other] = [nodes[0]!, nodes[1]!];
    const { pid } = victim;
    victim.kill('SIGKILL');
    expect(await victim.stopped).toEqual({ code: null, signal: 'SIGKILL', expected: true });
    expect(victim.pid).toBeUndefined();
    expect([await victim.isReady(), await other.isReady()]).toEqual([false, true]);
    victim.start();
    await waitReady();
    expect(victim.pid).not.toBe(pid);
    expect(await victim.isReady()).toBe(true);
    expect(() => victim.start()).toThrow('already runs');
    expect(unexpected).not.toHaveBeenCalled();
  });

  test('a node that somebody else kills is reported, and stays down', async () => {
    const unexpected = vi.fn();
    const { nodes, waitReady } = await start(2, '', { onUnexpectedExit: unexpected });
    await waitReady();
    process.kill(nodes[1]!.pid!, 'SIGKILL');
    await nodes[1]!.stopped;
    expect(unexpected.mock.calls).toEqual([[nodes[1], { code: null, signal: 'SIGKILL', expected: false }]]);
    expect(nodes[1]!.pid).toBeUndefined();
  });

  test('a node that ends during its start fails the wait at once, with the end of its log', async () => {
    const { waitReady } = await start(2, 'crash');
    await expect(waitReady()).rejects.toThrow(/node 2 ended by itself:\n.*\nthe journal is on fire/);
  });

  test('nodes that do not become ready are named when the time is over', async () => {
    const { waitReady } = await start(2, 'deaf');
    await expect(waitReady(300)).rejects.toThrow(/not ready after 300 ms: node 1 \(log: .*node-1\.log\), node 2/);
  });

  test('a node that ignores SIGTERM, or is paused, is killed in the end', async () => {
    const { nodes, waitReady, stop } = await start(2, 'stubborn', { stopTimeoutMs: 200 });
    await waitReady();
    nodes[0]!.kill('SIGSTOP');
    expect(nodes[0]!.pid).toBeDefined();
    await stop();
    expect(nodes.map((node) => node.lastExit?.signal)).toEqual(['SIGKILL', 'SIGKILL']);
  });

  // A supervisor that ends in its own time kills even brokers that ignore SIGTERM.
  test.each([
    ['SIGKILL', ''],
    ['SIGTERM', 'stubborn'],
  ] as const)('no broker survives a supervisor that ends by %s', async (signal, mood) => {
    const env = { ...process.env, STAND_IN: mood };
    const supervisor = spawn(process.execPath, [standIn('supervisor'), dir], { stdio: ['ignore', 'pipe', 'inherit'], env });
    const [line] = (await once(supervisor.stdout, 'data')) as [Buffer];
    const pids = JSON.parse(line.toString()) as number[];
    expect(pids.filter(alive)).toEqual(pids);
    supervisor.kill(signal);
    await once(supervisor, 'exit');
    await vi.waitFor(() => expect(pids.filter(alive)).toEqual([]), { timeout: 10_000, interval: 20 });
  });

  test('a port that is in use is named before anything starts', async () => {
    const { ports, release } = await reservePorts(1);
    const portBase = ports[0]!;
    const holder = createServer().listen(portBase, '127.0.0.1');
    await once(holder, 'listening');
    await expect(startLocalCluster({ nodes: 1, dir, portBase })).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      message: `port ${portBase} is in use by another process`,
    });
    expect(existsSync(path.join(dir, 'node-1.log'))).toBe(false);
    holder.close();
    release();
  });

  test.each([0, 10])('%d nodes are refused', async (nodes) => {
    await expect(startLocalCluster({ nodes, dir, portBase: 'free' })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });
});

describe('reserved ports', () => {
  test('reservations that begin at the same place never overlap, and come back when released', async () => {
    const first = await reservePorts(20, () => 0.5);
    const second = await reservePorts(20, () => 0.5);
    expect(new Set([...first.ports, ...second.ports]).size).toBe(40);
    first.release();
    second.release();
    await vi.waitFor(async () => {
      const third = await reservePorts(20, () => 0.5);
      third.release();
      expect(third.ports).toEqual(first.ports);
    });
  });

  test('ports that somebody else holds are left out', async () => {
    const before = await reservePorts(3, () => 0.25);
    before.release();
    const holder = createServer().listen(before.ports[1]!, '127.0.0.1');
    await once(holder, 'listening');
    const after = await reservePorts(3, () => 0.25);
    expect(after.ports).not.toContain(before.ports[1]);
    after.release();
    holder.close();
  });
});

describe('folder of a local cluster', () => {
  test('keeps its number of nodes', () => {
    const fresh = path.join(dir, 'deep', 'cluster');
    claimFolder(fresh, 3);
    claimFolder(fresh, 3);
    expect(() => claimFolder(fresh, 5)).toThrow('holds a cluster of 3 nodes, not 5');
  });

  test('with an unreadable mark is refused', () => {
    writeFileSync(path.join(dir, 'cluster.json'), '{');
    expect(() => claimFolder(dir, 3)).toThrow('unknown number');
  });
});
