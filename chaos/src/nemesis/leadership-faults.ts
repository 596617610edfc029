/** Orders of an operator that move work while it is done. */
import { setTimeout as delay } from 'node:timers/promises';
import * as z from 'zod';
import type { Proof } from '../cluster/proofs.ts';
import { proveBy, repeatEvery } from './begun.ts';
import { type SeenCluster, seeCluster } from './cluster-facts.ts';
import { defineFault, type Fault, type FaultContext, FaultImpossible } from './fault.ts';

const askMs = 2_000;
const transferMsMax = 5_000;
const pollMs = 50;

export const transfer = defineFault({
  name: 'transfer',
  family: 'membership',
  summary: 'The leadership of the partition is handed to another replica, again and again',
  parameters: z.strictObject({ everyMs: z.number().int().min(50).max(60_000).default(1000) }),
  scope: 'cluster',
  describe: (_, { everyMs }) => `leadership handed over every ${everyMs} ms`,
  begin: async (context, _, { everyMs }) => {
    const groupId = await groupOf(context);
    const seen = { moves: 0, refusals: 0, last: '' };
    const moving = repeatEvery(everyMs, async () => {
      const moved = await handOver(context, groupId).catch((error: unknown) => String(error));
      if (moved === true) seen.moves += 1;
      else seen.refusals += 1;
      if (moved !== true) seen.last = moved;
    });
    const prove = (): Proof => ({
      claim: 'leadership was handed over',
      holds: seen.moves > 0,
      evidence: `${seen.moves} times another leader was seen, ${seen.refusals} times not${seen.last === '' ? '' : ` (${seen.last})`}`,
    });
    return { prove: async (ending) => [await proveBy(ending, prove)], heal: moving.stop };
  },
});

async function groupOf({ admin, partition }: FaultContext): Promise<number> {
  const { partitions } = await admin.admin.topics.describe(partition.topic, { timeout: askMs });
  const groupId = partitions.find((each) => each.partition === partition.partition)?.groupId;
  if (groupId === undefined) throw new FaultImpossible(`${partition.topic} has no partition ${partition.partition}`);
  return groupId;
}

/** True: another replica was seen to lead afterwards; else why not. */
async function handOver(context: FaultContext, groupId: number): Promise<true | string> {
  const before = await seeCluster(context, askMs);
  const { leader } = before.facts;
  if (leader === undefined) return 'there was no leader';
  await context.admin.admin.raft.transfer(groupId, {}, { timeout: transferMsMax });
  const endMs = performance.now() + transferMsMax;
  while (performance.now() < endMs) {
    const now: SeenCluster | undefined = await seeCluster(context, askMs).catch(() => undefined);
    if (now?.facts.leader !== undefined && now.facts.leader !== leader) return true;
    await delay(pollMs);
  }
  return `node ${leader} led still`;
}

export const leadershipFaults: readonly Fault[] = [transfer];
