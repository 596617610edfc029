/**
 * Journal throughput on real files: entries in group commit, as a leader of many groups
 * writes them. The bar is docs/architecture's measurement: 438 MB/s at 1.3 ms CPU per MB with 16 KiB payloads.
 *
 *   node test/bench/journal.ts [folder] [megabytes]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asGroupId, asRaftIndex, asTerm } from '@balsa/node/core/ids.ts';
import { nodeDisk } from '@balsa/node/storage/disk/node-disk.ts';
import { openJournal } from '@balsa/node/storage/journal/open.ts';
import type { Frame } from '@balsa/node/storage/journal/vocabulary.ts';

const mb = 1e6;
const groupCount = 32;
/** Appends under way at once: what arrives during one fdatasync. */
const callsInFlight = 64;

async function measure(base: string, payloadBytes: number, totalBytes: number): Promise<void> {
  const folder = mkdtempSync(join(base, 'balsa-bench-'));
  const syncedMs: number[] = [];
  const journal = await openJournal({
    disk: nodeDisk,
    folder,
    storeId: 'bench',
    fullFreeBytesMin: 0,
    onFatal: (error) => {
      throw error;
    },
    onEvent: (event) => {
      if (event.type === 'synced') syncedMs.push(event.durationMs);
    },
    now: () => performance.now(),
  });
  const payload = Buffer.alloc(payloadBytes, 'x');
  const perCall = Math.max(1, Math.floor(16384 / payloadBytes));
  const next = Array<number>(groupCount).fill(1);
  const frames = (call: number): Frame[] => {
    const group = call % groupCount;
    return Array.from({ length: perCall }, () => {
      const index = asRaftIndex(next[group]!++);
      const entry = { kind: 'command' as const, index, term: asTerm(1), size: payloadBytes, payload };
      return { group: asGroupId(group), generation: 1, kind: 'entry', entry };
    });
  };
  const calls = Math.ceil(totalBytes / (perCall * payloadBytes));
  let issued = 0;
  const worker = async (): Promise<void> => {
    while (issued < calls) await journal.append(frames(issued++));
  };
  const cpu = process.cpuUsage();
  const startedMs = performance.now();
  await Promise.all(Array.from({ length: callsInFlight }, worker));
  const tookMs = performance.now() - startedMs;
  const { user, system } = process.cpuUsage(cpu);
  const written = (calls * perCall * payloadBytes) / mb;
  syncedMs.sort((a, b) => a - b);
  console.log(
    `${String(payloadBytes).padStart(6)} B: ${((written / tookMs) * 1000).toFixed(0)} MB/s, ` +
      `${((user + system) / 1000 / written).toFixed(2)} ms CPU/MB (user ${(user / 1000 / written).toFixed(2)}), ` +
      `${journal.stats().batches} batches, batch p50 ${syncedMs[syncedMs.length >> 1]?.toFixed(2)} ms ` +
      `p99 ${syncedMs[Math.floor(syncedMs.length * 0.99)]?.toFixed(2)} ms`,
  );
  await journal.close();
  const reopenMs = performance.now();
  const again = await openJournal({
    disk: nodeDisk,
    folder,
    storeId: 'bench',
    fullFreeBytesMin: 0,
    onFatal: () => undefined,
    now: () => performance.now(),
  });
  console.log(`          reopened ${again.stats().segments} segments in ${(performance.now() - reopenMs).toFixed(0)} ms`);
  await again.close();
  rmSync(folder, { recursive: true });
}

const [base = tmpdir(), megabytes = '512'] = process.argv.slice(2);
for (const payloadBytes of [16384, 1024, 16384, 1024]) await measure(base, payloadBytes, Number(megabytes) * mb);
