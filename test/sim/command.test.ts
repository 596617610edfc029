/** The command itself, as a user runs it: a planted bug is found, made smaller, and repeated by the line that was printed. */
import { spawn } from 'node:child_process';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';

const launcher = fileURLToPath(new URL('balsa-sim.js', import.meta.url));
const hook = pathToFileURL(fileURLToPath(new URL('../mutants/hook.ts', import.meta.url))).href;
/** The core learns that a write is on disk when it is handed to the journal. */
const planted = { BALSA_MUTANT: 'B21h', NODE_OPTIONS: `--import=${hook}` };
const none = { BALSA_MUTANT: '', NODE_OPTIONS: '' };

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function balsaSim(line: string, environment: Record<string, string> = none): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const args = [launcher, ...line.split(' ').filter((word) => word !== '')];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...environment } });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (data: Buffer) => (stdout += data.toString()));
    child.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

/** The last line that repeats a run, without its commit. */
const lineOf = (output: string): string => [...output.matchAll(/npx balsa-sim (--seed .*?) {2}# commit/g)].at(-1)?.[1] ?? '';

describe('balsa-sim', () => {
  it('finds a planted bug, makes the run smaller, and the line that it prints fails again for that bug only', async () => {
    const found = await balsaSim('--seeds 20 --no-corpus --workers 1 --max-failures 1 --minimise', planted);
    expect(found.code, found.stderr).toBe(1);
    expect(found.stdout).toMatch(/^FAILED seed \d+ after /m);
    const [, minimised = ''] = found.stdout.split(/^minimised /m);
    const line = lineOf(minimised.split(/^operations|^journal/m)[0] ?? '');
    expect(line).toMatch(/^--seed \d+ --faults none/);
    const [again, without] = [await balsaSim(line, planted), await balsaSim(line)];
    expect(again.code, again.stdout).toBe(1);
    expect(without.code, without.stdout).toBe(0);
  });

  it('tells of a batch in JSON, with nothing else on stdout', async () => {
    const { code, stdout } = await balsaSim('--seeds 2 --no-corpus --json --trace-hash --safety-ms 500 --faults none');
    const document = JSON.parse(stdout) as Record<string, unknown>;
    expect(document).toMatchObject({ seeds: 2, failures: [], unreached: [], minimised: [] });
    expect(Object.keys(document['traceHashes'] as object)).toEqual(['1', '2']);
    expect((document['counts'] as Record<string, number>)['verdict-pass']).toBe(2);
    expect(code).toBe(0);
  });

  it('a trace is the run that the batch had', async () => {
    const one = '--safety-ms 500 --faults kill';
    const batch = await balsaSim(`--seeds 1 --from 3 --no-corpus --trace-hash ${one}`);
    const traced = await balsaSim(`--seed 3 --trace --trace-hash ${one}`);
    const [hash] = /^trace 3 [0-9a-f]{64}$/m.exec(traced.stdout) ?? [];
    expect(hash).toBeDefined();
    expect(batch.stdout.split('\n')).toContain(hash);
    expect(traced.stdout).toMatch(/^[\d.]+ role-leader /m);
  });

  it('a mistake on the command line runs nothing', async () => {
    const { code, stdout, stderr } = await balsaSim('--sedes 3');
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toContain('--help');
  });

  it('a run without an end is a failure of its seed', async () => {
    const { code, stdout } = await balsaSim('--seed 1 --safety-ms 86400000 --limit 3');
    expect(code).toBe(1);
    expect(stdout).toContain('FAILED seed 1: hangs');
    expect(stdout).toContain('npx balsa-sim --seed 1 --safety-ms 86400000');
  });
});
