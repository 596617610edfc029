/** The commands against a cluster in memory behind real connections. */
import { exec } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { runCli } from '../../../client/cli/program.ts';
import { systemClock } from '../../../client/src/ports/system.ts';
import { addTopic, createFakeCluster, finishMove, moveLeader, partitionOf } from '../client/fake-broker.ts';
import type { FakeCluster } from '../client/fake-broker.ts';
import { startFakeServers } from '../client/fake-server.ts';
import type { FakeServers } from '../client/fake-server.ts';
import { testTerminal } from './stand-ins/terminal.ts';
import type { TestTerminalOptions } from './stand-ins/terminal.ts';

let cluster: FakeCluster;
let servers: FakeServers;
beforeEach(async () => {
  cluster = createFakeCluster(systemClock);
  servers = await startFakeServers(cluster);
});
afterEach(() => {
  servers.stop();
  vi.unstubAllEnvs();
});

/** Generous, because the machine may be busy; met at once when it is not. */
const waiting = { timeout: 15_000, interval: 10 };
const address = (): string => servers.addresses.join(',');

async function run(args: readonly string[], options: TestTerminalOptions = {}): Promise<{ code: number; out: string; err: string }> {
  const { io, out, err } = testTerminal({ nowMs: Date.now, ...options });
  const code = await runCli([...args, '--address', address()], io);
  return { code, out: out(), err: err() };
}

async function json(...args: readonly string[]): Promise<unknown> {
  const { code, out, err } = await run([...args, '-o', 'json']);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return JSON.parse(out) as unknown;
}

describe('balsa topic', () => {
  test('creates, lists, describes, alters and deletes', async () => {
    expect(await run(['topic', 'create', 'orders', '--partitions', '2'])).toMatchObject({
      code: 0,
      out: 'ok topic orders created: 2 partitions, 3 replicas each\n',
    });
    expect(await json('topic', 'list')).toMatchObject([{ name: 'orders', partitions: [{ partition: 0 }, { partition: 1 }] }]);
    await run(['produce', 'orders', '--partition', '1'], { stdin: 'a\nb\n' });
    expect(await json('topic', 'describe', 'orders')).toMatchObject({
      name: 'orders',
      partitions: [
        { partition: 0, leader: 1, earliest: 0, latest: 0 },
        { partition: 1, leader: 2, earliest: 0, latest: 2 },
      ],
    });
    expect(await json('topic', 'alter', 'orders', '--partitions', '3', '-c', 'retention.ms=1')).toMatchObject({
      config: { 'retention.ms': '1' },
    });
    expect((await run(['topic', 'list'])).out).toMatch(
      /^TOPIC +PARTITIONS +REPLICAS +LEADERLESS +SETTINGS\norders +3 +\d +0 +retention\.ms=1\n$/,
    );
    expect(await json('topic', 'delete', 'orders', '--yes')).toEqual({ name: 'orders', deleted: true });
    expect(await json('topic', 'list')).toEqual([]);
  });

  test('moves the replicas of a partition: the order is accepted at once', async () => {
    addTopic(cluster, 'orders', 2);
    cluster.holdsMoves = true;
    expect(await run(['topic', 'move', 'orders', '--partition', '1', '--replicas', '3,1'])).toEqual({
      code: 0,
      out: 'ok orders/1 moves to nodes 3, 1; see balsa raft status\n',
      err: '',
    });
    const { groupId } = partitionOf(cluster, 'orders', 1)!;
    expect(await json('topic', 'move', 'orders', '--partition', '1', '--replicas', '2')).toEqual({
      topic: 'orders',
      partition: 1,
      groupId,
      replicas: [2],
      moved: false,
    });
  });

  test('and --wait sees how far it is, until it is done', async () => {
    addTopic(cluster, 'orders', 1);
    const args = ['topic', 'move', 'orders', '-p', '0', '--replicas', '1,2', '--wait', '-a', address()];
    expect(await run(args.slice(0, -2))).toMatchObject({ code: 0, out: 'ok orders/0 is on nodes 1, 2\n', err: '' });
    await run(['produce', 'orders'], { stdin: 'a\n' });
    cluster.holdsMoves = true;
    cluster.lags.set(3, 1);
    const { io, out, err } = testTerminal({ nowMs: Date.now, tty: true });
    const moving = runCli([...args.slice(0, 6), '1,3', ...args.slice(7)], io);
    await vi.waitFor(() => expect(err()).toMatch(/\[#+\.+\] +\d+% +\d+ of \d+ entries/), waiting);
    finishMove(cluster, 'orders', 0);
    expect(await moving).toBe(0);
    expect(out()).toContain('orders/0 is on nodes 1, 3');
  });

  test('a move that is not done in time says what it waits for', async () => {
    addTopic(cluster, 'orders', 1);
    await run(['topic', 'move', 'orders', '-p', '0', '--replicas', '1,2']);
    cluster.holdsMoves = true;
    const moved = ['topic', 'move', 'orders', '-p', '0', '--replicas', '1,3', '--wait-for', '1ms'];
    expect(await run(moved)).toEqual({
      code: 3,
      out: '',
      err: expect.stringMatching(
        /^error: orders\/0 is not on nodes 1, 3 after 1\.0 ms\n {2}why: {2}node 3 cannot be reached by its leader; its voters are still nodes 1, 2\n {2}next: the order stands/,
      ),
    });
    cluster.lags.set(3, 0);
    expect(await run(moved)).toMatchObject({ code: 3, err: expect.stringContaining('node 3 still copies') });
    finishMove(cluster, 'orders', 0);
    partitionOf(cluster, 'orders', 0)!.uncommitted = 1;
    expect(await run(moved)).toMatchObject({ code: 3, err: expect.stringContaining('has not confirmed that yet') });
    moveLeader(cluster, 'orders', 0, 0);
    expect(await run(moved)).toMatchObject({ code: 3, err: expect.stringContaining('it has no leader') });
  });

  test('a membership that was shown and not confirmed, and is gone again, does not count', async () => {
    const [partition] = addTopic(cluster, 'orders', 1);
    await run(['topic', 'move', 'orders', '-p', '0', '--replicas', '1,2']);
    partition!.uncommitted = 1;
    let nowMs = 0;
    const { io, err } = testTerminal({ nowMs: () => nowMs });
    const looks = (): number => cluster.calls.filter((call) => call.endsWith('GetRaftStatus')).length / cluster.nodes.size;
    const moving = runCli(['topic', 'move', 'orders', '-p', '0', '--replicas', '1,3', '--wait', '-a', address()], io);
    await vi.waitFor(() => expect(looks()).toBeGreaterThan(2), waiting);
    Object.assign(partition!, { replicas: [1, 2], uncommitted: 0 });
    const before = looks();
    await vi.waitFor(() => expect(looks()).toBeGreaterThan(before + 2), waiting);
    nowMs = 3_600_000;
    expect(await moving).toBe(3);
    expect(err()).toContain('its voters are still nodes 1, 2');
  });

  test('a move that waits is interrupted', async () => {
    addTopic(cluster, 'orders', 1);
    cluster.holdsMoves = true;
    const { io, err, interrupt } = testTerminal({ nowMs: Date.now });
    const moving = runCli(['topic', 'move', 'orders', '-p', '0', '--replicas', '1,3', '--wait', '-a', address()], io);
    await vi.waitFor(() => expect(cluster.calls.filter((call) => call.endsWith('GetRaftStatus')).length).toBeGreaterThan(3), waiting);
    interrupt();
    expect(await moving).toBe(130);
    expect(err()).toBe('');
  });

  test('replicas that make no sense, or that nobody can hold', async () => {
    addTopic(cluster, 'orders', 1);
    const move = (topic: string, partition: string, replicas: string) =>
      run(['topic', 'move', topic, '--partition', partition, '--replicas', replicas]);
    expect(await move('orders', '0', '9')).toMatchObject({
      code: 2,
      err: expect.stringMatching(/^error: cannot move the replicas of orders\/0: INVALID_TARGET\n.*\n {2}next: .*balsa cluster status/),
    });
    expect(await move('nope', '0', '1')).toMatchObject({ code: 4 });
    const before = cluster.calls.length;
    for (const replicas of ['a', '', '1,', '1,1', '0', '1.5', '70000', '1,2,3,4,5,6,7,8']) {
      expect(await move('orders', '0', replicas), replicas).toMatchObject({ code: 2, out: '', err: expect.stringContaining('1,2,4') });
    }
    expect(await run(['topic', 'move', 'orders', '--replicas', '1'])).toMatchObject({ code: 2 });
    expect(await run(['topic', 'move', 'orders', '--partition', '0'])).toMatchObject({ code: 2 });
    expect(cluster.calls.length).toBe(before);
  });

  test('a topic that exists, does not exist, or is about to be deleted without consent', async () => {
    addTopic(cluster, 'orders', 1);
    expect(await run(['topic', 'create', 'orders'])).toMatchObject({
      code: 1,
      err: expect.stringContaining('cannot create topic "orders": TOPIC_EXISTS'),
    });
    expect(await run(['topic', 'describe', 'nope'])).toMatchObject({ code: 4, out: '' });
    expect(await run(['topic', 'delete', 'nope', '--yes'])).toMatchObject({ code: 4 });
    expect(await run(['topic', 'delete', 'orders'])).toMatchObject({ code: 2, err: expect.stringContaining('--yes') });
    expect(await run(['topic', 'alter', 'orders'])).toMatchObject({ code: 2, err: expect.stringContaining('nothing to change') });
    expect(cluster.topics.has('orders')).toBe(true);
  });
});

describe('balsa produce and consume', () => {
  test('lines come back as they went in, in the order of their partition', async () => {
    addTopic(cluster, 't', 1);
    const lines = Array.from({ length: 5000 }, (_, n) => `line ${n}\n`).join('');
    expect(await run(['produce', 't'], { stdin: lines })).toMatchObject({
      code: 0,
      out: '',
      err: expect.stringContaining('5,000 records (43.9 kB) to t'),
    });
    expect(await run(['consume', 't'])).toEqual({ code: 0, out: lines, err: '' });
  });

  test('keys choose the partition and come back with their values', async () => {
    addTopic(cluster, 't', 3);
    await run(['produce', 't', '-k', '\\t'], { stdin: 'k1\tone\nk2\ttwo\nk1\tthree\n' });
    const { out } = await run(['consume', 't', '--format', '%k=%v\\n']);
    expect(out.split('\n').filter((line) => line.startsWith('k1'))).toEqual(['k1=one', 'k1=three']);
    expect(out).toContain('k2=two\n');
  });

  test('a file is read to its end, one partition only if asked', async () => {
    addTopic(cluster, 't', 2);
    const dir = mkdtempSync(path.join(tmpdir(), 'balsa-cli-'));
    writeFileSync(path.join(dir, 'lines'), 'a\nb');
    await run(['produce', 't', '--file', path.join(dir, 'lines'), '--partition', '1', '--acks', 'leader']);
    rmSync(dir, { recursive: true });
    expect((await run(['consume', 't', '--format', '%p:%v ', '-p', '1'])).out).toBe('1:a 1:b ');
    expect((await run(['consume', 't', '-p', '0'])).out).toBe('');
  });

  test('--from and --count choose the records', async () => {
    addTopic(cluster, 't', 1);
    await run(['produce', 't'], { stdin: '0\n1\n2\n3\n4\n' });
    expect((await run(['consume', 't', '--count', '2'])).out).toBe('0\n1\n');
    expect((await run(['consume', 't', '--from', '3'])).out).toBe('3\n4\n');
    expect((await run(['consume', 't', '--from', '99'])).out).toBe('');
    expect((await run(['consume', 't', '--from', '-1h', '-n', '1'])).out).toBe('0\n');
    expect(await run(['consume', 't', '--from', 'latest'])).toMatchObject({ code: 2, err: expect.stringContaining('--follow') });
  });

  test('JSON is one array, also of nothing; jsonl one object a line', async () => {
    addTopic(cluster, 't', 1);
    expect(await json('consume', 't')).toEqual([]);
    await run(['produce', 't'], { stdin: 'a\nb\n' });
    expect(await json('consume', 't')).toMatchObject([
      { offset: 0, value: 'a', key: null },
      { offset: 1, value: 'b' },
    ]);
    const { out } = await run(['consume', 't', '-o', 'jsonl']);
    expect(
      out
        .trimEnd()
        .split('\n')
        .map((line) => (JSON.parse(line) as { value: string }).value),
    ).toEqual(['a', 'b']);
  });

  test('--follow goes on until it is interrupted', async () => {
    addTopic(cluster, 't', 1);
    const { io, out, err, interrupt } = testTerminal({ nowMs: Date.now });
    const following = runCli(['consume', 't', '--follow', '-a', address()], io);
    await run(['produce', 't'], { stdin: 'early\n' });
    await vi.waitFor(() => expect(out()).toBe('early\n'), waiting);
    await run(['produce', 't'], { stdin: 'late\n' });
    await vi.waitFor(() => expect(out()).toBe('early\nlate\n'), waiting);
    interrupt();
    expect(await following).toBe(130);
    expect(err()).toBe('');
  });

  test('an offset beyond the end of a partition means its end', async () => {
    addTopic(cluster, 't', 2);
    await run(['produce', 't', '-p', '0'], { stdin: '0\n1\n2\n' });
    const { io, out, interrupt } = testTerminal({ nowMs: Date.now });
    const following = runCli(['consume', 't', '--from', '2', '--follow', '-a', address()], io);
    await vi.waitFor(() => expect(out()).toBe('2\n'), waiting);
    await run(['produce', 't', '-p', '1'], { stdin: 'first\n' });
    await vi.waitFor(() => expect(out()).toBe('2\nfirst\n'), waiting);
    interrupt();
    expect(await following).toBe(130);
  });

  test('a record that is refused fails the command', async () => {
    addTopic(cluster, 't', 1);
    cluster.hooks.onProduce = () => ({ kind: 'refuse', code: 'RECORD_TOO_LARGE' });
    const { code, err } = await run(['produce', 't'], { stdin: 'a\n' });
    expect({ code, err }).toEqual({
      code: 1,
      err: expect.stringMatching(/^0 of 1 records read were acknowledged\nerror: cannot produce to "t": RECORD_TOO_LARGE\n/),
    });
  });

  test('a bad line ends the work, names itself, and tells what was written', async () => {
    addTopic(cluster, 't', 1);
    const { code, err } = await run(['produce', 't', '-k', ':'], { stdin: 'a:1\nb:2\nc\nd:4\n' });
    expect({ code, err }).toEqual({
      code: 1,
      err: expect.stringMatching(/^2 of 2 records read were acknowledged\nerror: line 3 has no key\n {2}why: .*\n {2}next: .*\n$/),
    });
    expect((await run(['consume', 't'])).out).toBe('1\n2\n');
  });

  test('--rate spreads the records over time', async () => {
    addTopic(cluster, 't', 1);
    const startMs = performance.now();
    await run(['produce', 't', '--rate', '20'], { stdin: '1\n2\n3\n4\n5\n6\n7\n' });
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(6 * 50);
  });

  test('topics and partitions that do not exist', async () => {
    addTopic(cluster, 't', 1);
    expect(await run(['consume', 'nope'])).toMatchObject({ code: 4 });
    expect(await run(['produce', 'nope'], { stdin: 'a\n' })).toMatchObject({ code: 4 });
    expect(await run(['produce', 't', '-p', '5'], { stdin: 'a\n' })).toMatchObject({
      code: 4,
      err: expect.stringContaining('choose 0 to 0'),
    });
    expect(await run(['consume', 't', '-p', '5'])).toMatchObject({ code: 4 });
    expect(await run(['produce', 't', '-f', '/does/not/exist'])).toMatchObject({ code: 1, err: expect.stringContaining('ENOENT') });
  });

  test('a reader that has enough ends the command quietly', async () => {
    addTopic(cluster, 't', 1);
    await run(['produce', 't'], { stdin: 'a long line\n'.repeat(50_000) });
    const launcher = fileURLToPath(new URL('../../../client/cli/balsa.js', import.meta.url));
    const worker = `"${process.execPath}" "${launcher}" consume t --follow -a ${address()}; echo "code $?" >&2`;
    // The servers live in this process, so the shell must not block it.
    const { stdout, stderr } = await new Promise<{ stdout: string; stderr: string }>((resolve) => {
      exec(`( ${worker} ) | head -2`, (_, outText, errText) => resolve({ stdout: outText, stderr: errText }));
    });
    expect({ stdout, stderr }).toEqual({ stdout: 'a long line\na long line\n', stderr: 'code 0\n' });
  });
});

describe('balsa cluster and raft', () => {
  test('show every broker and every replica, also when one is down', async () => {
    addTopic(cluster, 't', 2);
    servers.kill(3);
    const status = (await json('cluster', 'status')) as { nodes: { nodeId: number; isReachable: boolean; error: unknown }[] };
    expect(status.nodes.map((node) => [node.nodeId, node.isReachable])).toEqual([
      [1, true],
      [2, true],
      [3, false],
    ]);
    expect(status.nodes[2]!.error).toMatchObject({ code: 'CONNECTION_LOST' });
    const table = (await run(['cluster', 'status'])).out;
    expect(table).toContain('2 of 3 answer');
    expect(table).toMatch(/\n3 +down \(CONNECTION_LOST\)/);
    const { out, err } = await run(['raft', 'status', '--topic', 't']);
    expect(out).toMatch(/t\/0 +1 +leader/);
    expect(err).toBe('node 3 does not answer (CONNECTION_LOST)\n');
  });

  test('move a leadership by partition or by group', async () => {
    addTopic(cluster, 't', 2);
    const { groupId } = ((await json('topic', 'describe', 't')) as { partitions: { groupId: number }[] }).partitions[1]!;
    expect(await json('raft', 'transfer', 't/1', '--to', '3')).toEqual({ groupId, leader: 3 });
    expect(await run(['raft', 'transfer', String(groupId), '--to', '1'])).toMatchObject({
      code: 0,
      out: `ok raft group ${groupId} is led by node 1\n`,
    });
    expect(await run(['raft', 'transfer', 't/7'])).toMatchObject({ code: 4 });
    expect(await run(['raft', 'transfer', 't'])).toMatchObject({ code: 2 });
    expect(await run(['raft', 'status', '-g', '1', '-t', 't'])).toMatchObject({ code: 2 });
  });
});

describe('balsa bench', () => {
  test('measures and removes its topic', async () => {
    expect(await json('bench', 'produce', '--records', '3000', '--producers', '2', '--record-bytes', '10')).toMatchObject({
      records: 3000,
      bytes: 30_000,
      acks: 'quorum',
      latency: { count: 3000 },
    });
    const latency = (await json('bench', 'latency', '--rate', '200', '--seconds', '1')) as Record<
      'ack' | 'endToEnd',
      { count: number; p50Ms: number }
    >;
    expect([latency.ack.count, latency.endToEnd.count]).toEqual([200, 200]);
    expect(latency.endToEnd.p50Ms).toBeGreaterThan(0);
    expect(cluster.topics.size).toBe(0);
  });

  test('reads back what it wrote, for people', async () => {
    const { code, out } = await run(['bench', 'consume', '--records', '2000', '--keep']);
    expect(code).toBe(0);
    expect(out).toMatch(/^setup +1024 B records, 6 partitions x 3 replicas\nrecords +2,000\ntime .*\nrecords\/s +[\d,]+\nMB\/s +[\d.]+\n$/);
    expect([...cluster.topics.keys()]).toEqual([expect.stringMatching(/^balsa-bench-/)]);
  });
});

describe('without a cluster', () => {
  const topicList = async (at: string): Promise<{ code: number; err: string }> => {
    const { io, err } = testTerminal();
    return { code: await runCli(['topic', 'list', '--timeout', '500ms', '-a', at], io), err: err() };
  };

  test('the error says why, and how to get one', async () => {
    servers.stop();
    const { code, err } = await topicList(address());
    expect({ code, err }).toEqual({
      code: 3,
      err: expect.stringMatching(
        /^error: no broker answers at .*\n {2}why: {2}the connection is refused: nothing listens there\n {2}next: start a cluster \(balsa dev\)/,
      ),
    });
  });

  test('a server that is no broker, and a name that nobody knows', async () => {
    const stranger = createServer().listen(0, '127.0.0.1');
    await once(stranger, 'listening');
    const { port } = stranger.address() as AddressInfo;
    expect(await topicList(`balsa://127.0.0.1:${port}`)).toMatchObject({
      code: 3,
      err: expect.stringContaining('something listens there but does not answer'),
    });
    stranger.close();
    expect(await topicList('no-such-host.invalid:7070')).toMatchObject({
      code: 3,
      err: expect.stringMatching(/the host name (is not known|could not be looked up)/),
    });
  });

  test('BALSA_ADDRESS is asked without --address', async () => {
    addTopic(cluster, 'from-environment', 1);
    vi.stubEnv('BALSA_ADDRESS', address());
    const { io, out } = testTerminal();
    expect(await runCli(['topic', 'list', '-o', 'jsonl'], io)).toBe(0);
    expect(out()).toContain('from-environment');
  });
});
