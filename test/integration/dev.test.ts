/** `make start`: a cluster in the foreground, its data found again, and what it says when its brokers are gone. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { connect, text } from '@balsa/client';
import { reservePorts } from '@balsa/node/local-cluster/free-ports.ts';
import { afterAll, expect, test } from 'vitest';
import { cleanUp, onCleanUp, temporaryFolder } from './fixture/clean-up.ts';
import { until } from './fixture/until.ts';

afterAll(cleanUp);

const program = fileURLToPath(new URL('../../node/src/dev.ts', import.meta.url));
/** One broker takes the ports P, P+10 and P+20; so many free ones contain three such. */
const portsPerCluster = 40;

interface Dev {
  readonly output: () => string;
  readonly ended: Promise<number | null>;
  readonly process: ChildProcess;
  readonly address: string;
}

async function startDev(dir: string): Promise<Dev> {
  const reserved = await reservePorts(portsPerCluster);
  onCleanUp(() => reserved.release());
  const base = reserved.ports.find((port) => [10, 20].every((step) => reserved.ports.includes(port + step)));
  const child = spawn(process.execPath, [program, '--nodes', '1', '--dir', dir, '--port-base', `${base}`]);
  onCleanUp(() => child.kill('SIGKILL'));
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const ended = once(child, 'exit').then(([code]) => code as number | null);
  await until('the banner', () => output.includes('Balsa is ready'));
  return { output: () => output, ended, process: child, address: `127.0.0.1:${base}` };
}

/** Its process is known by the folder that it was given. */
function brokerPid(dir: string): number {
  const [pid] = execFileSync('pgrep', ['-f', path.join(dir, 'node-1')], { encoding: 'utf8' }).split('\n');
  return Number(pid);
}

test('an interrupt stops it gracefully, and the next start finds the data', async () => {
  const dir = path.join(temporaryFolder(), 'data');
  const first = await startDev(dir);
  {
    await using balsa = await connect(first.address);
    await balsa.admin.topics.create('kept', { partitions: 1 });
    await using producer = balsa.topic('kept', { value: text }).producer();
    await producer.send({ value: 'still here' });
  }
  first.process.kill('SIGINT');
  expect(await first.ended).toBe(0);
  expect(first.output()).toContain('the data stays in');

  const second = await startDev(dir);
  await using balsa = await connect(second.address);
  await using consumer = balsa.topic('kept', { value: text }).consumer({ from: 'earliest', until: 'latest' });
  const values: unknown[] = [];
  for await (const { value } of consumer) values.push(value);
  expect(values).toEqual(['still here']);
  second.process.kill('SIGINT');
  expect(await second.ended).toBe(0);
});

test('when its brokers are gone it says so and fails', async () => {
  const dir = path.join(temporaryFolder(), 'data');
  const dev = await startDev(dir);
  process.kill(brokerPid(dir), 'SIGKILL');
  expect(await dev.ended).toBe(1);
  expect(dev.output()).toContain('node 1 ended by SIGKILL');
  expect(dev.output()).toContain('all brokers have ended');
});
