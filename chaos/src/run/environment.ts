/** Where a run took place: what its figures depend on. */
import { execFile } from 'node:child_process';
import { open, rm } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { ascending, percentile } from '../availability/distribution.ts';
import type { Environment } from '../record/run-record.ts';

const syncs = 50;
const writeBytes = 1024;
const gitTimeoutMs = 5_000;

/** `folder` is on the disk that the brokers use. */
export async function describeEnvironment(folder: string): Promise<Environment> {
  return {
    startedAt: new Date().toISOString(),
    nodeVersion: process.version,
    platform: `${process.platform} ${process.arch}`,
    cpuModel: cpus()[0]?.model.trim() ?? 'unknown',
    cpus: availableParallelism(),
    memoryBytes: totalmem(),
    fsyncMs: await measureSync(folder),
    loadBefore: loadavg()[0] ?? 0,
    commit: await commitOfSources(),
  };
}

/** A small append and fdatasync, one after the other. */
async function measureSync(folder: string): Promise<Environment['fsyncMs']> {
  const name = path.join(folder, 'sync-probe');
  const file = await open(name, 'w');
  const times: number[] = [];
  try {
    const bytes = Buffer.alloc(writeBytes, 1);
    for (let i = 0; i < syncs; i += 1) {
      const beganMs = performance.now();
      await file.write(bytes, 0, bytes.length, i * writeBytes);
      await file.datasync();
      times.push(performance.now() - beganMs);
    }
  } finally {
    await file.close();
    await rm(name);
  }
  const sorted = ascending(times);
  return { p50: percentile(sorted, 0.5), p99: percentile(sorted, 0.99) };
}

async function commitOfSources(): Promise<string | undefined> {
  const git = async (...args: string[]): Promise<string> =>
    (await promisify(execFile)('git', ['-C', import.meta.dirname, ...args], { timeout: gitTimeoutMs })).stdout.trim();
  try {
    const [commit, changes] = await Promise.all([
      git('rev-parse', '--short=10', 'HEAD'),
      git('status', '--porcelain', '--untracked-files=no'),
    ]);
    return changes === '' ? commit : `${commit}+`;
  } catch {
    return undefined;
  }
}
