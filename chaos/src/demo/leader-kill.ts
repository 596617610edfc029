/** Kills the leader of a partition with SIGKILL and sees who takes over. */
import type { Balsa } from '@balsa/client';
import type { LocalCluster, LocalNode } from '@balsa/node/local-cluster/local-cluster.ts';
import { setTimeout as delay } from 'node:timers/promises';

export interface Kill {
  readonly victim: LocalNode;
  readonly atMs: number;
}

export interface Takeover {
  readonly nodeId: number;
  /** From the kill until a broker named the new leader. */
  readonly afterMs: number;
}

const pollMs = 25;

async function leaderOf(balsa: Balsa, topic: string, partition: number): Promise<number | undefined> {
  const { partitions } = await balsa.admin.topics.describe(topic);
  return partitions[partition]?.leader;
}

export async function killLeader(balsa: Balsa, cluster: LocalCluster, topic: string, partition: number): Promise<Kill> {
  const leader = await leaderOf(balsa, topic, partition);
  const victim = cluster.nodes.find((node) => node.id === leader);
  if (victim === undefined) throw new Error(`partition ${partition} of ${topic} has no leader to kill`);
  victim.kill('SIGKILL');
  const atMs = performance.now();
  await victim.stopped;
  return { victim, atMs };
}

/** Asks until another node leads; undefined when the signal ends the wait. */
export async function awaitTakeover(
  balsa: Balsa,
  kill: Kill,
  topic: string,
  partition: number,
  signal: AbortSignal,
): Promise<Takeover | undefined> {
  while (!signal.aborted) {
    const leader = await leaderOf(balsa, topic, partition).catch(() => undefined);
    if (leader !== undefined && leader !== kill.victim.id) return { nodeId: leader, afterMs: performance.now() - kill.atMs };
    await delay(pollMs);
  }
  return undefined;
}
