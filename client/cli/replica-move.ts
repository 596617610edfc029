/**
 * Waits until the replicas of a partition are where they were ordered to be, and shows how far
 * the new ones have come. What counts is the membership of the Raft group as its leader has
 * it, not the order: until the old voters are out they are needed for every decision.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Balsa, RaftGroup } from '../src/mod.ts';
import { CliError, during } from './cli-error.ts';
import { exitCodes } from './exit-codes.ts';
import { formatDuration } from './format/quantity.ts';
import type { Io } from './terminal/io.ts';
import { startProgress } from './terminal/progress.ts';

export interface Move {
  /** topic/partition, for messages. */
  readonly name: string;
  readonly groupId: number;
  readonly replicas: readonly number[];
  readonly waitMs: number;
}

/** What the leader of the group says; undefined while nobody leads it. */
type LeaderRow = RaftGroup['replicas'][number] | undefined;

const pollMs = 200;

export async function untilMoved(io: Io, balsa: Balsa, move: Move): Promise<void> {
  const endMs = io.nowMs() + move.waitMs;
  const progress = startProgress(io, 'entries');
  /** End of the log (inclusive) when the membership was first seen; what is shown may not be committed. */
  let shownAt: number | undefined;
  try {
    for (;;) {
      const row = await during(`cannot see how far ${move.name} is`, () => leaderRow(io, balsa, move.groupId));
      shownAt = isMoved(row, move.replicas) ? (shownAt ?? row?.lastIndex) : undefined;
      if (row !== undefined && shownAt !== undefined && row.commit >= shownAt) return;
      const copied = copiedEntries(row, move.replicas);
      if (copied !== undefined) progress.update(copied.done, copied.total);
      if (io.nowMs() >= endMs) throw notInTime(row, move);
      await delay(pollMs, undefined, { signal: io.signal });
    }
  } finally {
    progress.finish();
  }
}

async function leaderRow(io: Io, balsa: Balsa, groupId: number): Promise<LeaderRow> {
  const { groups } = await balsa.admin.raft.status({ group: groupId }, { signal: io.signal });
  const group = groups.find((each) => each.groupId === groupId);
  return group?.replicas.find(({ nodeId, role }) => nodeId === group.leader && role === 'leader');
}

/** Nobody else votes, nobody learns any more, and one of them leads. Pure. */
export function isMoved(row: LeaderRow, replicas: readonly number[]): boolean {
  if (row === undefined || row.outgoing.length > 0 || row.learners.length > 0) return false;
  return isSame(row.voters, replicas) && replicas.includes(row.nodeId);
}

const isSame = (a: readonly number[], b: readonly number[]): boolean => a.length === b.length && a.every((node) => b.includes(node));

/** Of the newcomer that has least. Pure. */
export function copiedEntries(row: LeaderRow, replicas: readonly number[]): { readonly done: number; readonly total: number } | undefined {
  const learning = row?.replicas.filter(({ nodeId }) => replicas.includes(nodeId) && row.learners.includes(nodeId)) ?? [];
  if (row === undefined || learning.length === 0) return undefined;
  return { done: Math.max(0, row.lastIndex - Math.max(...learning.map(({ lag }) => lag))), total: row.lastIndex };
}

function notInTime(row: LeaderRow, { name, replicas, waitMs }: Move): CliError {
  return new CliError({
    what: `${name} is not on nodes ${replicas.join(', ')} after ${formatDuration(waitMs)}`,
    why: row === undefined ? 'it has no leader' : whyNot(row, replicas),
    next: 'the order stands and is carried out when it can be: watch balsa raft status, and balsa cluster status for the nodes',
    exitCode: exitCodes.unavailable,
  });
}

function whyNot({ voters, outgoing, learners, replicas }: NonNullable<LeaderRow>, wanted: readonly number[]): string {
  const nodes = (list: readonly number[]): string => `node${list.length === 1 ? '' : 's'} ${list.join(', ')}`;
  if (outgoing.length > 0) return `its voters change from ${nodes(outgoing)} to ${nodes(voters)}, for which majorities of both are needed`;
  const silent = learners.filter((node) => replicas.find(({ nodeId }) => nodeId === node)?.active !== true);
  if (silent.length > 0) return `${nodes(silent)} cannot be reached by its leader; its voters are still ${nodes(voters)}`;
  if (learners.length > 0) return `${nodes(learners)} still copies; its voters are still ${nodes(voters)}`;
  if (isSame(voters, wanted)) return `${nodes(voters)} are its voters now, but a majority has not confirmed that yet`;
  return `its voters are still ${nodes(voters)}`;
}
