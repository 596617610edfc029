/**
 * Leads the membership of the groups led here to where the metadata wants their replicas.
 *
 * A newcomer learns first and votes once it has caught up. A voter that has nothing yet counts
 * for every majority and can be part of none: the partition would stand still while it
 * copies, and for ever if it never comes. So there are two steps. First the newcomers become
 * learners beside the voters that there are; when all of them have caught up the wanted
 * membership follows, and only with it the others leave.
 *
 * Caught up is a learner that has everything that the log held when it was seen to learn (its
 * own membership among it, so that it knows that it is counted on) and that is almost at the
 * end of what is committed by now. A wish that changes meanwhile is taken from where the group is.
 */
import type { GroupId, NodeId, RaftIndex, Term } from '../core/ids.ts';
import type { PartitionRecord } from '../core/machines/metadata/state.ts';
import type { MembershipTarget } from '../core/raft/input.ts';
import type { GroupStatus } from '../host/vocabulary.ts';
import type { BrokerState } from './broker-state.ts';
import { partitionName, placeOfGroup } from './metadata-replica.ts';

/** Committed entries that a learner may still lack when it becomes a voter. */
const lagMax = 100;
const membershipTimeoutMs = 10_000;
/** Pause between looks at groups with newcomers. */
export const learningCheckMs = 250;

/** Newcomers that were seen to learn in this term, and the end of the log (inclusive) at that time. */
interface Learning {
  readonly term: Term;
  readonly nodes: readonly NodeId[];
  readonly last: RaftIndex;
}
export type LearningMemory = Map<GroupId, Learning>;

export interface PlacementMemory {
  readonly learning: LearningMemory;
  /** Groups whose membership is being changed by one of the rounds. */
  readonly changing: Set<GroupId>;
}

export const createPlacementMemory = (): PlacementMemory => ({ learning: new Map(), changing: new Set() });

/** One round over all groups: each is led on as far as it can go now, one after the other. */
export async function followPlacement(broker: BrokerState, memory: PlacementMemory): Promise<void> {
  for (const group of broker.replicas.keys()) await leadOn(broker, group, memory);
}

/** The same for groups with newcomers only, which are looked at more often. */
export async function followLearners(broker: BrokerState, memory: PlacementMemory): Promise<void> {
  for (const group of memory.learning.keys()) await leadOn(broker, group, memory);
}

async function leadOn(broker: BrokerState, group: GroupId, memory: PlacementMemory): Promise<void> {
  if (broker.stopping || memory.changing.has(group)) return;
  memory.changing.add(group);
  try {
    // Again after a step: how far its newcomers have to come is noted at once.
    if (await takeStep(broker, group, memory.learning)) await takeStep(broker, group, memory.learning);
  } finally {
    memory.changing.delete(group);
  }
}

/** Whether the membership has changed. */
async function takeStep(broker: BrokerState, group: GroupId, memory: LearningMemory): Promise<boolean> {
  const place = placeOfGroup(broker.metadata, group);
  const status = broker.host.status(group);
  if (place === undefined || status?.role !== 'leader') {
    memory.delete(group);
    return false;
  }
  const target = nextTarget(place.partition, status, memory);
  if (target === undefined) return false;
  try {
    await broker.host.changeMembership(group, target, membershipTimeoutMs);
    return true;
  } catch (error) {
    broker.observer.onEvent({ kind: 'maintenance-failed', task: `membership of ${partitionName(place)}`, error });
    return false;
  }
}

/** The membership to ask for now; undefined if there is nothing to do but to wait. */
export function nextTarget(wanted: PartitionRecord, status: GroupStatus, memory: LearningMemory): MembershipTarget | undefined {
  const { membership, group, term, last } = status;
  const { voters, outgoing } = membership;
  const newcomers = wanted.replicas.filter((node) => !voters.includes(node));
  const known = memory.get(group);
  const areLearning = newcomers.length > 0 && newcomers.every((node) => membership.learners.includes(node));
  if (!areLearning) memory.delete(group);
  if (outgoing.length > 0 || isAsPlaced(wanted, status)) return undefined;
  if (newcomers.length === 0) return { voters: wanted.replicas, learners: wanted.learners };
  if (!areLearning) return { voters, learners: [...newcomers, ...wanted.learners.filter((node) => !voters.includes(node))] };
  if (known?.term !== term || !isSame(known.nodes, newcomers)) {
    memory.set(group, { term, nodes: newcomers, last });
    return undefined;
  }
  const haveCaughtUp = newcomers.every((node) => hasCaughtUp(status, node, known.last));
  return haveCaughtUp ? { voters: wanted.replicas, learners: wanted.learners } : undefined;
}

function hasCaughtUp({ replicas, commit }: GroupStatus, node: NodeId, atLeast: RaftIndex): boolean {
  const progress = replicas.find((replica) => replica.node === node);
  return progress !== undefined && progress.active && progress.match >= atLeast && commit - progress.match <= lagMax;
}

function isAsPlaced({ replicas, learners }: PartitionRecord, { membership }: GroupStatus): boolean {
  return isSame(replicas, membership.voters) && isSame(learners, membership.learners);
}

const isSame = (a: readonly NodeId[], b: readonly NodeId[]): boolean => a.length === b.length && a.every((node) => b.includes(node));
