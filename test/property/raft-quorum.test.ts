/** Quorum mathematics against definitions that try every possibility, up to 7 nodes. */
import fc from 'fast-check';
import { asNodeId, asRaftIndex, type NodeId } from '@balsa/node/core/ids.ts';
import { decodeMembership, encodeMembership } from '@balsa/node/core/raft/membership-codec.ts';
import { isJoint, isValidMembership, leaveJoint, nextMembership } from '@balsa/node/core/raft/membership-change.ts';
import type { Membership } from '@balsa/node/core/raft/membership.ts';
import { hasQuorum, quorumIndex, voteResult } from '@balsa/node/core/raft/quorum.ts';
import { expect, test } from 'vitest';

const nodes = [1, 2, 3, 4, 5, 6, 7].map(asNodeId);
const runs = { numRuns: 2000 };
/** Every set of nodes. */
const subsets: readonly (readonly NodeId[])[] = Array.from({ length: 2 ** nodes.length }, (_, bits) =>
  nodes.filter((_, position) => (bits >> position) & 1),
);

const someNodes = (minLength: number) => fc.subarray(nodes, { minLength });
const simple = fc.record({ voters: someNodes(1), others: someNodes(0) }).map(
  ({ voters, others }): Membership =>
    membership(
      voters,
      [],
      others.filter((node) => !voters.includes(node)),
    ),
);
const any = fc
  .record({ voters: someNodes(1), outgoing: someNodes(0) })
  .map(({ voters, outgoing }): Membership => membership(voters, outgoing, []));

function membership(voters: readonly NodeId[], outgoing: readonly NodeId[], learners: readonly NodeId[]): Membership {
  return { voters, outgoing, learners, learnersNext: [], autoLeave: false };
}

/** More than half of each half that exists, counted one by one. */
function isQuorum({ voters, outgoing }: Membership, set: readonly NodeId[]): boolean {
  return [voters, outgoing].every((half) => {
    let surplus = 0;
    for (const node of half) surplus += set.includes(node) ? 1 : -1;
    return half.length === 0 || surplus > 0;
  });
}

test('a set of nodes is a quorum if it has the majority of each half', () => {
  fc.assert(
    fc.property(any, fc.constantFrom(...subsets), (each, set) => {
      expect(hasQuorum(each, (node) => set.includes(node))).toBe(isQuorum(each, set));
    }),
    runs,
  );
});

test('the quorum index is the largest that some quorum has reached', () => {
  const reached = fc.array(fc.nat({ max: 5 }), { minLength: 7, maxLength: 7 });
  fc.assert(
    fc.property(any, reached, (each, indices) => {
      const indexOf = (node: NodeId): number => indices[node - 1]!;
      const bruteForce = Math.max(...subsets.filter((set) => isQuorum(each, set)).map((set) => Math.min(...set.map(indexOf))));
      expect(quorumIndex(each, (node) => asRaftIndex(indexOf(node)))).toBe(bruteForce);
    }),
    { numRuns: 500 },
  );
});

test('a vote is won or lost when no missing answer can change it', () => {
  const answers = fc.array(fc.constantFrom(true, false, undefined), { minLength: 7, maxLength: 7 });
  fc.assert(
    fc.property(any, answers, (each, given) => {
      const yes = nodes.filter((node) => given[node - 1] === true);
      const open = nodes.filter((node) => given[node - 1] === undefined);
      const endings = subsets.filter((set) => set.every((node) => open.includes(node))).map((set) => isQuorum(each, [...yes, ...set]));
      const expected = endings.every((won) => won) ? 'won' : endings.some((won) => won) ? 'pending' : 'lost';
      const votes = new Map(nodes.flatMap((node) => (given[node - 1] === undefined ? [] : [[node, given[node - 1]!] as const])));
      expect(voteResult(each, votes)).toBe(expected);
    }),
    { numRuns: 500 },
  );
});

test('any change keeps a node in common between the quorums before and after each step', () => {
  fc.assert(
    fc.property(simple, simple, (from, to) => {
      const next = nextMembership(from, to)!;
      const steps = isJoint(next) ? [from, next, leaveJoint(next)] : [from, next];
      expect(steps.every(isValidMembership)).toBe(true);
      expect(steps.at(-1)).toEqual(to);
      for (const [position, before] of steps.slice(0, -1).entries()) {
        const after = steps[position + 1]!;
        // If a set is a quorum before, what is left of the nodes must not be one after.
        const apart = subsets.filter(
          (set) =>
            isQuorum(before, set) &&
            isQuorum(
              after,
              nodes.filter((node) => !set.includes(node)),
            ),
        );
        expect(apart).toEqual([]);
      }
    }),
    { numRuns: 500 },
  );
});

test('memberships survive encoding, and equal ones have equal bytes', () => {
  fc.assert(
    fc.property(simple, simple, (from, to) => {
      const next = nextMembership(from, to)!;
      expect(decodeMembership(encodeMembership(next))).toEqual(next);
      expect(encodeMembership(structuredClone(next))).toEqual(encodeMembership(next));
    }),
    runs,
  );
});
