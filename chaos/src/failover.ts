/**
 * `make failover`: how long a partition is without acknowledgements when its leader is
 * killed with `kill -9`, measured from the client.
 *
 * Open loop: a probe is due every 10 ms, whether or not earlier ones were answered, and
 * its time counts from when it was due, so a stalled client cannot hide a gap. After
 * every kill the node is restarted and has to catch up. At the end everything that was
 * acknowledged is read back.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { connect, text, type Balsa, type Topic } from '@balsa/client';
import { startLocalCluster, type LocalCluster } from '@balsa/node/local-cluster/local-cluster.ts';
import { measureKill } from './failover/measure-kill.ts';
import { startProbes } from './failover/probes.ts';
import { summarise } from './failover/summary.ts';

const nodes = 3;
const topicName = 'failover';
const readyMsMax = 30_000;

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { kills: { type: 'string', default: '20' }, keep: { type: 'boolean', default: false } } });
  const kills = Number(values.kills);
  const dir = mkdtempSync(join(tmpdir(), 'balsa-failover-'));
  const cluster = await startLocalCluster({ nodes, dir, portBase: 'free', env: { BALSA_LOG__LEVEL: 'warn' } });
  process.once('SIGINT', () => void cluster.stop().then(() => process.exit(130)));
  try {
    await cluster.waitReady(readyMsMax);
    await using balsa = await connect(cluster.address);
    await balsa.admin.topics.create(topicName, { partitions: 1, replicas: nodes });
    return await run(cluster, balsa, kills);
  } finally {
    await cluster.stop();
    if (values.keep) console.log(`data and logs: ${dir}`);
    else rmSync(dir, { recursive: true, force: true });
  }
}

async function run(cluster: LocalCluster, balsa: Balsa, kills: number): Promise<number> {
  const topic = balsa.topic(topicName, { value: text });
  const probes = startProbes(topic.producer({ linger: 0 }));
  const gaps: number[] = [];
  for (let kill = 1; kill <= kills; kill += 1) {
    const gapMs = await measureKill(cluster, balsa, topicName, probes);
    gaps.push(gapMs);
    console.log(`kill ${String(kill).padStart(2)} of ${kills}: ${gapMs.toFixed(0)} ms without an acknowledgement`);
  }
  const acked = await probes.stop();
  const lost = await countLost(topic, acked.values);
  console.log(`\n${summarise(gaps)}`);
  console.log(`acked ${acked.values.size}, failed ${acked.failed}, lost ${lost}`);
  return lost === 0 && acked.values.size > 0 ? 0 : 1;
}

async function countLost(topic: Topic<Uint8Array, string>, acked: ReadonlySet<string>): Promise<number> {
  const missing = new Set(acked);
  await using consumer = topic.consumer({ from: 'earliest', until: 'latest' });
  for await (const { value } of consumer) if (value !== null) missing.delete(value);
  return missing.size;
}

process.exitCode = await main();
