/**
 * From the membership that is to the membership that shall be.
 *
 * One voter more or less is a simple change: majorities of the old and the new
 * membership always share a node. Anything more goes through a joint membership,
 * which the leader leaves by itself. A voter that becomes a learner in a joint change
 * stays a voter of the old half until then (`learnersNext`).
 */
import type { NodeId } from '../ids.ts';
import type { MembershipTarget } from './input.ts';
import type { Membership } from './membership.ts';

/** Members of a group, both halves and learners together. */
export const membersMax = 4096;
const nodeIdMax = 0xffff;

/** The next membership on the way to `target`, or undefined if the target makes no sense. */
export function nextMembership(current: Membership, target: MembershipTarget): Membership | undefined {
  const voters = ascending(target.voters);
  const learners = ascending(target.learners);
  const simple: Membership = { voters, outgoing: [], learners, learnersNext: [], autoLeave: false };
  if (!isValidMembership(simple)) return undefined;
  if (differences(current.voters, voters) <= 1) return simple;
  const outgoing = current.voters;
  const demoted = learners.filter((node) => outgoing.includes(node));
  return {
    voters,
    outgoing,
    learners: learners.filter((node) => !outgoing.includes(node)),
    learnersNext: demoted,
    autoLeave: true,
  };
}

/** The membership after the joint phase. */
export function leaveJoint({ voters, learners, learnersNext }: Membership): Membership {
  return { voters, outgoing: [], learners: ascending([...learners, ...learnersNext]), learnersNext: [], autoLeave: false };
}

export const isJoint = (membership: Membership): boolean => membership.outgoing.length > 0;

/** Whether the invariants of membership.ts hold. */
export function isValidMembership(membership: Membership): boolean {
  const { voters, outgoing, learners, learnersNext, autoLeave } = membership;
  const lists = [voters, outgoing, learners, learnersNext];
  const votes = new Set([...voters, ...outgoing]);
  return (
    lists.every(isStrictlyAscending) &&
    voters.length > 0 &&
    votes.size + learners.length <= membersMax &&
    learners.every((node) => !votes.has(node)) &&
    learnersNext.every((node) => outgoing.includes(node) && !voters.includes(node)) &&
    (isJoint(membership) || !autoLeave)
  );
}

const isNodeId = (node: number): boolean => Number.isInteger(node) && node >= 1 && node <= nodeIdMax;

const isStrictlyAscending = (nodes: readonly NodeId[]): boolean =>
  nodes.every((node, position) => isNodeId(node) && (position === 0 || node > (nodes[position - 1] ?? node)));

const ascending = (nodes: readonly NodeId[]): readonly NodeId[] => [...nodes].sort((a, b) => a - b);

const differences = (before: readonly NodeId[], after: readonly NodeId[]): number =>
  before.filter((node) => !after.includes(node)).length + after.filter((node) => !before.includes(node)).length;
