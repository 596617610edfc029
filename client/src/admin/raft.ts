/** Raft groups as all brokers see them, and moving their leadership. */
import { AdminServiceService, type RaftGroupStatus } from '@balsa/proto/admin';
import { accepted, callBroker, withRetries } from '../cluster/broker-call.ts';
import { type CallOptions, type CallScope, openScope } from '../cluster/call-scope.ts';
import type { ClientContext } from '../cluster/context.ts';
import { BalsaError } from '../errors.ts';
import { askAll } from './ask-all.ts';
import { readMetadata } from './topics.ts';

/** One group, with the row of every replica that answered. */
export interface RaftGroup {
  readonly groupId: number;
  /** Empty for the metadata group. */
  readonly topic: string;
  readonly partition: number;
  /** Leader of the highest term that a replica knows; undefined while there is none. */
  readonly leader: number | undefined;
  readonly term: number;
  /** By node id. */
  readonly replicas: readonly RaftGroupStatus[];
}

export interface RaftStatus {
  /** By group id. */
  readonly groups: readonly RaftGroup[];
  readonly unreachable: readonly { readonly nodeId: number; readonly error: BalsaError }[];
}

export interface TransferResult {
  readonly groupId: number;
  /** Leader afterwards. */
  readonly leader: number;
}

export interface RaftAdmin {
  readonly status: (filter?: { readonly group?: number | undefined }, options?: CallOptions) => Promise<RaftStatus>;
  /** Moves the leadership of a group to `to`, or to the most advanced follower. */
  readonly transfer: (groupId: number, target?: { readonly to?: number | undefined }, options?: CallOptions) => Promise<TransferResult>;
}

export function createRaftAdmin(context: ClientContext): RaftAdmin {
  const scoped = (options: CallOptions = {}) => openScope(context.ports.clock, options, context.requestTimeoutMs);
  return {
    status: (filter, options) => raftStatus(context, filter?.group, scoped(options)),
    transfer: (groupId, target, options) => transfer(context, groupId, target?.to ?? 0, scoped(options)),
  };
}

async function raftStatus(context: ClientContext, group: number | undefined, scope: CallScope): Promise<RaftStatus> {
  const { nodes } = await readMetadata(context, [], scope);
  const message = { groupId: group ?? 0, allGroups: group === undefined };
  const answers = await askAll(context, nodes, AdminServiceService.getRaftStatus, message, scope);
  const rows = answers.flatMap(({ answer }) => answer?.groups ?? []);
  const unreachable = answers.flatMap(({ node, error }) => {
    // A broker that does not host the group is not a broker that does not answer.
    return error === undefined || error.code === 'UNKNOWN_GROUP' ? [] : [{ nodeId: node.nodeId, error }];
  });
  return { groups: mergeGroups(rows), unreachable };
}

/** Groups the rows of all brokers. Pure. */
export function mergeGroups(rows: readonly RaftGroupStatus[]): readonly RaftGroup[] {
  const byGroup = Map.groupBy(rows, (row) => row.groupId);
  const groups = [...byGroup].map(([groupId, replicas]): RaftGroup => {
    const sorted = replicas.toSorted((left, right) => left.nodeId - right.nodeId);
    const newest = sorted.reduce((best, row) => (rank(row) > rank(best) ? row : best));
    const { topic, partition, leaderNodeId, term } = newest;
    return { groupId, topic, partition, leader: leaderNodeId === 0 ? undefined : leaderNodeId, term, replicas: sorted };
  });
  return groups.sort((left, right) => left.groupId - right.groupId);
}

/** The highest term wins; within it, who knows a leader. */
function rank(row: RaftGroupStatus): number {
  return row.term * 2 + (row.leaderNodeId === 0 ? 0 : 1);
}

async function transfer(context: ClientContext, groupId: number, targetNodeId: number, scope: CallScope): Promise<TransferResult> {
  let hinted: number | undefined;
  const attempt = async () => {
    const nodeId = hinted ?? (await groupLeader(context, groupId, scope));
    hinted = undefined;
    const address = context.view.addresses.get(nodeId);
    if (address === undefined) throw new BalsaError('LEADER_NOT_AVAILABLE', { detail: `The address of node ${nodeId} is not known.` });
    const message = { groupId, targetNodeId };
    return accepted(await callBroker(context, address, AdminServiceService.transferLeadership, message, scope));
  };
  const onFailure = (error: BalsaError) => {
    hinted = error.leader?.nodeId;
    return hinted !== undefined;
  };
  const { leaderNodeId } = await withRetries(context, scope, attempt, { onFailure });
  return { groupId, leader: leaderNodeId };
}

async function groupLeader(context: ClientContext, groupId: number, scope: CallScope): Promise<number> {
  const { groups } = await raftStatus(context, groupId, scope);
  const group = groups.find((each) => each.groupId === groupId);
  if (group === undefined) throw new BalsaError('UNKNOWN_GROUP', { detail: `No broker that answers hosts Raft group ${groupId}.` });
  if (group.leader === undefined) throw new BalsaError('LEADER_NOT_AVAILABLE', { detail: `Raft group ${groupId} has no leader.` });
  return group.leader;
}
