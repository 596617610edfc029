/**
 * Runs begin alike: each partition is led by its preferred replica, so every node leads what the
 * placement meant it to. At the birth of a partition whoever is quickest may lead it, and the broker
 * gives leadership back without haste (maintenance.balanceStableMs).
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { PartitionDescription, RaftAdmin, TopicsAdmin } from '@balsa/client';

export interface LeadersAdmin {
  readonly admin: { readonly topics: Pick<TopicsAdmin, 'describe'>; readonly raft: Pick<RaftAdmin, 'transfer'> };
}

const settleMsMax = 10_000;
const transferMsMax = 5_000;
const pollMs = 50;

const isElsewhere = ({ leader, replicas }: PartitionDescription): boolean => leader !== replicas[0];

/** Gives up after a while: a fault that then has nothing to strike says so itself. True if it succeeded. */
export async function settleLeaders(balsa: LeadersAdmin, topic: string): Promise<boolean> {
  const endMs = performance.now() + settleMsMax;
  for (;;) {
    const { partitions } = await balsa.admin.topics.describe(topic, { timeout: transferMsMax });
    const elsewhere = partitions.filter(isElsewhere);
    if (elsewhere.length === 0) return true;
    if (performance.now() > endMs) return false;
    for (const { groupId, leader, replicas } of elsewhere) {
      if (leader === undefined) continue;
      // Refused while the replica is behind; the next round asks again.
      await balsa.admin.raft.transfer(groupId, { to: replicas[0] }, { timeout: transferMsMax }).catch(() => undefined);
    }
    await delay(pollMs);
  }
}
