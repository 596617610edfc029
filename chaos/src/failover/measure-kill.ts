/** One kill: from a calm, complete cluster, through the loss of the leader, back to a complete one. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Balsa } from '@balsa/client';
import type { LocalCluster, LocalNode } from '@balsa/node/local-cluster/local-cluster.ts';
import type { Probes } from './probes.ts';

const calmMs = 1000;
const pollMs = 50;
const recoverMsMax = 30_000;
const completeMsMax = 60_000;
/** Entries that a replica may be behind and still count as caught up; probes never stop. */
const lagMax = 20;

/** Longest time between two acknowledgements around the kill, in milliseconds. */
export async function measureKill(cluster: LocalCluster, balsa: Balsa, topic: string, probes: Probes): Promise<number> {
  await delay(calmMs);
  const leader = await leaderOf(cluster, balsa, topic);
  const first = probes.answers.length - 1;
  const killedMs = performance.now();
  leader.kill('SIGKILL');
  await leader.stopped;
  await waitFor('acknowledgements after the kill', recoverMsMax, async () => (probes.answers.at(-1)?.dueMs ?? 0) > killedMs);
  await delay(calmMs);
  const gapMs = longestGap(probes.answers.slice(Math.max(0, first)).map(({ ackedMs }) => ackedMs));
  leader.start();
  await cluster.waitReady();
  await waitFor('all replicas caught up', completeMsMax, () => isComplete(cluster, balsa, topic));
  return gapMs;
}

function longestGap(ackedMs: readonly number[]): number {
  let longest = 0;
  for (let i = 1; i < ackedMs.length; i += 1) longest = Math.max(longest, (ackedMs[i] ?? 0) - (ackedMs[i - 1] ?? 0));
  return longest;
}

async function leaderOf(cluster: LocalCluster, balsa: Balsa, topic: string): Promise<LocalNode> {
  let found: LocalNode | undefined;
  await waitFor('a leader', recoverMsMax, async () => {
    const { partitions } = await balsa.admin.topics.describe(topic);
    found = cluster.nodes.find((node) => node.id === partitions[0]?.leader && node.pid !== undefined);
    return found !== undefined;
  });
  if (found === undefined) throw new Error('no leader was found');
  return found;
}

/** Every replica of the partition runs and is close to its leader's log. */
async function isComplete(cluster: LocalCluster, balsa: Balsa, topic: string): Promise<boolean> {
  const { groups } = await balsa.admin.raft.status();
  const replicas = groups.find((each) => each.topic === topic)?.replicas ?? [];
  const newest = Math.max(...replicas.map(({ lastIndex }) => lastIndex));
  return replicas.length === cluster.nodes.length && replicas.every(({ applied }) => newest - applied < lagMax);
}

async function waitFor(what: string, limitMs: number, condition: () => Promise<boolean>): Promise<void> {
  const endMs = performance.now() + limitMs;
  for (;;) {
    if (await condition().catch(() => false)) return;
    if (performance.now() > endMs) throw new Error(`not within ${limitMs} ms: ${what}`);
    await delay(pollMs);
  }
}
