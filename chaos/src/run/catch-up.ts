/**
 * Whether the replicas of a cluster have caught up: each has applied what the most advanced one
 * had in its log when the question was asked, so that the answer comes while writes go on.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Balsa, RaftGroup } from '@balsa/client';

const pollMs = 50;
const askTimeoutMs = 2_000;

export interface CatchUpOptions {
  readonly topics: readonly string[];
  readonly withinMs: number;
  readonly signal?: AbortSignal;
}

/** Whether all replicas of all partitions of the topics caught up in time. */
export async function untilCaughtUp(balsa: Balsa, { topics, withinMs, signal }: CatchUpOptions): Promise<boolean> {
  const endMs = performance.now() + withinMs;
  let goals: ReadonlyMap<number, Goal> | undefined;
  while (performance.now() < endMs && signal?.aborted !== true) {
    try {
      goals ??= await goalsOf(balsa, topics);
      if (goals !== undefined && isReached(goals, await groupsOf(balsa))) return true;
    } catch {
      // The cluster is being healed: who is asked may not answer yet.
    }
    await delay(pollMs);
  }
  return false;
}

/** Of one group: what its replicas shall have applied (Raft index, inclusive), and which nodes hold them. */
export interface Goal {
  readonly index: number;
  readonly nodes: readonly number[];
}

const groupsOf = async (balsa: Balsa): Promise<readonly RaftGroup[]> =>
  (await balsa.admin.raft.status({}, { timeout: askTimeoutMs })).groups;

async function goalsOf(balsa: Balsa, topics: readonly string[]): Promise<ReadonlyMap<number, Goal> | undefined> {
  const described = await balsa.admin.topics.list({ timeout: askTimeoutMs });
  const groups = await groupsOf(balsa);
  const partitions = described.filter(({ name }) => topics.includes(name)).flatMap((topic) => topic.partitions);
  const goals = partitions.map(({ groupId, replicas }): readonly [number, Goal] => {
    const group = groups.find((each) => each.groupId === groupId);
    return [groupId, { index: Math.max(0, ...(group?.replicas ?? []).map(({ lastIndex }) => lastIndex)), nodes: replicas }];
  });
  return goals.some(([, { index }]) => index === 0) ? undefined : new Map(goals);
}

export function isReached(goals: ReadonlyMap<number, Goal>, groups: readonly RaftGroup[]): boolean {
  return [...goals].every(([groupId, { index, nodes }]) => {
    const replicas = groups.find((group) => group.groupId === groupId)?.replicas ?? [];
    return nodes.every((node) => replicas.some(({ nodeId, applied, faulty }) => nodeId === node && applied >= index && !faulty));
  });
}
