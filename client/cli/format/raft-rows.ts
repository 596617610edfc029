/** The rows of `balsa raft status`: every replica of every group, also those that did not answer. Pure. */
import type { RaftGroup } from '../../src/mod.ts';

export interface RaftRow {
  readonly groupId: number;
  /** `metadata`, or topic/partition. */
  readonly name: string;
  readonly nodeId: number;
  /** leader, follower, candidate, pre-candidate or learner; `no answer` if the broker is silent. */
  readonly role: string;
  readonly term: number | null;
  /** Raft indexes (inclusive), as the replica itself reports them; null if it did not answer. */
  readonly commit: number | null;
  readonly applied: number | null;
  readonly durable: number | null;
  /** Entries behind the leader's last index, as the leader knows; null without a leader. */
  readonly lag: number | null;
  /** Whether the leader heard from it lately. */
  readonly active: boolean | null;
  /** Its log is damaged and it is silent until its peers have repaired it. */
  readonly faulty: boolean;
  /** The membership changes, and it votes on in the old one only. */
  readonly leaving: boolean;
}

export const noAnswer = 'no answer';

export function raftRows(groups: readonly RaftGroup[]): readonly RaftRow[] {
  return groups.flatMap((group) => {
    const leaderRow = group.replicas.find((row) => row.nodeId === group.leader && row.role === 'leader');
    const answered = group.replicas.map((row) => row.nodeId);
    const members = group.replicas.flatMap((row) => [...row.voters, ...row.outgoing, ...row.learners]);
    const nodes = [...new Set([...answered, ...members])].toSorted((a, b) => a - b);
    return nodes.map((nodeId): RaftRow => {
      const own = group.replicas.find((row) => row.nodeId === nodeId);
      const progress = leaderRow?.replicas.find((replica) => replica.nodeId === nodeId);
      const isLeader = leaderRow !== undefined && nodeId === leaderRow.nodeId;
      return {
        groupId: group.groupId,
        name: group.topic === '' ? 'metadata' : `${group.topic}/${group.partition}`,
        nodeId,
        role: own?.role ?? noAnswer,
        term: own?.term ?? null,
        commit: own?.commit ?? null,
        applied: own?.applied ?? null,
        durable: own?.durable ?? null,
        lag: isLeader ? 0 : (progress?.lag ?? null),
        active: isLeader ? true : (progress?.active ?? null),
        faulty: own?.faulty ?? false,
        leaving: leaderRow?.outgoing.includes(nodeId) === true && !leaderRow.voters.includes(nodeId),
      };
    });
  });
}
