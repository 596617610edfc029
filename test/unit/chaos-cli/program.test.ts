/** The command line of the harness: what it says, and its exit codes. Nothing is started here. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Writable } from 'node:stream';
import { runChaosCli } from '@balsa/chaos/cli/program.ts';
import { afterAll, describe, expect, test } from 'vitest';

const folder = mkdtempSync(path.join(tmpdir(), 'balsa-chaos-cli-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function chaos(...args: readonly string[]) {
  const texts = { stdout: '', stderr: '' };
  const into = (name: keyof typeof texts) =>
    Object.assign(new Writable({ write: (chunk, _, done) => ((texts[name] += String(chunk)), done()) }), {
      columns: 100,
      isTTY: false,
    }) as unknown as NodeJS.WriteStream;
  const code = await runChaosCli(args, { stdout: into('stdout'), stderr: into('stderr'), signal: new AbortController().signal });
  return { code, ...texts };
}

describe('help', () => {
  test.each(['list', 'run', 'random', 'check', 'report', 'study', 'matrix'])('%s has examples', async (command) => {
    const { code, stdout } = await chaos(command, '--help');
    expect([code, stdout]).toEqual([0, expect.stringContaining('Examples:')]);
  });
  test('names every exit code', async () => {
    expect((await chaos('--help')).stdout).toMatch(/0 {2}every promise.*\n.*1 {2}a promise was broken/);
  });
});

test('list shows scenarios, faults and the machine', async () => {
  const { code, stdout } = await chaos('list', '--json');
  const { scenarios, faults, capabilities } = JSON.parse(stdout) as Record<string, readonly { readonly name: string }[]>;
  expect(code).toBe(0);
  expect(scenarios!.map(({ name }) => name)).toContain('part-kill');
  expect(faults!.map(({ name }) => name)).toContain('reply-cut');
  expect(capabilities!.length).toBeGreaterThan(0);
});

describe('what is not valid costs nothing and says what to do', () => {
  test.each([
    [['run', 'kill-leadr'], /kill-leader/],
    [['run', '/no/such/file.yaml'], /no such file/],
    [['run', 'kill-leader', '--seed', 'x'], /whole number/],
    [['matrix', '--rows', 'nonsense'], /rows: /],
    [['report', '/no/such/folder'], /not there/],
    [['nonsense'], /unknown command/],
  ])('%j', async (args, message) => {
    const { code, stderr } = await chaos(...args);
    expect([code, stderr]).toEqual([2, expect.stringMatching(message)]);
  });
});

test('random prints what it would run, the same for the same seed', async () => {
  const [one, other] = [
    await chaos('random', '--seed', '7', '--minutes', '1', '--print'),
    await chaos('random', '--seed', '7', '--minutes', '1', '--print'),
  ];
  expect(one.code).toBe(0);
  expect(one.stdout).toContain('seed: 7');
  expect(one.stdout).toBe(other.stdout);
});

describe('check', () => {
  const stamp = { tNs: 1, process: 'p' };
  const place = { topic: 'orders', partition: 0 };
  const sent = [
    { ...stamp, ...place, op: 1, type: 'invoke', f: 'send', session: 's', acks: 'quorum', idempotent: true, records: [{ id: 1 }] },
    { ...stamp, op: 1, type: 'ok', f: 'send', offsets: [0] },
  ];
  const drained = (records: readonly object[]) => [
    { ...stamp, ...place, op: 2, process: 'd', type: 'invoke', f: 'poll', source: 'drain' },
    { ...stamp, op: 2, process: 'd', type: 'ok', f: 'poll', records, highWatermark: records.length, logStart: 0 },
  ];
  const fileOf = (events: readonly object[]): string => {
    const file = path.join(folder, `${events.length}-${Math.random()}.ndjson`);
    writeFileSync(file, events.map((event) => `${JSON.stringify(event)}\n`).join(''));
    return file;
  };

  test('a good history passes', async () => {
    expect(await chaos('check', fileOf([...sent, ...drained([{ offset: 0, id: 1 }])]))).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('PASS'),
    });
  });
  test('a lost record fails, and is named with its operations', async () => {
    const { code, stdout } = await chaos('check', fileOf([...sent, ...drained([])]));
    expect([code, stdout]).toEqual([1, expect.stringMatching(/lost-write \(I-S1\).*operations 1/)]);
  });
  test('a file that is no history is refused with its line', async () => {
    expect(await chaos('check', fileOf([{ type: 'nonsense' }]))).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/Line 1 of the history/),
    });
  });
});
