/** A record that is written while a run goes on: whole at its end, and all but the newest if the harness is killed. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { openLineFile } from '@balsa/chaos/record/line-file.ts';
import { afterEach, beforeEach, expect, test } from 'vitest';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'balsa-line-file-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('closed, it holds every line in order', async () => {
  const file = path.join(folder, 'lines');
  const lines = openLineFile(file);
  for (let n = 0; n < 20_000; n += 1) lines.add({ n });
  await lines.close();
  const read = readFileSync(file, 'utf8').trimEnd().split('\n');
  expect(read.map((line) => (JSON.parse(line) as { n: number }).n)).toEqual(Array.from({ length: 20_000 }, (_, n) => n));
});

test('a file that cannot be written fails the run, at the latest when it is closed', async () => {
  const lines = openLineFile(path.join(folder, 'missing', 'lines'));
  lines.add({ n: 1 });
  await expect(lines.close()).rejects.toThrow('ENOENT');
  expect(() => lines.add({ n: 2 })).toThrow('ENOENT');
});

test('killed -9, the writer has lost less than its last second', async () => {
  const file = path.join(folder, 'lines');
  const writer = spawn(process.execPath, [path.join(import.meta.dirname, 'line-writer.ts'), file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const said: { readonly n: number; readonly atMs: number }[] = [];
  for await (const line of createInterface(writer.stdout)) {
    said.push(JSON.parse(line) as (typeof said)[number]);
    if (said.at(-1)!.atMs - said[0]!.atMs > 1500) break;
  }
  writer.kill('SIGKILL');
  await once(writer, 'close');
  const lines = readFileSync(file, 'utf8').split('\n');
  lines.pop();
  const written = new Set(lines.map((line) => (JSON.parse(line) as { n: number }).n));
  const lost = said.filter(({ n }) => !written.has(n));
  const endMs = said.at(-1)!.atMs;
  expect(lost.filter(({ atMs }) => atMs < endMs - 1000)).toEqual([]);
  expect(written.size).toBeGreaterThan(10);
});
