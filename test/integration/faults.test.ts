/**
 * Faults inside real broker processes (--unsafe-faults): each takes effect, is told, heals by
 * itself or ends the process as documented, costs nothing that was acknowledged, and leaves
 * nothing behind.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { type FaultControl, faultControl } from '@balsa/chaos/faults/fault-control.ts';
import { type Balsa, text } from '@balsa/client';
import { exitCodes } from '@balsa/node/assembly/exit-code.ts';
import type { LocalCluster, LocalNode } from '@balsa/node/local-cluster/local-cluster.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cleanUp } from './fixture/clean-up.ts';
import { ackedCount, expectKept, startKeyedLoad } from './fixture/keyed-load.ts';
import { rawClient, soundBatch } from './fixture/raw-client.ts';
import { connectTo, restart, startTestCluster, untilCaughtUp } from './fixture/test-cluster.ts';
import { until } from './fixture/until.ts';

const MiB = 1024 * 1024;
const killed = { code: null, signal: 'SIGKILL', expected: false };

const log = (node: LocalNode): string => readFileSync(node.logFile, 'utf8');

/** Value of a metric without labels. */
async function metric({ httpAddress }: LocalNode, name: string): Promise<number> {
  const response = await fetch(`http://${httpAddress}/metrics`);
  return Number(new RegExp(`^${name} (.*)$`, 'm').exec(await response.text())?.[1]);
}

/** Names that only exist so that a power failure can take something back. */
const spareNames = ({ dir }: LocalNode): readonly string[] =>
  (readdirSync(dir, { recursive: true }) as string[]).filter((name) => name.includes('unsynced'));

test('without the flag there is no channel', async () => {
  const cluster = await startTestCluster({ nodes: 1, flags: [] });
  const node = cluster.nodes[0]!;
  const faults = faultControl(node.httpAddress);
  await expect(faults.describe()).rejects.toMatchObject({ status: 404, message: expect.stringContaining('--unsafe-faults') });
  await expect(faults.apply({ fault: 'power-loss' })).rejects.toMatchObject({ status: 404 });
  expect(await metric(node, 'balsa_unsafe_faults')).toBe(0);
  expect(log(node)).not.toContain('unsafe');
  await cluster.stop();
});
afterAll(cleanUp);

describe('one broker', () => {
  let cluster: LocalCluster;
  let node: LocalNode;
  let balsa: Balsa;
  let faults: FaultControl;
  let sent = 0n;
  beforeAll(async () => {
    cluster = await startTestCluster({ nodes: 1, flags: ['--unsafe-faults'] });
    node = cluster.nodes[0]!;
    faults = faultControl(node.httpAddress);
    balsa = await connectTo(cluster);
    await balsa.admin.topics.create('kept');
  });

  async function send(): Promise<void> {
    await using producer = balsa.topic('kept', { value: text }).producer({ deliveryTimeout: '90s' });
    expect(await producer.send({ value: `value ${sent}` })).toMatchObject({ offset: sent });
    sent += 1n;
  }

  async function expectEverything(): Promise<void> {
    expect(await balsa.topic('kept').offsets()).toEqual([{ partition: 0, earliest: 0n, latest: sent }]);
    expect(spareNames(node)).toEqual([]);
  }

  test('it says loudly that it can be hurt', async () => {
    expect(log(node)).toContain('never use this where data matters');
    expect(await metric(node, 'balsa_unsafe_faults')).toBe(1);
  });

  test('a slow disk shows in the time of its syncs, then heals by itself', async () => {
    const slow = await faults.apply({ fault: 'slow-disk', operations: ['datasync'], delayMs: 300, files: '.segment', ttlMs: 5_000 });
    const before = await metric(node, 'balsa_journal_sync_seconds_sum');
    await send();
    expect(await metric(node, 'balsa_journal_sync_seconds_sum')).toBeGreaterThanOrEqual(before + 0.29);
    await until('it has healed', async () => (await faults.describe()).ended.some(({ id, struck }) => id === slow.id && struck > 0));
    expect((await faults.describe()).active).toEqual([]);
  });

  test('the wall clock is wrong, and right again', async () => {
    const byMs = -288_000;
    const { id } = await faults.apply({ fault: 'clock-step', byMs });
    expect((await faults.describe()).wallMs - Date.now()).toBeLessThan(byMs + 60_000);
    await send();
    await faults.heal(id);
    expect(Math.abs((await faults.describe()).wallMs - Date.now())).toBeLessThan(60_000);
    await send();
  });

  test('a blocked event loop serves nothing meanwhile', async () => {
    const blocked = faults.apply({ fault: 'block', ms: 1_000 });
    const startedMs = performance.now();
    await until('something is late', async () => {
      const askedMs = performance.now();
      await (await fetch(`http://${node.httpAddress}/livez`)).text();
      return performance.now() - askedMs > 500 || performance.now() - startedMs > 5_000;
    });
    expect((await blocked).blockedMs).toBeGreaterThanOrEqual(999);
    expect(performance.now() - startedMs).toBeLessThan(5_000);
  });

  test('a disk without space: DISK_FULL, which heals with the fault', async () => {
    await balsa.admin.topics.create('big');
    const raw = rawClient(node.clientAddress);
    const batch = (): Uint8Array => soundBatch(...Array.from({ length: 8 }, () => new Uint8Array(MiB / 4)));
    const { id } = await faults.apply({ fault: 'disk-full', ttlMs: 120_000 });
    let refused = '';
    // The active segment and the one that is prepared are 48 MiB each.
    for (let batches = 0; refused === '' && batches < 60; batches++) {
      refused = (await raw.produce('big', 0, batch(), 30_000)).error?.code ?? '';
    }
    expect(refused).toBe('DISK_FULL');
    expect((await faults.describe()).active).toMatchObject([{ id, fault: 'disk-full' }]);
    expect(await metric(node, 'balsa_journal_full')).toBe(1);
    await expectEverything();
    await faults.heal(id);
    await until('writes are accepted again', async () => (await raw.produce('big', 0, batch(), 30_000)).error === undefined);
    await send();
  });

  test('a failed sync ends the process with STORAGE_FAILED', async () => {
    await faults.apply({ fault: 'sync-error', files: '.segment', times: 1 });
    const unsure = send();
    expect(await node.stopped).toMatchObject({ code: exitCodes.STORAGE_FAILED.code, expected: false });
    expect(log(node)).toMatch(/^STORAGE_FAILED: .*injected error of fdatasync/m);
    await restart(cluster, node);
    await unsure;
    await expectEverything();
  });

  test.each(['journal.before-write', 'journal.after-sync', 'machine.before-apply', 'produce.before-answer'] as const)(
    'a failpoint kills the process at %s',
    async (point) => {
      const { id } = await faults.apply({ fault: 'failpoint', point, action: 'panic' });
      expect(id).toBeGreaterThan(0);
      const unsure = send();
      expect(await node.stopped).toEqual(killed);
      await restart(cluster, node);
      await unsure;
      await expectEverything();
    },
  );

  test.each([
    ['journal.before-sync', 'prefix', 'unsynced'],
    ['journal.after-write', false, 'all'],
    ['machine.after-apply', 'sectors', 'keep'],
    ['watermark.after-write', true, 'unsynced'],
  ] as const)('a failpoint cuts the power at %s (torn: %s, state store: %s), and tells what was lost', async (point, torn, state) => {
    const before = lostPower(node).length;
    await faults.apply({ fault: 'failpoint', point, action: 'power-loss', torn, state });
    const unsure = send();
    expect(await node.stopped).toEqual(killed);
    const told = lostPower(node).slice(before);
    expect(told).toMatchObject([{ point, torn, state }]);
    if (torn === false) expect(told[0]?.lostBytes).toBeGreaterThan(0);
    if (state === 'all') expect(told[0]?.stateBytes).toBeGreaterThan(0);
    await restart(cluster, node);
    await unsure;
    await expectEverything();
  });
});

interface ToldLoss {
  readonly event: string;
  readonly point?: string;
  readonly lostBytes: number;
  readonly stateBytes: number;
}

/** What power failures said on stderr. */
const lostPower = (node: LocalNode): readonly ToldLoss[] =>
  log(node)
    .split('\n')
    .filter((line) => line.startsWith('{"event":"power-loss'))
    .map((line) => JSON.parse(line) as ToldLoss);

describe('three brokers', () => {
  let cluster: LocalCluster;
  let balsa: Balsa;
  beforeAll(async () => {
    cluster = await startTestCluster({
      flags: ['--unsafe-faults', '--journal.scrubPassMs', '1000', '--journal.scrubBytesPerSecond', '64MiB'],
    });
    balsa = await connectTo(cluster);
    await balsa.admin.topics.create('kept', { partitions: 3, replicas: 3 });
  });

  test.each([false, true] as const)(
    'all lose power at once, with bytes that were not synced (torn: %s): every ack is kept',
    async (torn) => {
      const topic = `power-${torn}`;
      await balsa.admin.topics.create(topic, { partitions: 3, replicas: 3 });
      const load = startKeyedLoad(balsa, topic);
      await until('acknowledgements', () => ackedCount(load) > 500);
      const lost = await Promise.all(
        cluster.nodes.map(async ({ httpAddress }) => {
          const faults = faultControl(httpAddress);
          await faults.apply({ fault: 'stall', operations: ['datasync'], files: '.segment' });
          await until('something is written and not synced', async () => (await faults.describe()).unsynced.bytes > 1_000);
          return faults.apply({ fault: 'power-loss', torn });
        }),
      );
      for (const { lostBytes, keptBytes } of lost) expect(torn ? lostBytes + keptBytes : lostBytes).toBeGreaterThan(1_000);
      for (const node of cluster.nodes) expect(await node.stopped).toEqual(killed);
      await restart(cluster, ...cluster.nodes);
      await load.stop();
      await expectKept(balsa, topic, load);
      for (const node of cluster.nodes) expect(spareNames(node)).toEqual([]);
    },
  );

  test('a bit that flips on a live disk is found by the scrub and repaired by the peers', async () => {
    const values = Array.from({ length: 30 }, (_, i) => `<value-${i}>`.padEnd(300, '.'));
    await balsa.admin.topics.create('cold', { partitions: 1, replicas: 3 });
    await using producer = balsa.topic('cold', { value: text }).producer();
    for (const value of values) await producer.send({ value });
    await untilCaughtUp(cluster, balsa, 'cold');
    const patient = cluster.nodes[2]!;
    const flipped = await faultControl(patient.httpAddress).apply({ fault: 'bit-flip', contains: '<value-15>' });
    expect(flipped.before).not.toBe(flipped.after);
    await until('the damage is told', () => log(patient).includes('repair of a damaged group: begun'));
    await until('the damage is repaired', () => log(patient).includes('repair of a damaged group: ended'));
    expect(await metric(patient, 'balsa_journal_corrupt_frames')).toBeGreaterThan(0);
    await untilCaughtUp(cluster, balsa, 'cold');
    expect(await metric(patient, 'balsa_raft_groups_faulty')).toBe(0);
  });
});
