/** Replicas that move from node to node while everything else goes on. */
import { setTimeout as delay } from 'node:timers/promises';
import * as z from 'zod';
import type { Proof } from '../cluster/proofs.ts';
import { lookUntil, proveBy, repeatEvery } from './begun.ts';
import { defineFault, type Fault, type FaultContext, FaultImpossible } from './fault.ts';

const askMs = 3_000;
const orderMsMax = 10_000;
/** A replica has to be copied, and leadership to move, perhaps under other faults. */
const moveMsMax = 40_000;
const pollMs = 100;
const needs = ['spare-node'] as const;

export const moveReplica = defineFault({
  name: 'move-replica',
  family: 'membership',
  summary: 'The replica of the partition moves to a node without one, and at the end back',
  parameters: z.strictObject({}),
  needs,
  describe: (nodes) => `the replica moves away from ${nodes}`,
  begin: async (context, nodes) => {
    const { before, after } = await planMove(context, nodes);
    await order(context, after);
    return {
      prove: async (ending) => [await proveBy(ending, () => proveVoters(context, after))],
      heal: async () => {
        await order(context, before);
        await untilVoters(context, before);
      },
    };
  },
});

export const recycle = defineFault({
  name: 'recycle',
  family: 'membership',
  summary: 'The replica of the partition moves away and back, again and again',
  parameters: z.strictObject({ everyMs: z.number().int().min(100).max(60_000).default(1000) }),
  needs,
  describe: (nodes, { everyMs }) => `a replica that moves away from ${nodes} and back, ${everyMs} ms apart`,
  begin: async (context, nodes, { everyMs }) => {
    const { before, after } = await planMove(context, nodes);
    const seen = { moves: 0, last: '' };
    let isAway = false;
    const moving = repeatEvery(everyMs, async (ending) => {
      const wanted = isAway ? before : after;
      try {
        await order(context, wanted);
        if ((await lookUntil(ending, async () => ((await votersAre(context, wanted)) ? true : undefined))) === true) seen.moves += 1;
        isAway = !isAway;
      } catch (error) {
        // The cluster may be under other faults: it is told again.
        seen.last = String(error);
      }
    });
    const prove = (): Proof => {
      const evidence = `${seen.moves} times the voters were as ordered${seen.last === '' ? '' : `; last refusal: ${seen.last}`}`;
      return { claim: `a replica of ${partitionText(context)} moves`, holds: seen.moves > 0, evidence };
    };
    const heal = async (): Promise<void> => {
      await moving.stop();
      await order(context, before);
      await untilVoters(context, before);
    };
    return { prove: async (ending) => [await proveBy(ending, prove)], heal };
  },
});

const partitionText = ({ partition: { topic, partition } }: FaultContext): string => `${topic}/${partition}`;

interface Move {
  readonly before: readonly number[];
  readonly after: readonly number[];
}

/** From the first of the nodes that has a replica to the first node that has none. */
async function planMove(context: FaultContext, nodes: readonly number[]): Promise<Move> {
  const { replicas } = await describePartition(context);
  const leaving = nodes.find((node) => replicas.includes(node));
  const spare = context.cluster.nodes.find(({ id, state }) => !replicas.includes(id) && state() === 'running');
  if (leaving === undefined) throw new FaultImpossible(`none of nodes ${nodes.join(', ')} has a replica of ${partitionText(context)}`);
  if (spare === undefined) throw new FaultImpossible(`every running node has a replica of ${partitionText(context)}`);
  return { before: replicas, after: replicas.map((node) => (node === leaving ? spare.id : node)) };
}

async function describePartition({ admin, partition }: FaultContext) {
  const { partitions } = await admin.admin.topics.describe(partition.topic, { timeout: askMs });
  const found = partitions.find((each) => each.partition === partition.partition);
  if (found === undefined) throw new FaultImpossible(`${partition.topic} has no partition ${partition.partition}`);
  return found;
}

async function order({ admin, partition }: FaultContext, nodes: readonly number[]): Promise<void> {
  await admin.admin.topics.setReplicas(partition.topic, partition.partition, nodes, { timeout: orderMsMax });
}

/** As the leader of the group has it in its log. */
async function votersOf(context: FaultContext): Promise<readonly number[]> {
  const { groupId } = await describePartition(context);
  const { groups } = await context.admin.admin.raft.status({ group: groupId }, { timeout: askMs });
  const group = groups.find((each) => each.groupId === groupId);
  return group?.replicas.find(({ nodeId }) => nodeId === group.leader)?.voters ?? [];
}

const isSame = (one: readonly number[], other: readonly number[]): boolean =>
  one.length === other.length && one.every((node) => other.includes(node));

const votersAre = async (context: FaultContext, wanted: readonly number[]): Promise<boolean> =>
  isSame(await votersOf(context).catch(() => []), wanted);

async function proveVoters(context: FaultContext, wanted: readonly number[]): Promise<Proof> {
  const voters = await votersOf(context).catch(() => []);
  return {
    claim: `nodes ${wanted.join(', ')} are the voters of ${partitionText(context)}`,
    holds: isSame(voters, wanted),
    evidence: `its leader names ${voters.join(', ')}`,
  };
}

async function untilVoters(context: FaultContext, wanted: readonly number[]): Promise<void> {
  const endMs = performance.now() + moveMsMax;
  while (!(await votersAre(context, wanted))) {
    if (performance.now() > endMs)
      throw new Error(`${partitionText(context)} is not back on nodes ${wanted.join(', ')} after ${moveMsMax} ms`);
    await delay(pollMs);
  }
}

export const replicaFaults: readonly Fault[] = [moveReplica, recycle];
