/** The process: what it says and how it ends when it cannot start, and when it is told to stop. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

const program = fileURLToPath(new URL('../../../node/src/main.ts', import.meta.url));
const anyPort = ['--listen.client', '127.0.0.1:0', '--listen.peer', '127.0.0.1:0', '--listen.http', '127.0.0.1:0'];

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

interface Process {
  readonly ended: Promise<Ended>;
  /** Resolves to the line that says that the node listens. */
  readonly listening: Promise<string>;
  readonly kill: (signal: NodeJS.Signals) => void;
}

const running = new Set<Process>();

function start(args: readonly string[]): Process {
  const child = spawn(process.execPath, [program, '--log.format', 'json', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  let err = '';
  const listening = new Promise<string>((resolve) => {
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString();
      if (out.includes('\n')) resolve(out);
    });
  });
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString();
  });
  const ended = new Promise<Ended>((resolve) => {
    child.on('close', (code) => resolve({ code, out, err }));
  });
  const started = { ended, listening, kill: (signal: NodeJS.Signals) => void child.kill(signal) };
  running.add(started);
  void ended.then(() => running.delete(started));
  return started;
}

let folder = '';
let blocker: Server;
let taken = '';
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'balsa-start-'));
  blocker = createServer();
  await new Promise<void>((resolve) => {
    blocker.listen(0, '127.0.0.1', resolve);
  });
  taken = `127.0.0.1:${(blocker.address() as AddressInfo).port}`;
});
afterEach(async () => {
  for (const child of running) child.kill('SIGKILL');
  await Promise.all([...running].map(({ ended }) => ended));
});
afterAll(() => {
  blocker.close();
  rmSync(folder, { recursive: true });
});

// Whole processes, also on a busy machine.
const timeout = 60_000;

describe('a node that cannot start', { timeout }, () => {
  test('says which port is in use, and ends with its code', async () => {
    const { code, err, out } = await start([...anyPort, '--listen.peer', taken, '--data.dir', path.join(folder, 'port')]).ended;
    expect(code).toBe(3);
    expect(out).toBe('');
    expect(err).toContain(`PORT_IN_USE: ${taken} (listen.peer) is in use by another process. Stop that process or choose another port.`);
  });

  test('names the wrong setting', async () => {
    const { code, err } = await start(['--node.idd', '4']).ended;
    expect(code).toBe(2);
    expect(err).toContain('CONFIG_INVALID');
    expect(err).toContain('Did you mean "node.id"?');
  });

  test('refuses a folder that is no data folder, and leaves it as it is', async () => {
    const dir = mkdtempSync(path.join(folder, 'other-'));
    writeFileSync(path.join(dir, 'thesis.txt'), 'precious');
    const { code, err } = await start([...anyPort, '--data.dir', dir]).ended;
    expect(code).toBe(6);
    expect(err).toContain('DATA_CORRUPT');
    expect(err).toContain('thesis.txt');
  });
});

describe('a node', { timeout }, () => {
  test('listens, keeps its folder to itself, stops on SIGTERM, and belongs to one node for good', async () => {
    const data = ['--data.dir', path.join(folder, 'node')];
    const node = start([...anyPort, ...data]);
    expect(await node.listening).toMatch(
      /^balsa node 1 is listening: client 127\.0\.0\.1:\d+, peer 127\.0\.0\.1:\d+, http 127\.0\.0\.1:\d+\n$/,
    );
    const second = await start([...anyPort, ...data]).ended;
    expect(second).toMatchObject({ code: 4 });
    expect(second.err).toContain('DATA_LOCKED');
    node.kill('SIGTERM');
    expect(await node.ended).toMatchObject({ code: 0 });
    const foreign = await start([...anyPort, ...data, '--node.id', '2']).ended;
    expect(foreign).toMatchObject({ code: 5 });
    expect(foreign.err).toContain('DATA_FOREIGN');
  });

  test('prints its help with settings and exit codes', async () => {
    const { code, out } = await start(['--help']).ended;
    expect(code).toBe(0);
    expect(out).toContain('--raft.tickMs');
    expect(out).toContain('PORT_IN_USE');
  });
});
