/** Roles become nodes: by facts, names given before, and chance only where it is asked for. */
import { createChance } from '@balsa/chaos/nemesis/chance.ts';
import { type ClusterFacts, isFixed, nodesText, resolveTarget, targetProblem, TargetError } from '@balsa/chaos/nemesis/targets.ts';
import type { Target } from '@balsa/chaos/scenario/step.ts';
import { describe, expect, test } from 'vitest';

const three: ClusterFacts = { nodes: [1, 2, 3], running: [1, 2, 3], replicas: [3, 1, 2], leader: 2, metadataLeader: 3 };
const five: ClusterFacts = { nodes: [1, 2, 3, 4, 5], running: [1, 2, 3, 4, 5], replicas: [5, 4, 2], leader: 4, metadataLeader: 1 };

const resolve = (target: Target, facts = three, names: Readonly<Record<string, number>> = {}): readonly number[] =>
  resolveTarget(target, facts, new Map(Object.entries(names)), createChance(1));

describe('roles', () => {
  test.each<[Target, ClusterFacts, readonly number[]]>([
    ['leader', three, [2]],
    ['follower', three, [1]],
    ['other-follower', three, [3]],
    ['metadata-leader', three, [3]],
    ['minority', three, [1]],
    ['majority', three, [2, 1]],
    ['all', three, [1, 2, 3]],
    ['node 3', three, [3]],
    ['follower', five, [2]],
    ['other-follower', five, [5]],
    ['minority', five, [2, 5]],
    ['majority', five, [4, 2, 5]],
    [['leader', 'follower'], five, [4, 2]],
    [['leader', 'node 4', 'all'], five, [4, 1, 2, 3, 5]],
  ])('%j of %j', (target, facts, nodes) => {
    expect(resolve(target, facts)).toEqual(nodes);
  });

  test('a follower that runs comes before one that does not', () => {
    expect(resolve('follower', { ...three, running: [2, 3] })).toEqual([3]);
    expect(resolve('other-follower', { ...three, running: [2, 3] })).toEqual([1]);
  });

  test('a follower without a name comes before one with a name, and a named one is better than none', () => {
    expect(resolve('follower', three, { a: 1 })).toEqual([3]);
    expect(resolve('follower', three, { a: 1, b: 3 })).toEqual([1]);
  });

  test('any is a node that runs', () => {
    const chance = createChance(5);
    const drawn = Array.from({ length: 50 }, () => resolveTarget('any', { ...three, running: [1, 3] }, new Map(), chance)[0]);
    expect(new Set(drawn)).toEqual(new Set([1, 3]));
  });

  test('a minority of one or two nodes is nobody', () => {
    expect(resolve('minority', { nodes: [1, 2], running: [1, 2], replicas: [1, 2], leader: 1, metadataLeader: 1 })).toEqual([]);
  });
});

test('a name stays with its node, whatever that has become', () => {
  expect(resolve('old', three, { old: 3 })).toEqual([3]);
  expect(resolve(['old', 'leader'], three, { old: 2 })).toEqual([2]);
});

describe('what cannot be resolved', () => {
  const problemOf = (target: Target, facts: ClusterFacts): TargetError => {
    try {
      resolve(target, facts);
    } catch (error) {
      if (error instanceof TargetError) return error;
      throw error;
    }
    throw new Error('it was resolved');
  };

  test('without a leader roles wait for one', () => {
    const leaderless = { ...three, leader: undefined, metadataLeader: undefined };
    for (const role of ['leader', 'follower', 'other-follower', 'majority', 'metadata-leader'])
      expect(problemOf(role, leaderless), role).toMatchObject({ isPassing: true, message: expect.stringMatching(/^there is no /) });
    expect(resolve('all', leaderless)).toEqual([1, 2, 3]);
  });

  test('a node that does not exist and a name that nobody has are mistakes', () => {
    expect(problemOf('node 4', three)).toMatchObject({ isPassing: false, message: 'there is no node 4; the cluster has 3' });
    expect(problemOf('leder', three)).toMatchObject({ isPassing: false, message: expect.stringContaining('Did you mean "leader"?') });
    expect(targetProblem(['leader', 'a', 'b'], 3, ['a'])).toContain('nobody is called "b"');
    expect(targetProblem(['leader', 'a', 'node 3'], 3, ['a'])).toBeUndefined();
  });
});

test('a fixed target depends on nobody who leads', () => {
  expect(isFixed(['node 1', 'all', 'a'], new Map([['a', 1]]))).toBe(true);
  expect(isFixed(['node 1', 'leader'], new Map())).toBe(false);
});

test('nodes in words', () => {
  expect([[2], [1, 3], [1, 2, 3]].map(nodesText)).toEqual(['node 2', 'nodes 1 and 3', 'nodes 1, 2 and 3']);
});
