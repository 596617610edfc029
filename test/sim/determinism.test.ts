/**
 * The same seed is the same run, whatever process it runs in: the traces of two processes are
 * equal although V8 hashes otherwise in one of them, has another idea of chance, another heap,
 * and runs the seeds in another order.
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const program = fileURLToPath(new URL('run/trace-hashes.ts', import.meta.url));
const seeds = Array.from({ length: 12 }, (_, place) => place + 1);
const otherFlags = ['--hash-seed=1234', '--random-seed=77', '--rehash-snapshot', '--max-semi-space-size=1', '--stack-size=900'];

it(`${seeds.length} seeds give the same traces in two processes`, async () => {
  const [plain, other] = await Promise.all([hashes([], seeds), hashes(otherFlags, seeds.toReversed())]);
  expect([...plain.keys()]).toEqual(seeds);
  for (const seed of seeds) expect(other.get(seed), `seed ${seed}`).toBe(plain.get(seed));
  // A trace that says nothing would be equal, too.
  expect(new Set(plain.values()).size).toBe(seeds.length);
});

/** Trace hashes by seed, from a fresh process. */
function hashes(flags: readonly string[], order: readonly number[]): Promise<ReadonlyMap<number, string>> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...flags, program, ...order.map(String)], { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.on('data', (data: Buffer) => {
      output += data.toString();
    });
    child.on('error', reject);
    child.on('close', (code) => {
      const lines = output.trim().split('\n');
      if (code === 0) resolve(new Map(lines.map((line) => line.split(' ')).map(([seed, hash]) => [Number(seed), hash ?? ''])));
      else reject(new Error(`exit code ${code}: ${output}`));
    });
  });
}
